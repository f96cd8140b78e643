"""A whole mix at rest, to be gone through again and again, and by several at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from spaces_contract.media import SAMPLE_RATE_HZ

T = TypeVar("T")

Pcm = NDArray[np.int16]

SAMPLE_BYTES: Final = 2
# What filters and coders are given before and after a part, so that it comes out as if
# the whole had been done at once: whole frames of AAC, and whole tenths of a second.
LEAD: Final = 76_800
PART: Final = 188 * LEAD  # 5 min: two of them, as packets, are a few megabytes
AT_ONCE: Final = 2  # FFmpeg lets others run


@dataclass(frozen=True, slots=True)
class Sound:
    """
    Mono samples at 48 kHz.

    Args:
        samples: How many.
        read: Returns those from one place to another, int16 of shape `(n,)`; may be
            called by several threads.
    """

    samples: int
    read: Callable[[int, int], Pcm]

    @classmethod
    def of_array(cls, array: Pcm) -> "Sound":
        """Return a sound that lies in memory."""
        return cls(len(array), lambda start, end: array[start:end])

    @classmethod
    def of_file(cls, path: Path) -> "Sound":
        """Return a sound that lies in a file, as `int16` of this machine."""

        def read(start: int, end: int) -> Pcm:
            return np.fromfile(
                path, np.int16, count=end - start, offset=start * SAMPLE_BYTES
            )

        return cls(path.stat().st_size // SAMPLE_BYTES, read)

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[Pcm]:
        """Yield what is from `start` to `end`, a second at a time."""
        last = self.samples if end is None else min(end, self.samples)
        for at in range(max(0, start), last, SAMPLE_RATE_HZ):
            yield self.read(at, min(last, at + SAMPLE_RATE_HZ))

    def parts(self) -> list["Part"]:
        """Return what `by_parts` goes through; a sound of nothing is one part."""
        last = max(1, self.samples)
        return [Part(at, min(at + PART, last), last) for at in range(0, last, PART)]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sound of `whole` samples."""

    start: int
    end: int
    whole: int

    @property
    def lead(self) -> int:
        """Where to begin for it to come out right."""
        return max(0, self.start - LEAD)

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.end == self.whole


def by_parts(sound: Sound, work: Callable[[Part], T]) -> Iterator[T]:
    """Yield what `work` makes of each part, in order; some are at work at a time."""
    parts = iter(sound.parts())
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="render-part") as pool:
        waiting: list[Future[T]] = []
        waiting += (pool.submit(work, part) for part in islice(parts, AT_ONCE))
        while waiting:
            done = waiting.pop(0).result()
            waiting += (pool.submit(work, part) for part in islice(parts, 1))
            yield done
