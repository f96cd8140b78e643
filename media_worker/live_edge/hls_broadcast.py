"""HLS of one room, made while somebody wants it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Set
from datetime import UTC, datetime
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.hls import KEY_AHEAD_S, KEY_PERIOD_S, key_number
from spaces_contract.ids import UserId
from spaces_contract.room_state import HlsKey
from spaces_contract.timestamps import rfc3339

from ..audio.mixer import Mix
from ..room.clock import Clock
from ..room.ports import SessionRefused
from .hls_audience import HlsAudience
from .key_objects import KeyObjects
from .live_objects import SEGMENT_PATIENCE_S, LiveObjects
from .segment_keys import SegmentKeys
from .segment_stream import SegmentStream, StreamCounts

logger = logging.getLogger(__name__)

START_PATIENCE_S: Final = 2.5
IDLE_S: Final = 120.0  # nobody is left, but somebody may be on their way back
CHECK_S: Final = 1.0
SWEEP_S: Final = 2.0
# What players hear last of a worker; a successor writes its first playlist soon.
LAST_WORDS_S: Final = 0.7
LAST_STORED_S: Final = 0.4  # of these, for what is on its way to the store already


class HlsBroadcast:
    """
    The room's `Broadcast`: takes its mix, and lets any number of people hear it.

    Says who wants it and who has its keys; `SegmentStream` makes it.

    Only `mixed` is called by the mix; all else happens beside it, in a thread and in
    the store's own, and whatever goes wrong there ends or delays HLS alone.

    Lifecycle: `run()` once, until cancelled or until `finish`; then no key can be
    made any more.

    Args:
        fresh: Whether the worker cannot have been replaced unseen: the
            playlist is the Space's, not the epoch's, and this is its fence.
        removed: Returns who may not listen.
        utc_now: Aware UTC time.
        key_objects: Where a CDN finds the keys; None: they are asked for one by one.
    """

    def __init__(
        self,
        objects: LiveObjects,
        keys: SegmentKeys,
        *,
        epoch: int,
        clock: Clock,
        utc_now: Callable[[], datetime],
        fresh: Callable[[], bool],
        removed: Callable[[], Set[UserId]],
        key_objects: KeyObjects | None = None,
        patience_s: float = START_PATIENCE_S,
    ) -> None:
        self._objects = objects
        self._keys = keys
        self._clock = clock
        self._utc_now = utc_now
        self._fresh = fresh
        self._removed = removed
        self._key_objects = key_objects
        self._patience_s = patience_s
        self._stream = SegmentStream(
            objects,
            keys,
            epoch=epoch,
            clock=clock,
            unix_s=self._unix_s,
            fresh=fresh,
        )
        self._audience = HlsAudience()
        self._wanted = asyncio.Event()
        self._wanted_until_s = 0.0
        self._finishing = asyncio.Event()
        self._closed = asyncio.Event()
        self._space_ended = False
        self._relieved_s: float | None = None  # when a successor took over
        self._ended = False  # nothing can be encrypted any more

    @property
    def counts(self) -> StreamCounts:
        """What metrics tell."""
        return self._stream.counts

    @property
    def listener_count(self) -> int:
        """How many people listen by HLS."""
        return len(self._audience)

    @property
    def is_playable(self) -> bool:
        """Whether there is a playlist that goes on."""
        return self._stream.playable.is_set()

    @property
    def dropped_blocks(self) -> int:
        """How many blocks of the mix nobody took in time."""
        return self._stream.feed.dropped_blocks

    @property
    def key(self) -> HlsKey | None:
        """Which key is in use; None while nothing can be played."""
        if not self.is_playable:
            return None
        number = key_number(self._unix_s())
        rotates_at = datetime.fromtimestamp((number + 1) * KEY_PERIOD_S, UTC)
        return HlsKey(n=number, rotates_at=rfc3339(rotates_at))

    def mixed(self, due_s: float, mix: Mix | None) -> None:
        """Take one block of the mix; never blocks."""
        self._stream.feed.put(due_s, mix)

    def forget(self, user_id: UserId) -> None:
        """Count somebody no more: they hear the room by other means."""
        self._audience.forget(user_id)

    async def listen(self, user_id: UserId) -> None:
        """
        Count a listener; return once there is something to play.

        Raises:
            SessionRefused: `REMOVED`, `HLS_STARTING`, `HLS_UNAVAILABLE`.
        """
        self._admit(user_id)
        try:
            async with asyncio.timeout(self._patience_s):
                await self._stream.playable.wait()
        except TimeoutError:
            code = ControlError.HLS_STARTING
            if self._stream.troubled or self._ended or not self._fresh():
                code = ControlError.HLS_UNAVAILABLE
            raise SessionRefused(code, "nothing to play yet") from None

    def key_for(self, user_id: UserId, number: int) -> bytes:
        """
        Count a listener; return the key that they ask for.

        Raises:
            SessionRefused: `REMOVED`, `HLS_KEY_NOT_FOUND`, `HLS_UNAVAILABLE`.
        """
        told = self._told_keys()
        if not told.start - 1 <= number < told.stop:
            raise SessionRefused(
                ControlError.HLS_KEY_NOT_FOUND, "neither in use nor soon"
            )
        self._admit(user_id)
        return self._keys.key(number)

    async def run(self) -> None:
        """Serve until finished; a crash ends HLS, never the room."""
        try:
            async with asyncio.TaskGroup() as tasks:
                sweeping = tasks.create_task(self._keep_sweeping(), name="hls-sweep")
                sharing = tasks.create_task(self._keep_sharing(), name="hls-keys")
                await self._serve()
                sweeping.cancel()
                sharing.cancel()
        except Exception:
            logger.exception("HLS crashed")
        finally:
            self._stream.close()
            self._keys.destroy()
            self._ended = True
            if self._key_objects is not None:  # whichever way it ended
                await self._key_objects.clear()
            self._closed.set()

    def hand_over(self) -> None:
        """Let `run` return, as another worker's HLS begins: tell what was said last."""
        self._relieved_s = self._clock.now_s()
        self._finishing.set()
        self._wanted.set()

    async def finish(self, *, space_ended: bool) -> None:
        """Let `run` return, and wait; where the Space has ended, tell players so."""
        self._space_ended = space_ended
        self._finishing.set()
        self._wanted.set()
        await self._closed.wait()

    async def _serve(self) -> None:
        if await self._objects.has_playlist():  # players wait for us
            self._want()
        while not self._finishing.is_set():
            await self._wanted.wait()
            if not self._finishing.is_set():
                await self._make()
        if self._space_ended and self.is_playable:
            await self._stream.list_rest(ended=True)
        elif self._relieved_s is not None and self.is_playable:
            await self._say_last_words(self._relieved_s + LAST_WORDS_S)

    async def _say_last_words(self, until_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as late:
                timer = self._clock.call_at(until_s, lambda: late.reschedule(0))
                try:
                    await self._stream.list_rest(ended=False)
                finally:
                    timer.cancel()

    async def _make(self) -> None:
        """Make HLS until nobody wants it."""
        logger.info("HLS begins")
        await self._stream.run(self._until_rest)
        if self._finishing.is_set() or self._clock.now_s() < self._wanted_until_s:
            return  # somebody came just now
        self._wanted.clear()
        self._stream.rest()
        if self._fresh():  # else it may be another's by now
            await self._objects.withdraw()
        logger.info("HLS rests")

    async def _until_rest(self) -> float:
        """
        Return when nobody wants it any more, or it is to end.

        What it returns is how many seconds what is on its way may take.
        """
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._until_unwanted(), name="hls-watch")
            finishing = tasks.create_task(self._finishing.wait())
            await asyncio.wait(
                {watching, finishing}, return_when=asyncio.FIRST_COMPLETED
            )
            watching.cancel()
            finishing.cancel()
        return LAST_STORED_S if self._finishing.is_set() else SEGMENT_PATIENCE_S

    async def _until_unwanted(self) -> None:
        while True:
            now_s = self._clock.now_s()
            self._count(now_s)
            if now_s >= self._wanted_until_s:
                return
            self._stream.note_age()
            await self._clock.sleep_until(now_s + CHECK_S)

    def _count(self, now_s: float) -> None:
        self._audience.expire(now_s)
        for user_id in self._removed():
            self._audience.forget(user_id)
        if self.listener_count:
            self._wanted_until_s = now_s + IDLE_S

    async def _keep_sweeping(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_s() + SWEEP_S)
            await self._objects.sweep()

    async def _keep_sharing(self) -> None:
        while self._key_objects is not None:
            await self._key_objects.follow(
                self._told_keys(),
                listeners=self.listener_count,
                ours=self._fresh(),
            )
            await self._clock.sleep_until(self._clock.now_s() + CHECK_S)

    def _told_keys(self) -> range:
        """Return the key in use and, shortly before its time, the next one."""
        now_s = self._unix_s()
        return range(key_number(now_s), key_number(now_s + KEY_AHEAD_S) + 1)

    def _admit(self, user_id: UserId) -> None:
        if user_id in self._removed():
            raise SessionRefused(ControlError.REMOVED, "a host removed them")
        if self._ended or self._finishing.is_set():
            raise SessionRefused(ControlError.HLS_UNAVAILABLE, "there is no HLS here")
        self._audience.note(user_id, self._clock.now_s())
        self._want()

    def _want(self) -> None:
        self._wanted_until_s = self._clock.now_s() + IDLE_S
        self._wanted.set()

    def _unix_s(self) -> float:
        return self._utc_now().timestamp()
