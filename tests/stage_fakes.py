"""Doubles of the stage's ports: requests, invites and reports in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from spaces.domain.effects import ShutOut
from spaces.domain.errors import DependencyUnavailable, ReportNotFound
from spaces.domain.invite import OPEN, Invite, InviteDecision, Invitee
from spaces.domain.participant import Participant
from spaces.domain.report import Report, Resolution
from spaces.domain.states import InviteState, RequestState
from spaces.service.ports import Cursor
from spaces.service.stage_ports import Answer, MuteAll, Received, Send
from spaces_contract.ids import SpaceId, UserId
from tests.fakes import MemoryDatabase, rerun


class MemoryStageStore:
    """`StageStore` in memory; runs `decide` twice."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def asking(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        def key(member: Participant) -> tuple[datetime, str]:
            return member.requested_at or member.joined_at, member.user_id

        found = [
            member
            for (found_in, _), member in self._db.members.items()
            if found_in == space_id and member.speak_request is RequestState.PENDING
        ]
        return [
            member
            for member in sorted(found, key=key)
            if after is None or key(member) > (after.at, after.id)
        ][:limit]

    def update_speakers(self, space_id: SpaceId, decide: MuteAll) -> None:
        space = self._db.space(space_id)
        speakers = [
            self._db.members[space_id, uid]
            for uid in space.speaker_ids
            if (space_id, uid) in self._db.members
        ]
        for before, after in zip(
            speakers, rerun(lambda: decide(space, speakers)), strict=True
        ):
            if after != before:
                self._db.put_member(space_id, after)


class MemoryInviteStore:
    """`InviteStore` in memory; runs `decide` twice."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database
        self._invites: dict[tuple[SpaceId, UserId], Invite] = {}

    def send(
        self,
        space_id: SpaceId,
        user_ids: Sequence[UserId],
        decide: Send,
        *,
        actor_id: UserId,
    ) -> Sequence[Invite]:
        space = self._db.space(space_id)
        known = tuple(
            Invitee(
                profile=self._db.profiles.get(uid),
                member=self._db.members.get((space_id, uid)),
                invite=self._invites.get((space_id, uid)),
                blocked=(space.creator_id, uid) in self._db.blocks
                or (uid, actor_id) in self._db.blocks,
            )
            for uid in user_ids
        )
        inviter = self._db.profiles.get(actor_id)
        decision = rerun(lambda: decide(space, inviter, known))
        for invite in decision.invites:
            self._put(invite)
        if decision.space != space:
            self._db.put_space(decision.space)
        return decision.invites

    def get(self, space_id: SpaceId, user_id: UserId) -> Invite | None:
        return self._invites.get((space_id, user_id))

    def update(
        self, space_id: SpaceId, user_id: UserId, decide: Answer
    ) -> InviteDecision:
        space = self._db.space(space_id)
        member = self._db.members.get((space_id, user_id))
        invite = self._invites.get((space_id, user_id))
        decision = rerun(lambda: decide(space, member, invite))
        if decision.space != space:
            self._db.put_space(decision.space)
        if decision.member is not None and decision.member != member:
            self._db.put_member(space_id, decision.member)
        if decision.invite is not None:
            self._put(decision.invite)
        return decision

    def pending(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Invite]:
        def key(invite: Invite) -> tuple[datetime, str]:
            return invite.created_at, invite.user_id

        found = [
            invite
            for (found_in, _), invite in self._invites.items()
            if found_in == space_id and invite.state is InviteState.PENDING
        ]
        return [
            invite
            for invite in sorted(found, key=key)
            if after is None or key(invite) > (after.at, after.id)
        ][:limit]

    def received(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Received]:
        def key(invite: Invite) -> tuple[datetime, str]:
            return invite.created_at, invite.space_id

        found = [invite for (_, uid), invite in self._invites.items() if uid == user_id]
        return [
            Received(invite, self._db.space(invite.space_id))
            for invite in sorted(found, key=key, reverse=True)
            if after is None or key(invite) < (after.at, after.id)
        ][:limit]

    def _put(self, invite: Invite) -> None:
        self._invites[invite.space_id, invite.user_id] = invite


class MemoryReportStore:
    """`ReportStore` and `ReportDesk` in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database
        self.reports: dict[str, Report] = {}

    def put(self, report: Report) -> None:
        self._db.space(report.space_id)
        self.reports.setdefault(report.id, report)

    def page(
        self, *, is_open: bool, limit: int, after: Cursor | None
    ) -> Sequence[Report]:
        def key(report: Report) -> tuple[datetime, str]:
            return report.created_at, report.id

        return [
            report
            for report in sorted(self.reports.values(), key=key)
            if (report.resolution is None) is is_open
            and (after is None or key(report) > (after.at, after.id))
        ][:limit]

    def resolve(
        self, report_id: str, decide: Callable[[Report], Resolution | None]
    ) -> Report:
        if report_id not in self.reports:
            raise ReportNotFound
        report = self.reports[report_id]
        resolution = rerun(lambda: decide(report))
        if resolution is not None:
            self.reports[report_id] = replace(report, resolution=resolution)
        return self.reports[report_id]


class MemorySuspensionStore:
    """`SuspensionStore` in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database
        self.suspended: frozenset[UserId] = frozenset()
        self.reads = 0
        self.down = False

    def all(self) -> frozenset[UserId]:
        self.reads += 1
        if self.down:
            raise DependencyUnavailable
        return self.suspended

    def add(self, effect: ShutOut) -> None:
        self.suspended |= {effect.user_id}
        self._db.outbox[effect.name] = (effect, effect.at)

    def remove(self, user_id: UserId) -> None:
        self.suspended -= {user_id}

    def open_hosted(self, user_id: UserId) -> Sequence[SpaceId]:
        return [
            space.id
            for space in self._db.spaces.values()
            if space.creator_id == user_id and space.state in OPEN
        ]

    def present_in(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        return [
            space_id
            for (space_id, uid), member in self._db.members.items()
            if uid == user_id and member.left_at is None and not member.removed
        ][:limit]
