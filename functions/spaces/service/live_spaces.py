"""All Spaces that are live, however many."""

from collections.abc import Iterator
from typing import Final

from ..domain.space import Space
from .ports import Cursor, SpaceStore

PAGE: Final = 200


def every_live(spaces: SpaceStore) -> Iterator[Space]:
    """Yield each, as it was read with its page; those started last come first."""
    after: Cursor | None = None
    while True:
        page = spaces.live(limit=PAGE, after=after)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]
        after = Cursor(last.started_at or last.created_at, last.id)
