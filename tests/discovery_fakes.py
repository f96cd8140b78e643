"""Doubles of the ports of discovery: Spaces and people found in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from spaces.domain.feed import Place, Section, micros, place_of
from spaces.domain.profile import Profile
from spaces.domain.public_numbers import number_of
from spaces.domain.search import terms_of
from spaces.domain.space import Space
from spaces.domain.states import SpaceState
from spaces.service.discovery_ports import Listing, Related
from spaces.service.ports import Cursor
from spaces_contract.ids import SpaceId, UserId
from tests.builders import NOW
from tests.fakes import MemoryDatabase

Pair = tuple[UserId, UserId]


class MemorySpaceFinder:
    """`SpaceFinder` in memory; counts the Spaces that it has read."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database
        self.reads = 0

    def listed(
        self, listing: Listing, *, limit: int, after: Place | None
    ) -> Sequence[Space]:
        descending = listing.section is not Section.SCHEDULED

        def key(place: Place) -> tuple[int, str]:
            return place.value, place.id

        placed = sorted(
            (
                (key(place_of(each, listing.section)), each)
                for each in self._db.spaces.values()
                if _fits(each, listing)
            ),
            key=lambda entry: entry[0],
            reverse=descending,
        )
        found = [
            space
            for at, space in placed
            if after is None or (at < key(after) if descending else at > key(after))
        ][:limit]
        self.reads += max(1, len(found))
        return found

    def live_with(self, user_ids: Collection[UserId]) -> Sequence[Space]:
        found = [
            each
            for each in self._db.spaces.values()
            if each.state is SpaceState.LIVE and set(user_ids) & set(each.stage_ids)
        ]
        self.reads += max(-(-len(user_ids) // 30), len(found))
        return found

    def get_many(self, space_ids: Sequence[SpaceId]) -> Mapping[SpaceId, Space]:
        return {
            uid: self._db.spaces[uid] for uid in space_ids if uid in self._db.spaces
        }

    def count_live(
        self, host_id: UserId, *, started_before: datetime, at_most: int
    ) -> int:
        live = [
            each
            for each in self._db.spaces.values()
            if each.creator_id == host_id
            and each.state is SpaceState.LIVE
            and each.started_at is not None
            and each.started_at < started_before
        ]
        return min(len(live), at_most)

    def hosted_by(self, numbers: Collection[int], *, limit: int) -> Sequence[Space]:
        return [
            each
            for each in self._db.spaces.values()
            if number_of(each.creator_id) in numbers
            and each.state in (SpaceState.LIVE, SpaceState.SCHEDULED)
        ][:limit]


def _fits(space: Space, listing: Listing) -> bool:
    waiting = listing.section is Section.SCHEDULED
    start = space.scheduled_start
    return (
        space.state is (SpaceState.SCHEDULED if waiting else SpaceState.LIVE)
        and (listing.host_id is None or space.creator_id == listing.host_id)
        and (not waiting or start is not None)
        and (
            listing.not_before is None
            or (start is not None and micros(start) >= micros(listing.not_before))
        )
        and (
            listing.term is None or listing.term in terms_of(space.title, space.topics)
        )
    )


class MemoryPeopleFinder:
    """`PeopleFinder` in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def following(self, user_id: UserId) -> frozenset[UserId]:
        return frozenset(
            other for follower, other in self._db.following if follower == user_id
        )

    def apart(self, user_id: UserId, others: Collection[UserId]) -> frozenset[UserId]:
        return frozenset(
            other
            for other in others
            if {(user_id, other), (other, user_id)} & self._db.blocks
        )

    def followed(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        own = [pair for pair in self._db.following if pair[0] == user_id]
        return self._page(own, lambda pair: pair[1], limit, after)

    def followers(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        own = [pair for pair in self._db.following if pair[1] == user_id]
        return self._page(own, lambda pair: pair[0], limit, after)

    def blocked(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        own = [pair for pair in self._db.blocks if pair[0] == user_id]
        return self._page(own, lambda pair: pair[1], limit, after)

    def count_followers(self, user_id: UserId, *, at_most: int) -> int:
        found = [pair for pair in self._db.following if pair[1] == user_id]
        return min(len(found), at_most)

    def with_handle(self, beginning: str, *, limit: int) -> Sequence[Profile]:
        found = sorted(self._db.profiles.values(), key=lambda each: each.handle_key)
        first = beginning.lower()
        return [each for each in found if each.handle_key.startswith(first)][:limit]

    def profiles(self, user_ids: Collection[UserId]) -> Mapping[UserId, Profile]:
        known = self._db.profiles
        return {uid: known[uid] for uid in user_ids if uid in known}

    def _page(
        self,
        pairs: Sequence[Pair],
        other_of: Callable[[Pair], UserId],
        limit: int,
        after: Cursor | None,
    ) -> Sequence[Related]:
        def key(pair: Pair) -> tuple[datetime, UserId]:
            return self._db.since.get(pair, NOW), other_of(pair)

        found = [
            pair
            for pair in sorted(pairs, key=key, reverse=True)
            if after is None or key(pair) < (after.at, after.id)
        ]
        return [
            Related(
                user_id=other_of(pair),
                since=key(pair)[0],
                profile=self._db.profiles.get(other_of(pair)),
            )
            for pair in found[:limit]
        ]
