"""All Spaces that are live, however many."""

from collections.abc import Iterator
from typing import Final

from ..domain.space import Space
from .ports import Cursor, SpaceStore

PAGE: Final = 200


def every_live(spaces: SpaceStore, after: Cursor | None = None) -> Iterator[Space]:
    """
    Yield each, as it was read with its page; those started last come first.

    Args:
        after: Where to begin, by start and id of a Space; None: with all of them.
    """
    while True:
        page = spaces.live(limit=PAGE, after=after)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]
        after = Cursor(last.started_at or last.created_at, last.id)
