"""Listeners whose DTLS association was freed, as nothing but its end was left of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from media_worker.transport.rounds import Timing
from spaces_contract.roles import PeerCloseReason, PeerKind
from tests.light_clients import LightPeer, receiver_report
from tests.media_endpoint import (
    RunningEndpoint,
    playing,
    running_endpoint,
    tone_packets,
    until,
)

SESSION = "listener"
SOON = Timing(first_report_s=0.02, listener_report_s=0.05)
CLOSE_NOTIFY = bytes([21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0])


class OneSession:
    """What a client calls to open its session."""

    def __init__(self, running: RunningEndpoint) -> None:
        self._running = running

    async def post_sdp(self, _: str, __: str, offer: str) -> tuple[str, str]:
        """Open it."""
        answer = await self._running.open(offer, PeerKind.WHEP, session_id=SESSION)
        return answer, SESSION

    async def delete_session(self, *_: str) -> None:
        """Leave without a word."""


class Retired:
    """A listener who hears, and whose association the server keeps no more."""

    def __init__(self, running: RunningEndpoint) -> None:
        self.running = running
        self.peer = LightPeer(OneSession(running), PeerKind.WHEP)

    async def connect(self) -> None:
        """Connect, prove that the keys arrived, and wait until that was noted."""
        await self.peer.connect("whep", "lea")
        assert self.peer.dtls is not None
        protected = self.peer.dtls._tx_srtp.protect_rtcp(receiver_report())
        self.peer._udp.sendto(protected)
        (session,) = self.running.endpoint._sessions
        await until(lambda: session._dtls.is_retired)

    def stop_asking(self) -> None:
        """Send no more STUN, as somebody who is gone."""
        for task in self.peer._tasks:
            task.cancel()


@pytest.fixture
async def retired() -> AsyncIterator[Retired]:
    """Run an endpoint that plays, with one such listener."""
    async with running_endpoint("127.0.0.1", timing=SOON) as running:
        listener = Retired(running)
        async with playing(running.endpoint, tone_packets()):
            await listener.connect()
            yield listener
            with contextlib.suppress(ConnectionError):
                await listener.peer.aclose()


@pytest.fixture
def short_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let half a second of silence be enough."""
    monkeypatch.setattr("media_worker.transport.media_path.DOUBT_S", 0.5)


async def test_sound_goes_on(retired: Retired) -> None:
    """
    Media and reports need the SRTP keys alone.
    """
    before = retired.peer.arrivals.packets

    await until(lambda: retired.peer.arrivals.packets > before + 20)

    assert retired.running.events.closed == []


async def test_its_end_is_told(retired: Retired) -> None:
    """
    The close_notify that was kept is one that the client believes.
    """
    dtls = retired.peer.dtls
    assert dtls is not None

    await retired.running.close(SESSION)

    await until(lambda: dtls.state == "closed")


async def test_who_leaves_is_noticed(retired: Retired, short_doubt: None) -> None:
    """
    A farewell that nobody can read any more, and then silence: it has LEFT.
    """
    assert retired.peer.dtls is not None
    retired.stop_asking()
    await retired.peer.dtls.stop()

    await until(lambda: retired.running.events.closed)

    assert retired.running.events.closed == [(SESSION, PeerCloseReason.LEFT)]


async def test_a_forged_farewell_ends_nothing(retired: Retired) -> None:
    """
    Whoever can send from the client's address does not end its session.
    """
    (session,) = retired.running.endpoint._sessions
    retired.peer._udp.sendto(CLOSE_NOTIFY)
    await until(lambda: session.path._doubted_s > 0)
    asking = asyncio.create_task(retired.peer._ping())
    await until(lambda: not session.path.is_doubted)
    asking.cancel()
    before = retired.peer.arrivals.packets

    await until(lambda: retired.peer.arrivals.packets > before + 50)

    assert retired.running.events.closed == []
