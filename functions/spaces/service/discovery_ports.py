"""What finding Spaces and people needs from the outside, as interfaces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from spaces_contract.ids import SpaceId, UserId

from ..domain.feed import Place, Section
from ..domain.profile import Profile
from ..domain.space import Space
from .ports import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """
    Which Spaces, in which order.

    Args:
        section: LIVE, STARTED or SCHEDULED: says state and order.
        term: One of their search terms; None: any.
        host_id: Whose; None: anybody's.
        not_before: Of SCHEDULED ones; those of before are forgotten, not waiting.
    """

    section: Section
    term: str | None = None
    host_id: UserId | None = None
    not_before: datetime | None = None


class SpaceFinder(Protocol):
    """Spaces by what they have in common."""

    def listed(
        self, listing: Listing, *, limit: int, after: Place | None
    ) -> Sequence[Space]:
        """Return the first `limit` of a listing, behind `after`."""
        ...

    def live_with(self, user_ids: Collection[UserId]) -> Sequence[Space]:
        """Return each live Space that has one of these people on stage, once."""
        ...

    def get_many(self, space_ids: Sequence[SpaceId]) -> Mapping[SpaceId, Space]:
        """Return those that there are."""
        ...

    def count_live(
        self, host_id: UserId, *, started_before: datetime, at_most: int
    ) -> int:
        """
        Return how many live Spaces this person hosts that went live before a time,
        counted up to `at_most`.
        """
        ...

    def hosted_by(self, numbers: Collection[int], *, limit: int) -> Sequence[Space]:
        """Return live and scheduled Spaces of the hosts with these numbers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """
    Somebody, and since when they are followed, blocked, or follow.

    Args:
        profile: None of somebody who has none any more.
    """

    user_id: UserId
    since: datetime
    profile: Profile | None


class PeopleFinder(Protocol):
    """People by their names, and by what they are to somebody."""

    def following(self, user_id: UserId) -> frozenset[UserId]:
        """Return everybody whom they follow; one read, however many."""
        ...

    def apart(self, user_id: UserId, others: Collection[UserId]) -> frozenset[UserId]:
        """Return those of `others` who have blocked this person, or are blocked."""
        ...

    def followed(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Return whom they follow, the latest first."""
        ...

    def followers(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Return who follows them, the latest first."""
        ...

    def blocked(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Return whom they have blocked, the latest first."""
        ...

    def count_followers(self, user_id: UserId, *, at_most: int) -> int:
        """Return how many follow them, counted up to `at_most`."""
        ...

    def with_handle(self, beginning: str, *, limit: int) -> Sequence[Profile]:
        """Return people whose handle begins so, by handle; case does not matter."""
        ...

    def profiles(self, user_ids: Collection[UserId]) -> Mapping[UserId, Profile]:
        """Return the accounts of those who have one."""
        ...
