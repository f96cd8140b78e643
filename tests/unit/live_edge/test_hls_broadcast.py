"""HLS is made while it is wanted, and its troubles are its own."""

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from media_worker.live_edge.hls_broadcast import IDLE_S
from media_worker.live_edge.segment_stream import REWRITE_S
from spaces_contract.control import ControlError
from spaces_contract.hls import WINDOW_S
from tests.broadcasting import (
    LEA,
    SPACE,
    Broadcasting,
)

pytestmark = pytest.mark.usefixtures("thread")


async def test_nothing_is_made_for_nobody() -> None:
    """
    As long as nobody has asked, nothing leaves memory.
    """
    async with Broadcasting() as live:
        await live.mix(5)

    assert live.store.ever == []


async def test_whoever_comes_can_play_at_once() -> None:
    """
    The first playlist has three segments: what was said just before.
    """
    async with Broadcasting() as live:
        await live.begin()

        assert len(live.store.playlist().segments) == 3
        assert live.hls.listener_count == 1
        assert live.hls.key is not None


async def test_the_playlist_is_written_once_a_second() -> None:
    """
    Object stores take no more of one object.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(10)

    times = live.store.written_s
    assert len(times) >= 9
    assert min(b - a for a, b in itertools.pairwise(times)) >= REWRITE_S - 1e-6


async def test_objects_say_how_long_they_may_be_kept() -> None:
    """
    Caches keep a segment for the window, and a playlist for a second.
    """
    async with Broadcasting() as live:
        await live.begin()

    kinds = {name.rpartition(".")[2]: kind for name, _, kind in live.store.ever}
    assert kinds["ts"] == {
        "Content-Type": "video/mp2t",
        "Cache-Control": "public, max-age=20, immutable",
    }
    assert kinds["m3u8"]["Cache-Control"] == "public, max-age=1"


async def test_old_segments_are_deleted() -> None:
    """
    A segment goes when players can no longer know of it, and not before.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(WINDOW_S + 10, step_s=2)
        kept = len(live.store.segments())
        await live.mix(WINDOW_S + 10, step_s=2)
        listed = [each.uri for each in live.store.playlist().segments]

    assert kept == WINDOW_S + 13
    assert len(live.store.segments()) <= 2 * WINDOW_S + 3
    assert all(f"live/{SPACE}/{uri}" in live.store.objects for uri in listed)


async def test_a_slow_store_is_swept_of_many_too() -> None:
    """
    What an outage has left is deleted, though no call deletes all of it in time.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.store.delete_s = 10.0
        await live.mix(2 * WINDOW_S + 60, step_s=5)
        left = len(live.store.segments())
        live.store.delete_s = 0.05
        await live.mix(20, step_s=5)

        assert left > 80
        assert len(live.store.segments()) <= 2 * WINDOW_S + 6


@pytest.mark.parametrize("fault", ["hangs", "refuses"])
async def test_a_store_in_trouble_delays_hls_alone(fault: str) -> None:
    """
    The mix hands over its blocks as ever; memory stays bounded, losses are counted,
    and when the store is well again the playlist goes on.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(3)
        if fault == "hangs":
            live.store.delay_s = lambda _: 10.0
        else:
            live.store.refuses = lambda _: True
        await live.mix(12)
        code = await live.refusal()
        live.store.delay_s, live.store.refuses = lambda _: 0.0, lambda _: False
        await live.mix(8)

        assert code is ControlError.HLS_UNAVAILABLE
        assert live.hls.counts.lost_segments > 5
        assert live.hls.is_playable
        listed = live.store.playlist().segments
        assert listed[-1].stretch > listed[0].stretch or len(listed) < 15


async def test_threads_that_others_hold_do_not_delay_hls() -> None:
    """
    A recorder may wait for its store in all that the process shares.
    """
    released = threading.Event()
    with ThreadPoolExecutor(1) as shared:
        asyncio.get_running_loop().set_default_executor(shared)
        shared.submit(released.wait, 10)
        try:
            async with Broadcasting() as live:
                await live.begin()
        finally:
            released.set()


