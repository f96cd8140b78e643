"""Egress processes, really started, with listeners that do real STUN, DTLS, SRTP."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from media_worker.egress.processes.child import EgressProcess, Spawn
from media_worker.egress.processes.spread import SpreadEndpoint
from media_worker.room.ports import FULL_MIX, LONG_MIX, SessionInfo
from media_worker.transport.endpoint import UdpMediaEndpoint
from media_worker.transport.session_trace import SessionTraces, recorded
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.trace_context import TraceContext, within
from tests.light_clients import LightPeer, receiver_report
from tests.media_endpoint import PATIENCE_S, EventLog, playing, tone_packets, until
from tests.tracing import remembered_spans

LOOPBACK = ("127.0.0.1", 0)
EGRESS_FROM = 2
SHORT_BYTES, LONG_BYTES = 40, 160


class SpreadRoom:
    """An endpoint over two processes at most, and who listens to it."""

    def __init__(self, ports: int) -> None:
        self.events = EventLog()
        self.endpoint = SpreadEndpoint(
            UdpMediaEndpoint(bind=LOOPBACK, announced=LOOPBACK),
            [Spawn(bind=LOOPBACK, announced=LOOPBACK, labels={})] * ports,
            egress_from=EGRESS_FROM,
            listeners_per_egress=2,
            traces=SessionTraces(recorded(lambda *_: None)),
        )
        self.endpoint.start(self.events)
        self.listeners: list[LightPeer] = []
        self._ids = itertools.count()

    async def post_sdp(self, url: str, user_id: str, offer: str) -> tuple[str, str]:
        """Open a session for the user `user_id`; what clients call."""
        session_id = f"session-{next(self._ids)}"
        info = SessionInfo(
            session_id=SessionId(session_id),
            user_id=UserId(user_id),
            kind=PeerKind(url),
            grant_id="grant",
        )
        answer = await self.endpoint.open_session(offer, info)
        return answer, session_id

    async def delete_session(self, session_id: str, _: str) -> None:
        """Close a session; what clients call."""
        await self.endpoint.close_session(SessionId(session_id), PeerCloseReason.LEFT)

    async def listener(self, user_id: str | None = None) -> LightPeer:
        """Return a listener who is connected."""
        peer = LightPeer(self, PeerKind.WHEP)
        peer.rtp_log = []
        await peer.connect("whep", user_id or f"user-{len(self.listeners)}")
        self.listeners.append(peer)
        await until(lambda: id_of(peer) in self.events.connected)
        return peer

    async def fill_own(self) -> list[LightPeer]:
        """Let as many listen as the room's own process takes."""
        return [await self.listener() for _ in range(EGRESS_FROM)]

    async def egress(self, count: int = 1) -> EgressProcess:
        """Return the last egress process, once `count` are ready."""
        await until(lambda: sum(c.load.ready for c in self.children) == count)
        return self.children[-1]

    @property
    def children(self) -> list[EgressProcess]:
        """The egress processes there are."""
        return [p.child for p in self.endpoint.by_process() if p.child is not None]

    async def aclose(self) -> None:
        """End everything."""
        for peer in self.listeners:
            await peer.aclose()
        await self.endpoint.aclose(PeerCloseReason.WORKER_STOPPING)


def id_of(peer: LightPeer) -> SessionId:
    """Return a listener's session."""
    return SessionId(peer._session_url)


def port_of(peer: LightPeer) -> int:
    """Return the port from which a listener hears."""
    return peer._answer.address[1]


def children_of_this_process() -> list[psutil.Process]:
    """Return the egress processes that run."""
    return [
        child
        for child in psutil.Process().children()
        if "media_worker.egress" in child.cmdline()
    ]


@pytest.fixture
async def spread() -> AsyncIterator[SpreadRoom]:
    """Run an endpoint that may start one egress process."""
    room = SpreadRoom(ports=1)
    try:
        yield room
    finally:
        await room.aclose()
    assert children_of_this_process() == []


async def test_a_small_room_starts_no_process(spread: SpreadRoom) -> None:
    """
    Below the limit there is the room's own process alone.
    """
    await spread.listener()

    assert spread.endpoint.egresses_started == 0
    assert children_of_this_process() == []


