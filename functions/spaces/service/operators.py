"""What operators and the host app's own server do, beside all rules for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import report as reports
from ..domain import suspension
from ..domain.profile import Profile
from ..domain.relation import shut_out
from ..domain.report import Report
from ..domain.space import Space
from .live_spaces import every_live
from .membership import everywhere
from .operators_ports import ReportDesk, SuspensionStore
from .ports import (
    Clock,
    Cursor,
    EffectQueue,
    GrantSigner,
    MemberStore,
    ProfileStore,
    SpaceStore,
)
from .suspended import SuspendedPeople

LATEST: Final = 100  # Spaces; whoever came to more since is in no older one any more


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorService:
    """Use cases of operators; who they are was checked before."""

    spaces: SpaceStore
    members: MemberStore
    profiles: ProfileStore
    grants: GrantSigner
    suspensions: SuspensionStore
    suspended: SuspendedPeople
    desk: ReportDesk
    effects: EffectQueue
    now: Clock

    def close_space(self, space_id: SpaceId) -> Space:
        """End a live Space, call off a scheduled one; raises SpaceNotFound."""
        now = self.now()
        decision = self.spaces.update(
            space_id, lambda space: suspension.closed(space, now=now)
        )
        for effect in decision.effects:
            self.effects.release(effect)
        return decision.space

    def suspend(self, user_id: UserId) -> None:
        """
        Shut somebody out: their calls are refused, their Spaces closed, and they are
        removed from those of others; again is harmless.

        An anonymous listener is in no list, so that it takes one write in every live
        Space: where they are seen comes first, and all the others after.

        Raises:
            ListFull, DependencyUnavailable, Contended: to be asked for again.
        """
        self.suspensions.add(user_id)
        self.suspended.forget()
        for space_id in self.suspensions.open_hosted(user_id):
            self.close_space(space_id)
        person = self.profiles.get(user_id)
        if person is None:  # without an account nobody is let in anywhere
            return
        seen = self.suspensions.present_in(user_id, limit=LATEST)
        for space_id in seen:
            self._remove(person, space_id)
        for space in every_live(self.spaces):
            if space.id not in seen:
                self._remove(person, space.id)

    def _remove(self, person: Profile, space_id: SpaceId) -> None:
        now = self.now()
        self.members.update(
            space_id,
            person.user_id,
            lambda space, member: everywhere(
                shut_out(space, member, person, now=now), self.grants
            ),
        )

    def unsuspend(self, user_id: UserId) -> None:
        """Let them act again; whoever was removed is not let back by it."""
        self.suspensions.remove(user_id)
        self.suspended.forget()

    def reports(
        self, *, is_open: bool, limit: int, after: Cursor | None
    ) -> Sequence[Report]:
        """Return reports, the oldest first."""
        return self.desk.page(is_open=is_open, limit=limit, after=after)

    def resolve(self, report_id: str, note: str) -> Report:
        """
        Close a report with a note; again with the same note is harmless.

        Raises:
            ReportNotFound.
            ReportClosed: with another note already.
        """
        now = self.now()
        return self.desk.resolve(
            report_id, lambda report: reports.resolve(report, note, now=now)
        )
