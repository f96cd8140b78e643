"""A relay's feed from a real endpoint, over loopback, with what can befall it."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import cast

import pytest

from media_worker.audio.frames import EncodedFrame
from media_worker.relay.feed import Feed
from media_worker.relay.feed_connection import ROUND_S, FeedConnection
from media_worker.relay.feed_sdp import FeedAnswer
from media_worker.relay.origin import (
    FeedForbidden,
    FeedForgotten,
    Origin,
    OriginUnreachable,
)
from media_worker.transport.certificate import ProcessCertificate
from media_worker.transport.counters import EndpointCounters
from media_worker.transport.negotiation import Fingerprint
from spaces_contract.control import ControlError
from spaces_contract.relays import RelayReport, relay_user
from spaces_contract.roles import PeerKind
from tests.media_endpoint import (
    RunningEndpoint,
    playing,
    running_endpoint,
    tone_packets,
    until,
)

REPORT = RelayReport(control_url="http://127.0.0.1:9", listeners=5, capacity=10)


class LocalOrigin:
    """An origin's control API without HTTP: what `Origin` promises, and its errors."""

    def __init__(self, running: RunningEndpoint) -> None:
        self._running = running
        self.opened = 0
        self.reports: list[RelayReport] = []
        self.refusals: list[Exception] = []
        self.report_error: Exception | None = None

    @property
    def session_id(self) -> str:
        """Of the newest feed."""
        return f"feed-{self.opened}"

    async def open_feed(self, offer_sdp: str) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        self.opened += 1
        return await self._running.open(
            offer_sdp,
            PeerKind.WHEP,
            session_id=self.session_id,
            user_id=relay_user(0),
        )

    async def report(self, report: RelayReport) -> None:
        self.reports.append(report)
        if self.report_error is not None:
            error, self.report_error = self.report_error, None
            raise error


class Fed:
    """A feed that runs, and what came by it."""

    def __init__(self, running: RunningEndpoint) -> None:
        self.running = running
        self.origin = LocalOrigin(running)
        self.frames: list[EncodedFrame] = []
        self.taken: list[RelayReport] = []
        self.feed = Feed(
            cast(Origin, self.origin),
            on_frame=lambda frame, _: self.frames.append(frame),
            report=lambda: REPORT,
            reported=self.taken.append,
        )

    async def hear(self, frames: int = 10) -> list[EncodedFrame]:
        """Return the next frames."""
        first = len(self.frames)
        await until(lambda: len(self.frames) >= first + frames)
        return self.frames[first:]


@pytest.fixture
async def fed() -> AsyncIterator[Fed]:
    """Run an endpoint on loopback that plays a tone, and a feed from it."""
    async with running_endpoint("127.0.0.1") as running:
        fed = Fed(running)
        task = asyncio.create_task(fed.feed.run())
        async with playing(running.endpoint, tone_packets()):
            yield fed
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, FeedForbidden):
            await task


async def test_the_mix_comes_as_the_origin_made_it(fed: Fed) -> None:
    """
    Frames have the origin's time, and say who is heard how loudly, without a loss.
    """
    frames = await fed.hear(20)

    steps = {b.timestamp - a.timestamp for a, b in itertools.pairwise(frames)}
    assert steps == {960}
    assert {(f.csrcs, f.levels_dbov, f.duration_samples) for f in frames} == {
        ((7, 8), (20, 40), 960)
    }
    assert {f.payload for f in frames} <= set(tone_packets())
    assert (fed.feed.counts.lost, sum(f.skipped for f in frames)) == (0, 0)
    assert fed.origin.reports[0] == REPORT
    assert fed.feed.rtt_s > 0


async def test_a_feed_that_is_closed_is_opened_again(fed: Fed) -> None:
    """
    Its frames go on in the origin's time, and tell what was missed meanwhile.
    """
    before = (await fed.hear())[-1]

    await fed.running.close(fed.origin.session_id)
    await until(lambda: fed.feed.opened == 2 and fed.feed.is_up)
    await fed.hear()

    first = next(f for f in fed.frames if f.skipped)
    assert first.timestamp > before.timestamp
    gap = first.timestamp - fed.frames[fed.frames.index(first) - 1].timestamp
    assert first.skipped == gap // 960 - 1


async def test_an_origin_that_forgot_the_feed_is_asked_anew(fed: Fed) -> None:
    """
    Its answer to a report is enough: nobody waits for silence.
    """
    await fed.hear()

    fed.origin.report_error = FeedForgotten("no such feed")

    await until(lambda: fed.feed.opened == 2 and fed.feed.is_up)


async def test_reports_that_fail_do_not_stop_the_sound(fed: Fed) -> None:
    """
    The origin's control API may be slow while its sound is not.
    """
    await fed.hear()

    fed.origin.report_error = OriginUnreachable("TimeoutError")
    await until(lambda: fed.origin.report_error is None)
    await fed.hear()

    assert fed.feed.opened == 1


async def test_an_origin_that_is_busy_is_tried_again() -> None:
    """
    Refusals that pass cost a little time each, and no feed.
    """
    async with running_endpoint("127.0.0.1") as running:
        fed = Fed(running)
        fed.origin.refusals = [OriginUnreachable("503"), OriginUnreachable("503")]
        task = asyncio.create_task(fed.feed.run())
        async with playing(running.endpoint, tone_packets()):
            await fed.hear()
        task.cancel()
        await asyncio.wait([task])

    assert fed.feed.opened == 1


async def test_an_origin_that_forbids_is_left() -> None:
    """
    Of another epoch, or by an old token, there is nothing to wait for.
    """
    async with running_endpoint("127.0.0.1") as running:
        fed = Fed(running)
        fed.origin.refusals = [FeedForbidden(ControlError.STALE_EPOCH)]

        with pytest.raises(FeedForbidden):
            await fed.feed.run()


class FarOrigin(asyncio.DatagramProtocol):
    """A port whose answers take so long that the relay has asked again meanwhile."""

    def __init__(self) -> None:
        self.said_hello = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[0] == 22:  # RFC 6347: a handshake
            self.said_hello.set()
            return
        loop = asyncio.get_running_loop()
        loop.call_later(2.5 * ROUND_S, self._answer, data[4:20], addr)

    def _answer(self, transaction: bytes, addr: tuple[str, int]) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(b"\x01\x01\0\0" + transaction, addr)


async def test_an_origin_may_be_far_away() -> None:
    """
    Its answer counts whichever request it answers: the handshake begins.
    """
    loop = asyncio.get_running_loop()
    transport, origin = await loop.create_datagram_endpoint(
        FarOrigin, local_addr=("127.0.0.1", 0)
    )
    connection = FeedConnection(
        ProcessCertificate.generate(), EndpointCounters(), on_packet=lambda _: None
    )
    answer = FeedAnswer(
        ufrag="far",
        password="of the origin's ICE",
        fingerprint=Fingerprint(algorithm="sha-256", value="00"),
        host="127.0.0.1",
        port=transport.get_extra_info("sockname")[1],
        level_extension_id=None,
    )
    running = asyncio.create_task(connection.run(answer))
    waiting = asyncio.create_task(origin.said_hello.wait())

    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait({running, waiting})
    transport.close()

    assert origin.said_hello.is_set()