async def test_a_session_in_a_process_of_its_own_is_a_trace(
    spread: SpreadRoom,
) -> None:
    """
    From the order to the first packet out, in the trace of who asked; one who leaves
    before that has a span that says so.
    """
    await spread.fill_own()
    await spread.egress()
    caller = TraceContext("a" * 32, "b" * 16, sampled=True)
    with remembered_spans() as tracer, within(caller):
        hears = await spread.listener()
        leaves = await spread.listener()
        await spread.endpoint.close_session(id_of(leaves), PeerCloseReason.LEFT)
        async with playing(spread.endpoint, tone_packets()):
            await until(lambda: hears.arrivals.packets > 5)
            await until(lambda: all(span.ends for span in tracer.spans))

    whole, cut = [span for span in tracer.spans if span.title == "open session"]
    parts = {span.title: span for span in tracer.spans if span.parent == whole.context}
    assert whole.parent == cut.parent == caller
    assert list(parts) == ["first stun", "dtls", "first rtp out"]
    assert whole.facts == {"parley.session_kind": "whep"}
    assert (whole.error, cut.error) == (None, "SessionClosed")
    assert whole.ended_ns == parts["first rtp out"].ended_ns
    assert port_of(hears) == port_of(leaves) != port_of(spread.listeners[0])


async def test_a_large_audience_hears_from_a_process_of_its_own(
    spread: SpreadRoom,
) -> None:
    """
    The same sound from another port; counted in both places; whoever leaves is told.
    """
    own = await spread.fill_own()
    await spread.egress()
    far = [await spread.listener() for _ in range(2)]
    async with playing(spread.endpoint, tone_packets()):
        await until(lambda: all(p.arrivals.packets > 50 for p in [*own, *far]))
    await spread.endpoint.refresh()

    assert {port_of(peer) for peer in own} == {spread.endpoint.announced[1]}
    assert port_of(far[0]) == port_of(far[1]) != port_of(own[0])
    assert [p.listeners for p in spread.endpoint.by_process()] == [2, 2]
    assert spread.endpoint.totals()["fan_out_packets_sent"] > 200
    await spread.delete_session(id_of(far[0]), "")
    assert (id_of(far[0]), PeerCloseReason.LEFT) in spread.events.closed
    assert [p.listeners for p in spread.endpoint.by_process()] == [2, 1]


async def test_who_talks_and_who_turns_arrives_in_order(spread: SpreadRoom) -> None:
    """
    CSRCs are in the packets; a turn to another source takes effect with its tick.
    """
    await spread.fill_own()
    await spread.egress()
    peer = await spread.listener()
    log = peer.rtp_log
    assert log is not None
    short, long = [bytes(SHORT_BYTES)], [bytes(LONG_BYTES)]

    async with playing(spread.endpoint, short):
        await until(lambda: len(log) > 5)
    spread.endpoint.hear(id_of(peer), LONG_MIX)
    async with playing(spread.endpoint, long, sources=(FULL_MIX, LONG_MIX)):
        await until(lambda: len(log[-1]) > LONG_BYTES)

    # 12 bytes, two CSRCs, and the tag; no packet of the source that was left.
    sizes = [len(packet) for packet in log]
    assert set(sizes) == {12 + 8 + SHORT_BYTES + 16, 12 + 8 + LONG_BYTES + 16}
    assert sizes == sorted(sizes)
    assert all(packet[0] & 0x0F == 2 for packet in log)
    numbers = [int.from_bytes(packet[2:4], "big") for packet in log]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_dead_process_is_replaced_and_others_never_notice(
    spread: SpreadRoom,
) -> None:
    """
    Its listeners' sessions end, so they may join again; the others hear on.
    """
    own = await spread.fill_own()
    first = await spread.egress()
    far = await spread.listener()
    (process,) = children_of_this_process()
    async with playing(spread.endpoint, tone_packets()):
        await until(lambda: far.heard.is_set())
        own[0].arrivals.reset()
        process.kill()
        await until(lambda: spread.events.closed)
        await until(lambda: spread.children and spread.children[0] is not first)
        await spread.egress()
        again = await spread.listener("again")
        await until(lambda: again.arrivals.packets > 10)
        heard = own[0].arrivals

    assert spread.events.closed == [(id_of(far), PeerCloseReason.MEDIA_FAILED)]
    assert heard.packets > 10
    assert spread.endpoint.egresses_started == 2
    await spread.endpoint.refresh()
    assert [p.listeners for p in spread.endpoint.by_process()] == [2, 1]


