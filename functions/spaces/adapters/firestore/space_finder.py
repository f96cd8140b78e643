"""Spaces by what they have in common, in Firestore."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from google.cloud import firestore
from google.cloud.firestore import FieldFilter, Query

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.feed import Place, Section, instant_of
from ...domain.space import Space
from ...domain.states import SpaceState
from ...service.discovery_ports import Listing
from .client import dependency_errors
from .spaces import read_space

T = TypeVar("T")

MAX_DISJUNCTS: Final = 30  # of one query, all its `in` multiplied
FOUND_STATES: Final = (SpaceState.LIVE.value, SpaceState.SCHEDULED.value)
# Section -> state, field, direction.
ORDERS: Final = {
    Section.LIVE: (SpaceState.LIVE, "participant_count", Query.DESCENDING),
    Section.STARTED: (SpaceState.LIVE, "started_at", Query.DESCENDING),
    Section.SCHEDULED: (SpaceState.SCHEDULED, "scheduled_start", Query.ASCENDING),
}


class FirestoreSpaceFinder:
    """`SpaceFinder` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def listed(
        self, listing: Listing, *, limit: int, after: Place | None
    ) -> Sequence[Space]:
        """Run one query on a composite index; see `SpaceFinder`."""
        _, field, direction = ORDERS[listing.section]
        query = (
            self._filtered(listing)
            .order_by(field, direction=direction)
            .order_by("__name__", direction=direction)
            .limit(limit)
        )
        if after is not None:
            counted = listing.section is Section.LIVE
            query = query.start_after(
                {
                    field: after.value if counted else instant_of(after.value),
                    "__name__": self._client.document(paths.space(SpaceId(after.id))),
                }
            )
        with dependency_errors():
            return _read(query)

    def live_with(self, user_ids: Collection[UserId]) -> Sequence[Space]:
        """Query for 30 people at a time; see `SpaceFinder`."""
        live = self._spaces().where(
            filter=FieldFilter("state", "==", SpaceState.LIVE.value)
        )
        found: dict[SpaceId, Space] = {}
        with dependency_errors():
            for some in _batches(sorted(user_ids), MAX_DISJUNCTS):
                on_stage = FieldFilter("stage_ids", "array_contains_any", some)
                found |= {each.id: each for each in _read(live.where(filter=on_stage))}
        return list(found.values())

    def get_many(self, space_ids: Sequence[SpaceId]) -> Mapping[SpaceId, Space]:
        """Read them in one RPC; see `SpaceFinder`."""
        refs = [self._client.document(paths.space(each)) for each in space_ids]
        with dependency_errors():
            found = list(self._client.get_all(refs)) if refs else []
        spaces = [read_space(doc) for doc in found if doc.exists]
        return {space.id: space for space in spaces}

    def count_live(
        self, host_id: UserId, *, started_before: datetime, at_most: int
    ) -> int:
        """Aggregate, which reads no document; see `SpaceFinder`."""
        live = FieldFilter("state", "==", SpaceState.LIVE.value)
        older = FieldFilter("started_at", "<", started_before)
        query = self._spaces().where(filter=FieldFilter("creator_id", "==", host_id))
        query = query.where(filter=live).where(filter=older)
        with dependency_errors():
            counted = query.limit(at_most).count().get()
        return int(counted[0][0].value)

    def hosted_by(self, numbers: Collection[int], *, limit: int) -> Sequence[Space]:
        """Query for 15 hosts at a time, in two states each; see `SpaceFinder`."""
        states = FieldFilter("state", "in", list(FOUND_STATES))
        found: list[Space] = []
        with dependency_errors():
            for some in _batches(sorted(numbers), MAX_DISJUNCTS // len(FOUND_STATES)):
                hosts = FieldFilter("creator_number", "in", some)
                query = self._spaces().where(filter=hosts).where(filter=states)
                found += _read(query.limit(limit))
        return found

    def _filtered(self, listing: Listing) -> Any:
        state, field, _ = ORDERS[listing.section]
        query = self._spaces().where(filter=FieldFilter("state", "==", state.value))
        if listing.term is not None:
            term = FieldFilter("search_terms", "array_contains", listing.term)
            query = query.where(filter=term)
        if listing.host_id is not None:
            query = query.where(filter=FieldFilter("creator_id", "==", listing.host_id))
        if listing.not_before is not None:
            query = query.where(filter=FieldFilter(field, ">=", listing.not_before))
        return query

    def _spaces(self) -> Any:
        return self._client.collection(paths.SPACES)


def _read(query: Any) -> list[Space]:
    return [read_space(doc) for doc in query.stream()]


def _batches(values: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
