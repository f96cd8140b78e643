"""Where the mix hands over its blocks: never waits, and holds little."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from spaces_contract.media import PTIME_MS

from ..audio.mixer import Mix

BLOCK_S: Final = PTIME_MS / 1000
BATCH_BLOCKS: Final = 50  # one second: a segment
RECENT_BLOCKS: Final = 3 * BATCH_BLOCKS  # a player begins three segments back
MAX_BATCHES: Final = 6  # what waits longer is too old for the window's end
# Left out, they would be missing from what players have in hand, and each seam lets
# them begin anew. Of their three segments, one is growing while the mix stands still.
MAX_FILLED_BLOCKS: Final = 2 * BATCH_BLOCKS


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Blocks without a gap.

    Args:
        due_s: Monotonic time at which the first was mixed.
        mixes: Of shape `(960,)` each; None is silence.
    """

    due_s: float
    mixes: tuple[Mix | None, ...]


class BlockFeed:
    """
    Collects blocks into batches while it is open; else keeps the last three seconds.

    Ticks that the mix skipped are silence, as long as players' buffers last; after
    that a batch begins at a time of its own.

    Attributes:
        dropped_blocks: Which nobody took in time.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[float, Mix | None]] = deque(maxlen=RECENT_BLOCKS)
        self._began_s = 0.0
        self._growing: list[Mix | None] = []
        self._batches: deque[Batch] = deque()
        self._ready = asyncio.Event()
        self._open = False
        self.dropped_blocks = 0

    def put(self, due_s: float, mix: Mix | None) -> None:
        """Take the block that was due at `due_s`; never blocks."""
        if not self._open:
            self._recent.append((due_s, mix))
            return
        skipped = round((due_s - self._next_due_s) / BLOCK_S)
        if 0 < skipped <= MAX_FILLED_BLOCKS:
            for _ in range(skipped):
                self._append(None)
        elif skipped:
            self.flush()
            self._began_s = due_s
        self._append(mix)

    def open(self) -> int:
        """Begin to collect, with what was mixed last; return how many batches it is."""
        self._open = True
        for due_s, mix in self._recent:
            self.put(due_s, mix)
        self._recent.clear()
        return len(self._batches)

    def close(self) -> None:
        """Collect no more, and forget what was not taken."""
        self._open = False
        self._growing.clear()
        self._batches.clear()
        self._ready.clear()

    def flush(self) -> None:
        """Let what was collected be a batch, however short."""
        if self._growing:
            self._complete()

    @property
    def has_batch(self) -> bool:
        """Whether `take` would return at once."""
        return bool(self._batches)

    async def take(self) -> Batch:
        """Return the oldest batch as soon as there is one."""
        while not self._batches:
            self._ready.clear()
            await self._ready.wait()
        return self._batches.popleft()

    @property
    def _next_due_s(self) -> float:
        return self._began_s + len(self._growing) * BLOCK_S

    def _append(self, mix: Mix | None) -> None:
        self._growing.append(mix)
        if len(self._growing) == BATCH_BLOCKS:
            self._complete()

    def _complete(self) -> None:
        self._batches.append(Batch(self._began_s, tuple(self._growing)))
        self._began_s = self._next_due_s
        self._growing.clear()
        if len(self._batches) > MAX_BATCHES:
            self.dropped_blocks += len(self._batches.popleft().mixes)
        self._ready.set()
