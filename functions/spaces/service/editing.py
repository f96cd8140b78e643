"""Changing a Space's words and rules, calling it off, and complaining about it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from spaces_contract.ids import SpaceId, UserId

from ..domain import schedule
from ..domain import space_edit as rules
from ..domain.errors import StaleRevision
from ..domain.report import Report, ReportReason
from ..domain.space import Decision, Space
from ..domain.space_edit import SpaceEdit
from .ports import Clock, EffectQueue, SpaceStore
from .stage_ports import ReportStore


@dataclass(frozen=True, slots=True, kw_only=True)
class EditingService:
    """Use cases of hosts whose Space exists already."""

    spaces: SpaceStore
    effects: EffectQueue
    now: Clock

    def edit(
        self,
        space_id: SpaceId,
        change: SpaceEdit,
        *,
        actor_id: UserId,
        revision: str | None,
    ) -> Space:
        """
        Change a Space; at `revision` where given.

        Raises:
            SpaceNotFound, StaleRevision, and all that `space_edit.edit` does.
        """
        now = self.now()

        def decide(space: Space) -> Decision:
            _must_be_at(space, revision)
            return rules.edit(space, change, actor_id=actor_id, now=now)

        return self._carried_out(self.spaces.update(space_id, decide))

    def cancel(
        self, space_id: SpaceId, *, actor_id: UserId, revision: str | None
    ) -> None:
        """
        Call a Space off; at `revision` where given.

        Raises:
            SpaceNotFound, StaleRevision, and all that `schedule.cancel` does.
        """
        now = self.now()

        def decide(space: Space) -> Decision:
            _must_be_at(space, revision)
            return schedule.cancel(space, actor_id=actor_id, now=now)

        self._carried_out(self.spaces.update(space_id, decide))

    def _carried_out(self, decision: Decision) -> Space:
        for effect in decision.effects:
            self.effects.release(effect)
        return decision.space


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportService:
    """The use case of whoever meets something that should not be."""

    reports: ReportStore
    now: Clock
    new_token: Callable[[], str]

    def report(
        self,
        space_id: SpaceId,
        *,
        actor_id: UserId,
        user_id: UserId | None,
        reason: ReportReason,
        comment: str,
        key: str | None,
    ) -> Report:
        """
        Store a complaint; the same key stores it once.

        Raises:
            SpaceNotFound: there is no such Space.
        """
        named = f"{actor_id}:{space_id}:{key or self.new_token()}".encode()
        report = Report(
            id=hashlib.sha256(named).hexdigest()[:32],
            space_id=space_id,
            reporter_id=actor_id,
            user_id=user_id,
            reason=reason,
            comment=comment,
            created_at=self.now(),
        )
        self.reports.put(report)
        return report


def _must_be_at(space: Space, revision: str | None) -> None:
    if revision is not None and space.revision != revision:
        raise StaleRevision
