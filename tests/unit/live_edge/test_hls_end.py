"""HLS ends: what was said last is heard, and what others make is left alone."""

import asyncio

import pytest

from media_worker.live_edge.hls_broadcast import LAST_WORDS_S
from spaces_contract.control import ControlError
from tests.broadcasting import (
    SPACE,
    AtOnce,
    Broadcasting,
)
from tests.room_doubles import settle

pytestmark = pytest.mark.usefixtures("thread")


async def test_the_end_of_a_space_is_told() -> None:
    """
    The last playlist lists what was said last, and ends.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(1.5, step_s=0.5)
        finishing = asyncio.ensure_future(live.hls.finish(space_ended=True))
        await live.mix(1)
        await asyncio.wait_for(finishing, 60)

        playlist = live.store.playlist()
        assert playlist.ended
        assert playlist.segments[-1].duration_s < 0.6


async def test_a_worker_that_leaves_ends_nothing() -> None:
    """
    The Space goes on at another worker: players shall wait for it.
    """
    async with Broadcasting() as live:
        await live.begin()
        finishing = asyncio.ensure_future(live.hls.finish(space_ended=False))
        await live.mix(1)
        await asyncio.wait_for(finishing, 60)

        assert not live.store.playlist().ended
        assert await live.refusal() is ControlError.HLS_UNAVAILABLE


async def test_a_worker_that_is_relieved_is_heard_to_the_end() -> None:
    """
    What was said last is listed, and nothing is ended: a successor's sound follows.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(1.5, step_s=0.5)
        before = live.store.playlist()
        live.fresh = False
        live.hls.hand_over()
        await live.clock.advance(0.1)
        await settle()  # it takes some turns to stop what was at work

        after = live.store.playlist()
        assert not after.ended
        assert after.segments[-1].duration_s < 0.6
        assert after.segments[-1].number == before.segments[-1].number + 1
        await asyncio.wait_for(live.running, 60)


@pytest.mark.parametrize("ended", [True, False])
async def test_what_is_being_made_at_the_end_is_heard(
    ended: bool, thread: AtOnce
) -> None:
    """
    A second of sound that is encoded in that moment is listed, and what follows it.
    """
    async with Broadcasting() as live:
        await live.begin()
        before = live.store.playlist().segments[-1].number
        thread.held = []
        await live.mix(1)  # its segment is in the making
        await live.mix(0.5, step_s=0.5)
        finishing = asyncio.ensure_future(live.end(ended=ended))
        await settle()
        thread.release()
        await live.clock.advance(0.1)
        await asyncio.wait_for(finishing, 60)

        last = live.store.playlist().segments[-2:]
        assert [each.number - before for each in last] == [1, 2]
        assert last[0].stretch == last[1].stretch


@pytest.mark.parametrize("ended", [True, False])
async def test_a_segment_that_is_late_does_not_hold_up_the_end(ended: bool) -> None:
    """
    It is given up; the last playlist comes in time, and has what was said after it.
    """
    async with Broadcasting() as live:
        await live.begin()
        before = live.store.playlist().segments[-1]
        live.store.delay_s = lambda name: 3.0 if name.endswith("/4.ts") else 0.0
        await live.mix(1)  # on its way
        await live.mix(0.5, step_s=0.5)
        finishing = asyncio.ensure_future(live.end(ended=ended))
        began_s = live.clock.now_s()
        await live.clock.advance(5)
        await asyncio.wait_for(finishing, 60)

        playlist = live.store.playlist()
        assert playlist.ended is ended
        assert playlist.segments[-1].stretch == before.stretch + 1
        assert live.store.written_s[-1] - began_s <= LAST_WORDS_S


async def test_a_successors_playlist_is_left_alone() -> None:
    """
    Who hears late of being relieved does not write over what players go by already.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(0.5, step_s=0.5)
        live.store.objects[f"live/{SPACE}/3/1.ts"] = b"a successor's"
        live.store.objects[f"live/{SPACE}/audio.m3u8"] = b"a successor's"
        await live.end(ended=False)

        assert live.store.objects[f"live/{SPACE}/audio.m3u8"] == b"a successor's"
