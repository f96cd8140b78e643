"""HLS is made while it is wanted, and its troubles are its own."""

import asyncio
import functools
import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from media_worker.audio.opus import Block
from media_worker.audio.resting_decoder import SILENCE
from media_worker.live_edge import key_objects, segment_maker, segment_stream
from media_worker.live_edge.aac import FRAME_SAMPLES, PRIMING_FRAMES, AacEncoder
from media_worker.live_edge.edge_store import ATTEMPT_TIMEOUT_S
from media_worker.live_edge.hls_broadcast import IDLE_S, LAST_WORDS_S, HlsBroadcast
from media_worker.live_edge.key_objects import SHARED_FROM, KeyObjects
from media_worker.live_edge.live_objects import LiveObjects
from media_worker.live_edge.segment_keys import KeysDestroyed, SegmentKeys
from media_worker.live_edge.segment_stream import REWRITE_S
from media_worker.room.ports import SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.hls import KEY_AHEAD_S, KEY_PERIOD_S, WINDOW_S, key_number
from spaces_contract.ids import UserId
from tests.hls_player import decoded, decrypted
from tests.hls_rules import Playlist, read
from tests.room_doubles import TurnedClock, settle

SPACE = "1nKxoPQrsTUvw"
LEA = UserId("lea")


class MemoryObjects:
    """A store that keeps all it ever held, and fails as it is told."""

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self.failures = 0
        self.objects: dict[str, bytes] = {}
        self.ever: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.written_s: list[float] = []
        self.delay_s: Callable[[str], float] = lambda _: 0.0
        self.refuses: Callable[[str], bool] = lambda _: False
        self.answers = True
        self.delete_s = 0.0  # for each name

    async def put(
        self, name: str, body: bytes, *, kind: Mapping[str, str], within_s: float
    ) -> bool:
        delay_s = self.delay_s(name)
        wait_s = min(delay_s, within_s)
        await self._clock.sleep_until(self._clock.now_s() + wait_s)
        if delay_s > within_s or self.refuses(name):
            self.failures += 1
            return False
        self.objects[name] = body
        self.ever.append((name, body, kind))
        if name.endswith(".m3u8"):
            self.written_s.append(self._clock.now_s())
        return self.answers

    async def delete(self, names: list[str]) -> bool:
        for number, name in enumerate(names, 1):
            if number * self.delete_s > ATTEMPT_TIMEOUT_S:
                self.failures += 1
                return False
            self.objects.pop(name, None)
        return True

    async def exists(self, name: str) -> bool:
        return name in self.objects

    async def names(self, prefix: str) -> list[str] | None:
        if self.refuses(prefix):
            return None
        return [name for name in self.objects if name.startswith(prefix)]

    def segments(self) -> list[str]:
        """Return the names of those that are there."""
        return [name for name in self.objects if name.endswith(".ts")]

    def playlist(self) -> Playlist:
        """Return the playlist as it is now."""
        return read(self.objects[f"live/{SPACE}/audio.m3u8"].decode())


class AtOnce(Executor):
    """Works where it is asked to; answers later, where it is held."""

    def __init__(self) -> None:
        self.held: list[Callable[[], None]] | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        done: Future[Any] = Future()
        try:
            answer = functools.partial(done.set_result, fn(*args, **named))
        except Exception as error:
            answer = functools.partial(done.set_exception, error)
        if self.held is None:
            answer()
        else:
            self.held.append(answer)
        return done

    def release(self) -> None:
        """Answer what waits for it, and at once from now on."""
        held, self.held = self.held or [], None
        for answer in held:
            answer()


