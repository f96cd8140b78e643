"""A stem's pages on the recording clock, each where it belongs."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import dropwhile, takewhile
from typing import Final

from spaces_contract.media import SAMPLE_RATE_HZ

from .placing import HOP_SAMPLES, LATE_S

LATE_SAMPLES: Final = int(LATE_S * SAMPLE_RATE_HZ)
DRIFT_SAMPLES: Final = 2 * HOP_SAMPLES  # what clocks that drift apart make overlap
MAX_WAITING: Final = 64  # pages: 16 s of unbroken talk, as pages are closed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPage:
    """
    Packets that follow one another.

    Args:
        start: Recording clock of the first one's first sample, at 48 kHz.
        end: Likewise, after the last one.
    """

    start: int
    end: int
    packets: tuple[bytes, ...]


def put_back(pages: Iterable[PlacedPage]) -> Iterator[PlacedPage]:
    """
    Yield one speaker's pages in their order, each where it belongs.

    A page is placed by the fastest packets that had come when it was closed.  Where
    network, sender or worker stood still, faster ones came later: what follows then
    begins before that page ends, and tells how much too late it was placed.  It is put
    back into the silence before it, which is as long.  Shorter overlaps are left.
    """
    waiting: deque[PlacedPage] = deque()
    free: int | None = None  # from here on nothing was yielded; None: nothing was
    for page in pages:
        if waiting and waiting[-1].end - page.start > DRIFT_SAMPLES:
            _move_back(waiting, waiting[-1].end - page.start, free)
        waiting.append(page)
        if len(waiting) > MAX_WAITING:
            free = waiting[0].end
            yield waiting.popleft()
    yield from waiting


def put_back_within(
    pages: Iterable[PlacedPage], start: int, end: int
) -> Iterator[PlacedPage]:
    """
    Yield what `put_back` does of the pages that are heard in an interval.

    Reads on until none that comes can belong there: a page tells how late those before
    it were placed.  Those before the interval tell how far they can be moved.

    Args:
        pages: From `LATE_SAMPLES` before the interval, or from the first one.
        start: Recording clock, at 48 kHz, as `end`.
    """
    latest = end + LATE_SAMPLES
    placed = put_back(takewhile(lambda page: page.start < latest, pages))
    later = dropwhile(lambda page: page.end <= start, placed)
    return takewhile(lambda page: page.start < end, later)


def _move_back(pages: deque[PlacedPage], by: int, free: int | None) -> None:
    """
    Let the last of these pages end earlier by so much.

    All pages since a hole that is as long move as one; where there is none, the last
    holes close.  Where nothing was said before, there is room for all.
    """
    ends = [pages[0].start - by if free is None else free]
    ends += [page.end for page in pages]
    holes = [page.start - end for page, end in zip(pages, ends[:-1], strict=True)]
    as_one = max(holes[free is None :], default=0) >= by
    for index in reversed(range(len(pages))):
        page = pages[index]
        pages[index] = replace(page, start=page.start - by, end=page.end - by)
        if holes[index] >= by:
            return
        if not as_one:
            by -= max(0, holes[index])
