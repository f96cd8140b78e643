"""What operators and the host app's own server do, beside all rules for people."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import report as reports
from ..domain import suspension
from ..domain.errors import AccountSuspended, Unavailable
from ..domain.report import Report
from ..domain.space import Space
from .membership import everywhere
from .operators_ports import ReportDesk, SuspensionStore
from .ports import Clock, Cursor, EffectQueue, GrantSigner, MemberStore, SpaceStore

KNOWN_FOR_S: Final = 30.0  # how long a suspension may take to reach every instance
LATEST: Final = 100  # Spaces; whoever came to more since is in no older one any more


@dataclass(slots=True)
class SuspendedPeople:
    """
    Who is suspended, as this instance last read it: no read for each call.

    One caller reads anew while the others go by what was known; where nothing can be
    read, all of them do.

    Args:
        monotonic: Seconds of a clock that never goes back.
    """

    store: SuspensionStore
    monotonic: Callable[[], float]
    _known: frozenset[UserId] | None = None
    _read_anew_at_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def must_not_have(self, user_id: UserId) -> None:
        """
        Return if they may act.

        Raises:
            AccountSuspended: the operator has shut them out.
            DependencyUnavailable: nobody ever knew whether.
        """
        if user_id in self._current():
            raise AccountSuspended

    def forget(self) -> None:
        """Read again before the next answer."""
        with self._lock:
            self._known = None

    def _current(self) -> frozenset[UserId]:
        with self._lock:
            known, now_s = self._known, self.monotonic()
            if known is not None and now_s < self._read_anew_at_s:
                return known
            self._read_anew_at_s = now_s + KNOWN_FOR_S
        # Without the lock: where the store is silent, nobody else waits for it.
        try:
            found = self.store.all()
        except Unavailable:
            if known is None:
                raise
            return known
        with self._lock:
            self._known = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorService:
    """Use cases of operators; who they are was checked before."""

    spaces: SpaceStore
    members: MemberStore
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

        An anonymous listener is in no list: they lose the sound with their Space, and
        are let into no other.

        Raises:
            ListFull, DependencyUnavailable, Contended.
        """
        now = self.now()
        self.suspensions.add(user_id)
        self.suspended.forget()
        for space_id in self.suspensions.open_hosted(user_id):
            self.close_space(space_id)
        for space_id in self.suspensions.present_in(user_id, limit=LATEST):
            self.members.update(
                space_id,
                user_id,
                lambda space, member: everywhere(
                    suspension.expelled(space, member, now=now), self.grants
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