async def test_one_late_segment_holds_no_other_up_for_long() -> None:
    """
    Those after it are listed in order, once it is there or given up.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.store.delay_s = lambda name: 2.5 if name.endswith("/5.ts") else 0.0
        await live.mix(8)

        uris = [each.uri for each in live.store.playlist().segments]
        assert uris[:8] == [f"1/{serial}.ts" for serial in range(1, 9)]
        assert live.hls.counts.lost_segments == 0


async def test_a_worker_that_may_be_replaced_writes_nothing() -> None:
    """
    The playlist is the Space's: whoever is stale leaves it to whom it may belong now.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(2)
        live.fresh = False
        await live.mix(2)
        written = len(live.store.ever)
        await live.mix(5)
        stale = len(live.store.ever) - written
        live.fresh = True
        await live.mix(5)

        assert stale == 0
        assert live.hls.counts.stale_batches >= 5
        listed = live.store.playlist().segments
        assert listed[-1].stretch == listed[0].stretch + 1


async def test_hls_rests_when_nobody_is_left() -> None:
    """
    Two minutes after the last listener is counted no more, playlist and segments go.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.hls.forget(LEA)
        await live.mix(IDLE_S + 5, step_s=5)
        await live.clock.advance(WINDOW_S + 5)
        left = dict(live.store.objects)
        made = len(live.store.ever)
        await live.mix(5)

        assert left == {}
        assert len(live.store.ever) == made
        assert not live.hls.is_playable


async def test_whoever_comes_at_the_last_moment_keeps_it_going() -> None:
    """
    While the last segments are on their way to the store nobody is turned away.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.hls.forget(LEA)
        await live.mix(IDLE_S - 2, step_s=2)
        live.store.delay_s = lambda name: 3.5 if name.endswith(".ts") else 0.0
        await live.mix(4)
        await live.come()
        live.store.delay_s = lambda _: 0.0
        await live.mix(8)

        assert live.hls.is_playable
        assert f"live/{SPACE}/audio.m3u8" in live.store.objects


async def test_whoever_may_be_replaced_leaves_the_playlist() -> None:
    """
    At its rest too: it may be another's by now.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.hls.forget(LEA)
        live.fresh = False
        await live.mix(IDLE_S + 5, step_s=5)

        assert not live.hls.is_playable
        assert f"live/{SPACE}/audio.m3u8" in live.store.objects


async def test_a_rest_that_the_store_missed_takes_nothing_from_who_comes() -> None:
    """
    A playlist that could not be deleted is tried again, until there is a new one.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.hls.forget(LEA)
        live.store.delete_s = 10.0
        await live.mix(IDLE_S + 5, step_s=5)
        await live.come()
        live.store.delete_s = 0.0
        await live.clock.advance(0)
        deleted: list[str] = []
        delete = live.store.delete

        async def noted(names: list[str]) -> bool:
            deleted.extend(names)
            return await delete(names)

        live.store.delete = noted  # type: ignore[method-assign]  # it only looks on
        await live.mix(5)

        assert f"live/{SPACE}/audio.m3u8" not in deleted
        assert live.hls.is_playable


async def test_hls_goes_on_after_a_rest() -> None:
    """
    Whoever comes then has the last seconds at once, under higher numbers.
    """
    async with Broadcasting() as live:
        await live.begin()
        before = live.store.playlist()
        live.hls.forget(LEA)
        await live.mix(IDLE_S + 5, step_s=5)
        await live.come()

        after = live.store.playlist()
        assert after.first_number > before.segments[-1].number
        assert after.first_stretch > before.first_stretch


async def test_a_relaunched_worker_takes_up_what_was_wanted() -> None:
    """
    Where there is a playlist, players wait: it goes on without anybody asking.
    """
    async with Broadcasting() as live:
        live.running.cancel()
        live.store.objects[f"live/{SPACE}/audio.m3u8"] = b"of another worker"
        again = Broadcasting()
        again.store.objects = live.store.objects
        async with again:
            await again.mix(4)

            assert again.store.playlist().segments