class SilentAac:
    """
    Says of every block what `AacEncoder` says of silence, which it is asked once.

    These tests play a quarter of an hour of silence, most of their cost.
    """

    head, frame = AacEncoder().encode([SILENCE] * 4)[:2]

    def __init__(self) -> None:
        self._samples = 0

    def encode(self, blocks: list[Block]) -> list[bytes]:
        """Return as many frames as the real one would."""
        before = self._frames()
        self._samples += sum(block.size for block in blocks)
        return [self.frame if before else self.head] * (self._frames() - before)

    def _frames(self) -> int:
        return max(self._samples // FRAME_SAMPLES - PRIMING_FRAMES, 0)


@pytest.fixture(autouse=True)
def thread(monkeypatch: pytest.MonkeyPatch) -> AtOnce:
    """Encode at once, so that no test waits for a thread, nor for an encoder."""
    thread = AtOnce()
    monkeypatch.setattr(segment_stream, "ThreadPoolExecutor", lambda *_, **__: thread)
    monkeypatch.setattr(segment_maker, "AacEncoder", SilentAac)
    return thread


class Broadcasting:
    """A broadcast in a task, with a mix that ticks."""

    def __init__(self, *, epoch: int = 1) -> None:
        self.clock = TurnedClock()
        self.store = MemoryObjects(self.clock)
        self.key_store = MemoryObjects(self.clock)
        self.keys = SegmentKeys(f"{SPACE}/{epoch}")
        self.fresh = True
        self.removed: set[UserId] = set()
        self.hls = HlsBroadcast(
            LiveObjects(SPACE, epoch, self.store, clock=self.clock),
            self.keys,
            epoch=epoch,
            clock=self.clock,
            utc_now=self.clock.utc,
            fresh=lambda: self.fresh,
            removed=lambda: self.removed,
            key_objects=KeyObjects(SPACE, epoch, self.keys, self.key_store),
            patience_s=0.02,  # real time
        )
        self.running = asyncio.ensure_future(self.hls.run())

    async def __aenter__(self) -> "Broadcasting":
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        await asyncio.wait([self.running])

    async def mix(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Let so much be mixed, and everything happen that is due meanwhile."""
        for _ in range(round(seconds / step_s)):
            began_s = self.clock.now_s()
            for tick in range(round(step_s / 0.02)):
                self.hls.mixed(began_s + tick * 0.02, None)
            await self.clock.advance(step_s)

    async def begin(self) -> None:
        """Let three seconds be mixed, and one listener come."""
        await self.mix(3)
        await self.come()

    async def come(self) -> None:
        """Let Lea come, as soon as there is something to play."""
        for _ in range(200):  # bounded; the machine may be busy
            try:
                await self.hls.listen(LEA)
            except SessionRefused as error:
                if error.code is ControlError.REMOVED:
                    raise
            else:
                return
        raise AssertionError("nothing to play")

    async def end(self, *, ended: bool) -> None:
        """Let the Space end, or a successor take over; return when all is done."""
        if ended:
            await self.hls.finish(space_ended=True)
        else:
            self.fresh = False
            self.hls.hand_over()
            await asyncio.wait([self.running])

    async def until_rotation(self, left_s: float) -> None:
        """Let the key in use be used for so much longer."""
        used_s = self.clock.utc().timestamp() % KEY_PERIOD_S
        await self.clock.advance(KEY_PERIOD_S - left_s - used_s)

    async def crowd(self, listeners: int = round(SHARED_FROM)) -> None:
        """Let as many come as get their keys from objects."""
        for number in range(listeners):
            self.hls.key_for(
                UserId(f"listener-{number}"), key_number(self.clock.utc().timestamp())
            )
        await self.clock.advance(2)

    async def refusal(self, uid: UserId = LEA) -> ControlError:
        """Return why somebody may not listen."""
        with pytest.raises(SessionRefused) as refused:
            await self.hls.listen(uid)
        return refused.value.code


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


async def test_removed_people_get_neither_playlist_nor_key() -> None:
    """
    They are refused with their next request, and counted no more.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.removed.add(LEA)
        number = key_number(live.clock.utc().timestamp())
        with pytest.raises(SessionRefused) as refused:
            live.hls.key_for(LEA, number)
        await live.mix(2)

        assert refused.value.code is ControlError.REMOVED
        assert await live.refusal() is ControlError.REMOVED
        assert live.hls.listener_count == 0


@pytest.mark.parametrize(
    ("left_s", "off", "found"),
    [
        (60, -2, 0),
        (60, -1, 1),
        (60, 0, 1),
        (60, 1, 1),
        (60, 2, 0),
        (KEY_AHEAD_S + 10, 0, 1),
        (KEY_AHEAD_S + 10, 1, 0),
    ],
)
async def test_only_keys_about_now_are_told(left_s: int, off: int, found: int) -> None:
    """
    Nobody fetches the keys of an hour ago, nor the next one before its time is near:
    whoever is removed has not got it.
    """
    async with Broadcasting() as live:
        await live.until_rotation(left_s)
        number = key_number(live.clock.utc().timestamp()) + off
        try:
            told = len(live.hls.key_for(LEA, number)) == 16
        except SessionRefused as error:
            told = error.code is not ControlError.HLS_KEY_NOT_FOUND

        assert told == bool(found)


async def test_whoever_fetches_a_key_is_counted() -> None:
    """
    They listen, though another worker had been told so.
    """
    async with Broadcasting() as live:
        live.hls.key_for(LEA, key_number(live.clock.utc().timestamp()))

        assert live.hls.listener_count == 1


async def test_the_end_of_a_space_is_told() -> None:
    """
    The last playlist lists what was said last, and ends.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(1.5, step_s=0.5)
        finishing = asyncio.ensure_future(live.hls.finish(space_ended=True))
        await live.mix(1)
        await asyncio.wait_for(finishing, 5)

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
        await asyncio.wait_for(finishing, 5)

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
        await asyncio.wait_for(live.running, 5)


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
        await asyncio.wait_for(finishing, 5)

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
        await asyncio.wait_for(finishing, 5)

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


async def test_nothing_that_was_stored_can_be_heard_afterwards() -> None:
    """
    All that the store ever held is noise without the worker's memory, and with what
    is left of that memory after the end; with the keys of its time it was the sound.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(3)
        playlist = live.store.playlist()
        held = [(name, body) for name, body, _ in live.store.ever]
        number = int(playlist.segments[0].key_uri.split("/")[2].partition("?")[0])
        key, vector = live.keys.key(number), playlist.segments[0].initial_vector
    segments = [body for name, body in held if name.endswith(".ts")]

    assert decoded(decrypted(segments[0], key, vector)).size > 40_000
    assert key not in b"".join(body for _, body in held)
    for body in segments:
        assert body[:1] != b"G" or body[188:189] != b"G"  # no transport stream
    with pytest.raises(KeysDestroyed):
        live.keys.key(number)


async def test_a_crowd_gets_its_keys_from_objects() -> None:
    """
    The key in use, and in time the next one, lie in a store of their own; a smaller
    audience has none there, nor has anybody after the end.
    """
    async with Broadcasting() as live:
        await live.begin()
        few = dict(live.key_store.objects)
        await live.crowd()
        in_time = len(live.key_store.objects)
        await live.until_rotation(KEY_AHEAD_S - 2)
        first = key_number(live.clock.utc().timestamp())
        shared = dict(live.key_store.objects)
        prefix = f"live-keys/{SPACE}/1/"
        keys = {f"{prefix}{n}": live.keys.key(n) for n in (first, first + 1)}
        await live.clock.advance(KEY_PERIOD_S + 2)
        later = set(live.key_store.objects)
        await live.hls.finish(space_ended=False)

        assert (few, in_time) == ({}, 1)
        assert shared == keys
        assert later == {f"{prefix}{first + step}" for step in (0, 1, 2)}
        assert live.key_store.objects == {}


@pytest.mark.parametrize("by", ["crash", "cancellation"])
@pytest.mark.parametrize("answers", [True, False])
async def test_no_key_object_outlives_hls(
    by: str, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However it ends, and whether or not the store has said that it took them.
    """
    monkeypatch.setattr(key_objects, "SHARED_FROM", 2)
    monkeypatch.setattr(key_objects, "SHARED_UNTIL", 2)
    async with Broadcasting() as live:
        live.key_store.answers = answers
        await live.crowd(2)
        shared = dict(live.key_store.objects)
        if by == "crash":
            live.keys.destroy()  # nobody else does: the next segment cannot be made
            await live.mix(4)
        else:
            live.running.cancel()
        await settle()
        code = await live.refusal()

    assert len(shared) == 1
    assert live.key_store.objects == {}
    assert code is ControlError.HLS_UNAVAILABLE


async def test_keys_of_a_worker_that_was_killed_are_taken_away() -> None:
    """
    By the one after it, as soon as the store answers; what is of a later worker, or no
    key at all, is left alone.
    """
    prefix = f"live-keys/{SPACE}"
    live = Broadcasting(epoch=2)
    others = {f"{prefix}/3/8", f"{prefix}/notes"}
    live.key_store.objects = dict.fromkeys(
        (f"{prefix}/1/7", f"{prefix}/1/8", *others), b"a key"
    )
    live.key_store.refuses = lambda _: True
    async with live:
        await live.clock.advance(2)
        before = len(live.key_store.objects)
        live.key_store.refuses = lambda _: False
        await live.clock.advance(2)

        assert before == 4
        assert set(live.key_store.objects) == others


async def test_keys_of_who_serves_are_left_alone_until_they_are_relieved() -> None:
    """
    A successor runs before it has the epoch, and may never get it.
    """
    theirs = f"live-keys/{SPACE}/1/7"
    live = Broadcasting(epoch=2)
    live.fresh = False
    live.key_store.objects = {theirs: b"a key"}
    async with live:
        await live.clock.advance(2)
        before = set(live.key_store.objects)
        live.fresh = True
        await live.clock.advance(2)

        assert (before, live.key_store.objects) == ({theirs}, {})
