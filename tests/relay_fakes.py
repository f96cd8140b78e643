"""Doubles of what placing relays needs."""

from collections.abc import Callable
from dataclasses import replace

from spaces.domain.relays import RelayBook, RelayPlan
from spaces_contract.ids import SpaceId


class MemoryRelayStore:
    """`RelayStore` in memory; decides twice, as a transaction may."""

    def __init__(self) -> None:
        self.books: dict[SpaceId, RelayBook] = {}
        self.forwards: dict[tuple[SpaceId, int], str] = {}

    def plan(
        self,
        space_id: SpaceId,
        decide: Callable[[RelayBook | None], RelayPlan],
        forward_for: Callable[[int], str],
    ) -> RelayPlan:
        decide(self.books.get(space_id))
        planned = decide(self.books.get(space_id))
        self.books[space_id] = planned.book
        if planned.place is not None:
            self.forwards[space_id, planned.place] = forward_for(planned.place)
        return planned

    def launched(self, space_id: SpaceId, epoch: int, index: int, ref: str) -> None:
        book = self.books.get(space_id)
        if book is None or book.epoch != epoch or index not in book.placed:
            return
        known = replace(book.placed[index], ref=ref)
        self.books[space_id] = replace(book, placed={**book.placed, index: known})
