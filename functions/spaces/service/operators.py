"""What operators and the host app's own server do, beside all rules for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from spaces_contract.ids import SpaceId, UserId

from ..domain import report as reports
from ..domain.report import Report
from ..domain.space import Space
from .operators_ports import ReportDesk, SuspensionStore
from .ports import Clock, Cursor, EffectQueue, SpaceStore
from .shutting_out import close_space, first_round
from .suspended import SuspendedPeople


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorService:
    """Use cases of operators; who they are was checked before."""

    spaces: SpaceStore
    suspensions: SuspensionStore
    suspended: SuspendedPeople
    desk: ReportDesk
    effects: EffectQueue
    now: Clock

    def close_space(self, space_id: SpaceId) -> Space:
        """End a live Space, call off a scheduled one; raises SpaceNotFound."""
        return close_space(self.spaces, self.effects, space_id, self.now())

    def suspend(self, user_id: UserId) -> None:
        """
        Shut somebody out: their calls are refused, and soon their Spaces are closed
        and they are removed from those of others; again is harmless.

        Raises:
            ListFull, DependencyUnavailable, Contended: to be asked for again.
        """
        effect = first_round(user_id, self.now())
        self.suspensions.add(effect)
        self.suspended.forget()
        self.effects.release(effect)

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
