"""What a room makes of its relays: they hear, count for many, and are no people."""

from dataclasses import replace

import pytest

from media_worker.audio.opus_packet import has_fec
from media_worker.room.ports import LONG_MIX, SessionRefused
from media_worker.room.relay_feeds import RelayFeeds
from spaces_contract.control import ControlError
from spaces_contract.ids import UserId
from spaces_contract.relays import FORGOTTEN_AFTER_S, RelayReport, relay_user
from spaces_contract.roles import PeerKind, Role
from spaces_contract.runtime import WorkerState
from tests.audio import tone, voice
from tests.room_doubles import CAPACITY, RunningRoom, a_member, desired

ANA = a_member("ana", Role.HOST)
WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


def a_report(listeners: int, capacity: int = 100) -> RelayReport:
    """Return what a relay tells."""
    return RelayReport(
        control_url="http://10.0.0.8:9000", listeners=listeners, capacity=capacity
    )


async def connect_relay(running: RunningRoom, index: int) -> str:
    """Open a relay's feed; return its session."""
    return await running.connect(relay_user(index), WHEP)


async def test_a_relay_hears_though_nobody_else_does() -> None:
    """
    The mix is encoded for it alone; it is counted neither as listener nor as person.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        feed = await connect_relay(running, 0)
        await running.talk({ana: tone(450, seconds=1)})
        presence = running.room.presence(WorkerState.READY)

    assert len(running.endpoint.heard[feed]) >= 49
    assert (presence.listener_count, presence.participant_count) == (0, 1)


async def test_a_relays_listeners_are_counted_while_it_reports() -> None:
    """
    Counts and capacity have theirs in them, and functions find where the relay is; one
    that says nothing for 10 s is forgotten.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        feeds = RelayFeeds(running.room)
        await running.connect("ana", WHIP)
        await running.connect("lea", WHEP)
        await connect_relay(running, 3)
        feeds.relay_reported(3, a_report(40))
        told = running.room.presence(WorkerState.READY)
        await running.clock.advance(2.5)
        shown = running.room.board.room
        await running.clock.advance(FORGOTTEN_AFTER_S)
        later = running.room.presence(WorkerState.READY)

    assert (told.listener_count, told.participant_count) == (41, 42)
    assert told.capacity == CAPACITY + 100
    assert told.relays == {3: a_report(40)}
    assert (shown.listener_count, shown.participant_count) == (41, 42)
    assert (later.listener_count, later.capacity, later.relays) == (1, CAPACITY, {})


async def test_a_report_without_a_feed_is_refused() -> None:
    """
    The relay learns by it that its feed is gone.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        with pytest.raises(SessionRefused) as refused:
            RelayFeeds(running.room).relay_reported(0, a_report(1))

    assert refused.value.code is ControlError.SESSION_NOT_FOUND


async def test_a_full_room_lets_its_relay_in() -> None:
    """
    It is what makes room for others.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        for number in range(CAPACITY):
            await running.connect(f"listener{number}", WHEP)
        with pytest.raises(SessionRefused):
            await running.connect("one-more", WHEP)

        assert await connect_relay(running, 0)


async def test_relays_make_a_room_large() -> None:
    """
    With many listeners elsewhere, the feed changes to packets of 60 ms.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        feed = await connect_relay(running, 0)
        RelayFeeds(running.room).relay_reported(0, a_report(10))
        await running.talk({ana: tone(450, seconds=3)})

        assert running.endpoint.sources[feed] == LONG_MIX


async def test_losses_of_a_relays_listeners_bring_fec() -> None:
    """
    A share of all who listen anywhere loses packets: mixes carry FEC for them, as for
    the origin's own; when they are well again it goes.
    """
    lossy = replace(a_report(40), lossy=8, loss_percent=9)
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        feeds = RelayFeeds(running.room)
        ana = await running.connect("ana", WHIP)
        feed = await connect_relay(running, 0)
        feeds.relay_reported(0, lossy)
        await running.talk({ana: voice(6)})
        with_loss = running.room.care.fec_percent
        carried = any(has_fec(f.payload) for f in running.endpoint.heard[feed][-25:])
        feeds.relay_reported(0, a_report(40))
        await running.talk({ana: voice(6)})

        assert (with_loss, carried) == (9, True)
        assert running.room.care.fec_percent == 0


async def test_who_moves_from_hls_to_a_relay_is_counted_once() -> None:
    """
    The relay names them, and HLS forgets them; functions are not told of any name.
    """
    arriving = replace(a_report(1), arrived=(UserId("lea"),))
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await connect_relay(running, 0)
        RelayFeeds(running.room).relay_reported(0, arriving)
        told = running.room.presence(WorkerState.READY).relays[0]

    assert running.broadcast.forgotten[-1] == "lea"
    assert "arrived" not in told.to_fields()
    assert RelayReport.from_json(arriving.to_json()) == arriving
