"""Whom somebody follows and blocks, who follows them, and whom they may look up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import UserId

from ..domain.profile import Profile
from .discovery_ports import PeopleFinder, Related
from .ports import Cursor

COUNTED: Final = 10_000  # followers; beyond, "that many or more" is all that is said


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSearchService:
    """Use cases of whoever looks for people."""

    people: PeopleFinder

    def followed(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Return whom they follow, the latest first."""
        return self.people.followed(user_id, limit=limit, after=after)

    def blocked(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Return whom they have blocked, the latest first."""
        return self.people.blocked(user_id, limit=limit, after=after)

    def followers(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Return who follows them, the latest first."""
        return self.people.followers(user_id, limit=limit, after=after)

    def count_followers(self, user_id: UserId) -> int:
        """Return how many follow them; `COUNTED` stands for that many or more."""
        return self.people.count_followers(user_id, at_most=COUNTED)

    def search(
        self, beginning: str, *, actor_id: UserId, limit: int
    ) -> Sequence[Profile]:
        """
        Return people whose handle begins so, by handle.

        Neither the caller, nor whom they blocked, nor who blocked them: they could not
        be invited.  So there may be fewer than `limit`.
        """
        found = self.people.with_handle(beginning, limit=limit)
        others = [each for each in found if each.user_id != actor_id]
        apart = self.people.apart(actor_id, [each.user_id for each in others])
        return [each for each in others if each.user_id not in apart]
