"""From blocks of the mix to segments that a playlist names."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from ..room.clock import Clock
from .block_feed import Batch, BlockFeed
from .live_objects import LiveObjects
from .segment_keys import SegmentKeys
from .segment_maker import MadeSegment, SegmentMaker

# Where players begin; Chromium's own gives up where it has to wait for the next one.
START_SEGMENTS: Final = 3
MAX_STORING: Final = 4
REWRITE_S: Final = 0.8  # a store takes one a second, and segments come no faster
OVERDUE_S: Final = 5.0  # a playlist older than that starves its players


@dataclass(slots=True)
class StreamCounts:
    """
    What metrics tell.

    Args:
        segments: Listed.
        lost_segments: Made, and not stored in time.
        stale_batches: Not made, as the worker may have been replaced.
        playlist_failures: Playlists not written.
        publish_delay_s: Age of the newest sample when the last playlist was written.
        make_s: What encoding and encrypting took, in all.
    """

    segments: int = 0
    lost_segments: int = 0
    stale_batches: int = 0
    playlist_failures: int = 0
    publish_delay_s: float = 0.0
    make_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Storing:
    made: MadeSegment
    task: "asyncio.Task[bool]"


@dataclass(slots=True)
class _Line:
    """Segments on their way to the store, oldest first."""

    storing: deque[_Storing] = field(default_factory=deque)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def head(self) -> _Storing:
        while not self.storing:
            self.grown.clear()
            await self.grown.wait()
        return self.storing[0]

    def give_up(self) -> None:
        for each in self.storing:
            each.task.cancel()


class SegmentStream:
    """
    Makes segments of what `feed` is given, stores them, and lists them in order.

    Lifecycle: `run` time after time, `list_rest` after the last of them, then `close`.

    Args:
        unix_s: Returns Unix time.
        fresh: Whether the playlist is ours to write; see `HlsBroadcast`.

    Attributes:
        playable: Set while there is a playlist that goes on.
        troubled: The store took nothing when it was last tried.
    """

    def __init__(
        self,
        objects: LiveObjects,
        keys: SegmentKeys,
        *,
        epoch: int,
        clock: Clock,
        unix_s: Callable[[], float],
        fresh: Callable[[], bool],
    ) -> None:
        self._objects = objects
        self._clock = clock
        self._unix_s = unix_s
        self._fresh = fresh
        self._maker = SegmentMaker(
            keys, epoch=epoch, unix_offset_s=lambda: unix_s() - clock.now_s()
        )
        # Of its own: a recorder's disk or key service may hold those of the process.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hls")
        self._line = _Line()
        self._tried_s = 0.0  # when the playlist was last written, or was to be
        self._written_s = 0.0
        self._backlog = 0  # segments that the first playlist names together
        self.feed = BlockFeed()
        self.playable = asyncio.Event()
        self.troubled = False
        self.counts = StreamCounts()

    async def run(self, until: Callable[[], Awaitable[float]]) -> None:
        """
        Make segments until `until` returns; the feed is left as it is.

        Args:
            until: Returns for how many seconds what is on its way may take.
        """
        self._backlog = self.feed.open()
        async with asyncio.TaskGroup() as tasks:
            packing = tasks.create_task(self._keep_packing(tasks), name="hls-pack")
            listing = tasks.create_task(self._keep_listing(), name="hls-list")
            patience_s = await until()
            packing.cancel()
            listing.cancel()
            late_s = self._clock.now_s() + patience_s
            giving_up = self._clock.call_at(late_s, self._line.give_up)
        giving_up.cancel()
        self._list_stored()  # what was on its way

    def rest(self) -> None:
        """Take no more blocks; what was listed is not to be played any more."""
        self.feed.close()
        self.playable.clear()

    def note_age(self) -> None:
        """Let nobody begin to play what is not written any more; call now and then."""
        if self._clock.now_s() - self._written_s > OVERDUE_S:
            self.playable.clear()

    async def list_rest(self, *, ended: bool) -> None:
        """
        List what was said last, and that nothing follows where all has `ended`.

        Where another worker's segments follow, their playlist is left alone.
        """
        self.feed.flush()
        while self.feed.has_batch:
            made = await self._make(await self.feed.take())
            if made is not None and await self._objects.store(made):
                self._objects.list(made.segment)
        if ended or not await self._objects.are_followed():
            await self._objects.write_playlist(ended=ended)

    def close(self) -> None:
        """Make no more; may be called in every state."""
        self.playable.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _keep_packing(self, tasks: asyncio.TaskGroup) -> None:
        """Pack until cancelled; what is being made then is stored all the same."""
        while True:
            batch = await self.feed.take()
            if not self._fresh():
                self._backlog -= 1
                self.counts.stale_batches += 1
                continue
            # On its own: a batch that was taken is nowhere else.
            packing = tasks.create_task(self._pack(batch, tasks), name="hls-make")
            await asyncio.wait([packing])

    async def _pack(self, batch: Batch, tasks: asyncio.TaskGroup) -> None:
        made = await self._make(batch)
        if made is None:
            self._backlog -= 1
            return
        if len(self._line.storing) >= MAX_STORING:
            self._line.storing[0].task.cancel()
        storing = tasks.create_task(self._objects.store(made), name="hls-store")
        self._line.storing.append(_Storing(made, storing))
        self._line.grown.set()

    async def _make(self, batch: Batch) -> MadeSegment | None:
        began_s = self._clock.now_s()
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._thread, self._maker.make, batch)
        self.counts.make_s += self._clock.now_s() - began_s
        return made

    async def _keep_listing(self) -> None:
        while True:
            head = await self._line.head()
            await asyncio.wait([head.task])
            await self._clock.sleep_until(self._tried_s + REWRITE_S)
            newest = self._list_stored()
            if newest is not None and self._backlog <= 0 and self._fresh():
                await self._write(newest)

    def _list_stored(self) -> MadeSegment | None:
        """List what is stored, up to what is not yet; return the newest."""
        newest = None
        line = self._line.storing
        while line and line[0].task.done():
            storing = line.popleft()
            self._backlog -= 1
            if storing.task.cancelled() or not storing.task.result():
                self.counts.lost_segments += 1
                self.troubled = True
                continue
            newest = storing.made
            self._objects.list(newest.segment)
            self.counts.segments += 1
        return newest

    async def _write(self, newest: MadeSegment) -> None:
        self._tried_s = self._clock.now_s()
        if not await self._objects.write_playlist():
            self.counts.playlist_failures += 1
            self.troubled = True
            return
        self.troubled = False
        self._written_s = self._clock.now_s()
        self.counts.publish_delay_s = self._unix_s() - newest.segment.ends_s
        if self._objects.listed >= START_SEGMENTS:
            self.playable.set()
