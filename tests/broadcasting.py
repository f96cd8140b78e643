"""HLS of one Space in turned time: its broadcast, its stores, and its encoder."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from media_worker.audio.opus import Block
from media_worker.audio.resting_decoder import SILENCE
from media_worker.live_edge.aac import FRAME_SAMPLES, PRIMING_FRAMES, AacEncoder
from media_worker.live_edge.edge_store import ATTEMPT_TIMEOUT_S
from media_worker.live_edge.hls_broadcast import HlsBroadcast
from media_worker.live_edge.key_objects import SHARED_FROM, KeyObjects
from media_worker.live_edge.live_objects import LiveObjects
from media_worker.live_edge.segment_keys import SegmentKeys
from media_worker.room.ports import SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.hls import KEY_PERIOD_S, key_number
from spaces_contract.ids import UserId
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
