"""Whether what one person is to be told is still true, and whose doing it was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingState

from ..domain import personal
from ..domain.announcement import Announcement, AnnouncementKind
from ..domain.recording_states import OPEN
from ..domain.space import Space
from .ports import MemberStore
from .stage_ports import InviteStore

# What is told of a recording is news while it is in one of these states.
_RECORDED: Final = {
    AnnouncementKind.RECORDING_ASKED: OPEN,
    AnnouncementKind.RECORDING_READY: frozenset({RecordingState.READY}),
    AnnouncementKind.RECORDING_SUPERSEDED: frozenset(
        {RecordingState.FINISHING, RecordingState.READY}
    ),
    AnnouncementKind.RECORDING_ERASED: frozenset({RecordingState.ERASED}),
    AnnouncementKind.RECORDING_FAILED: frozenset({RecordingState.FAILED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalNews:
    """Looks at the invite, or at the seat, that an announcement is about."""

    invites: InviteStore
    members: MemberStore

    def by(
        self,
        announcement: Announcement,
        user_id: UserId,
        space: Space,
        *,
        now: datetime,
    ) -> str | None:
        """Return the name of who invites or hosts; None where it is true no more."""
        if announcement.kind in _RECORDED:
            there = space.recording_state in _RECORDED[announcement.kind]
            return space.host_display_name if there else None
        if announcement.kind is AnnouncementKind.ON_STAGE:
            _, member = self.members.get(announcement.space_id, user_id)
            there = personal.is_on_stage(announcement, member)
            return space.host_display_name if there else None
        invite = self.invites.get(announcement.space_id, user_id)
        if invite is None or not personal.is_invited(
            announcement, invite, space, now=now
        ):
            return None
        return invite.inviter_display_name
