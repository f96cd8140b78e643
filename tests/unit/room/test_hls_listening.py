"""What the room gives to HLS, and how it counts those who listen by it."""

import itertools

import pytest

from media_worker.room.ports import SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.roles import PeerKind
from spaces_contract.room_state import HlsKey
from spaces_contract.runtime import WorkerState
from tests.audio import level_at, tone
from tests.room_doubles import CAPACITY, RunningRoom, desired
from tests.unit.room.test_room import ANA

WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


async def test_every_block_of_the_mix_goes_out() -> None:
    """
    One block each tick, silence too and with nobody connected, at the time it was due.
    """
    async with RunningRoom() as running:
        await running.clock.advance(1)

        times = [due_s for due_s, _ in running.broadcast.mixes]
        steps = {round(b - a, 6) for a, b in itertools.pairwise(times)}
        assert (len(times), steps) == (51, {0.02})
        assert {mix is None for _, mix in running.broadcast.mixes} == {True}


async def test_what_goes_out_is_the_full_mix() -> None:
    """
    It is what a listener hears, though nobody has a session.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        await running.talk({ana: tone(450, seconds=1)})

        heard = [mix for _, mix in running.broadcast.mixes if mix is not None]
        assert level_at(heard[-1], 450) == pytest.approx(8_000, rel=0.1)


async def test_those_who_listen_by_hls_are_listeners() -> None:
    """
    They count in what everybody sees and in heartbeats, where they are told apart.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await running.connect("ana", WHIP)
        await running.connect("lea", WHEP)
        running.broadcast.listener_count = 40
        running.broadcast.key = HlsKey(n=3, rotates_at="2026-01-01T00:05:00.000Z")
        await running.clock.advance(3)

        presence = running.room.presence(WorkerState.READY)
        public = running.room.board.room
    assert (presence.listener_count, presence.hls_listener_count) == (41, 40)
    assert (presence.participant_count, presence.capacity) == (42, CAPACITY)
    assert (public.listener_count, public.hls_key) == (41, running.broadcast.key)


async def test_whoever_gets_a_session_is_counted_once() -> None:
    """
    HLS forgets them as soon as media flows.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await running.connect("lea", WHEP)

    assert running.broadcast.forgotten == ["lea"]


async def test_a_full_worker_takes_the_stage_alone() -> None:
    """
    More listeners are refused, so that they go to HLS; people on stage come in, and
    whoever had a session may replace it.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        for number in range(CAPACITY):
            await running.connect(f"listener-{number}", WHEP)
        with pytest.raises(SessionRefused) as refused:
            await running.connect("late", WHEP)
        await running.connect("ana", WHIP)
        await running.connect("ana", WHEP)
        await running.connect("listener-0", WHEP)

    assert refused.value.code is ControlError.WORKER_FULL
