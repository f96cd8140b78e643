"""A relay's feed from a real endpoint, over loopback, with what can befall it."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import cast

import pytest

from media_worker.audio.frames import EncodedFrame
from media_worker.relay.feed import Feed
from media_worker.relay.origin import (
    FeedForbidden,
    FeedForgotten,
    Origin,
    OriginUnreachable,
)
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
        self.feed = Feed(
            cast(Origin, self.origin),
            on_frame=lambda frame, _: self.frames.append(frame),
            report=lambda: REPORT,
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
    assert fed.feed.rtt_s < 1.0


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