async def test_sigterm_lets_a_process_drain(spread: SpreadRoom) -> None:
    """
    It opens nothing more, closes what it has, and another takes its place.
    """
    await spread.fill_own()
    first = await spread.egress()
    far = await spread.listener()
    (process,) = children_of_this_process()

    process.send_signal(signal.SIGTERM)
    await until(lambda: not first.load.ready)
    await until(lambda: spread.events.closed)
    await until(lambda: not process.is_running())

    assert spread.events.closed == [(id_of(far), PeerCloseReason.WORKER_STOPPING)]
    second = await spread.egress()
    assert second.number == 2


async def test_a_process_that_hangs_is_replaced(
    spread: SpreadRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One that does not answer in time is ended; its listeners join again.
    """
    await spread.fill_own()
    first = await spread.egress()
    far = await spread.listener()
    (process,) = children_of_this_process()
    monkeypatch.setattr("media_worker.egress.processes.child.ANSWER_PATIENCE_S", 0.2)

    process.suspend()
    await first.refresh()
    await until(lambda: spread.events.closed)

    assert spread.events.closed == [(id_of(far), PeerCloseReason.MEDIA_FAILED)]
    assert not process.is_running()


async def test_a_join_never_waits_for_a_process_in_trouble(
    spread: SpreadRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where it does not answer, the room's own process takes the listener in.
    """
    await spread.fill_own()
    await spread.egress()
    (process,) = children_of_this_process()
    monkeypatch.setattr("media_worker.egress.processes.child.ANSWER_PATIENCE_S", 0.2)

    process.suspend()
    peer = await spread.listener()
    async with playing(spread.endpoint, tone_packets()):
        await until(peer.heard.is_set)

    assert port_of(peer) == spread.endpoint.announced[1]
    assert spread.events.closed == []
    process.kill()


async def test_a_process_that_nobody_needs_is_let_go(
    spread: SpreadRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When the audience has shrunk and nobody listens there any more.
    """
    monkeypatch.setattr("media_worker.egress.processes.pool.LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("media_worker.egress.processes.pool.IDLE_LOOKS", 2)
    await spread.fill_own()
    await spread.egress()
    far = await spread.listener()

    await spread.delete_session(id_of(far), "")
    for near in spread.listeners[:EGRESS_FROM]:
        await spread.delete_session(id_of(near), "")

    await until(lambda: not spread.children)
    assert spread.endpoint.egresses_started == 1


async def test_a_new_session_replaces_one_in_another_process(
    spread: SpreadRoom,
) -> None:
    """
    One person listens once, wherever the sessions are.
    """
    (first, _) = await spread.fill_own()
    await spread.egress()

    second = await spread.listener("user-0")
    closed = list(spread.events.closed)
    await spread.listener("user-0")

    assert closed == [(id_of(first), PeerCloseReason.REPLACED)]
    assert spread.events.closed[1:] == [(id_of(second), PeerCloseReason.REPLACED)]
    assert spread.endpoint.listeners_by_process() == (EGRESS_FROM, 0)


async def test_a_bad_offer_is_refused_from_afar_as_from_here(
    spread: SpreadRoom,
) -> None:
    """
    The reason comes back; nothing is left of the session.
    """
    await spread.fill_own()
    await spread.egress()

    with pytest.raises(Exception, match="sdp-malformed"):
        await spread.post_sdp("whep", "eve", "v=0\r\nnonsense")

    assert [p.listeners for p in spread.endpoint.by_process()] == [2, 0]
    assert spread.events.closed == []


async def test_what_a_lossy_listener_reports_reaches_the_room(
    spread: SpreadRoom,
) -> None:
    """
    A report of loss, by which FEC is decided, is known after a refresh.
    """
    await spread.fill_own()
    await spread.egress()
    far = await spread.listener()
    assert far.dtls is not None
    far._udp.sendto(far.dtls._tx_srtp.protect_rtcp(receiver_report(fraction_lost=64)))

    async with asyncio.timeout(PATIENCE_S):
        while not spread.endpoint.fraction_lost(id_of(far)):
            await spread.endpoint.refresh()

    assert spread.endpoint.fraction_lost(id_of(far)) == 0.25


async def test_a_second_process_takes_its_share() -> None:
    """
    Where the audience outgrows one, the emptier of two gets who comes next.
    """
    room = SpreadRoom(ports=2)
    try:
        await room.fill_own()
        await room.egress()
        for _ in range(2):
            await room.listener()
        await room.egress(2)
        for _ in range(2):
            await room.listener()

        assert [p.listeners for p in room.endpoint.by_process()] == [2, 2, 2]
        ports = {port_of(peer) for peer in room.listeners}
        assert len(ports) == 3
    finally:
        await room.aclose()
