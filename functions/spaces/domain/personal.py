"""What one person is told by push: invited, brought on stage, asked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import Role

from .announcement import Announcement, AnnouncementKind
from .invite import Invite, state_of
from .participant import Participant
from .space import Space
from .states import InviteState, RequestState

INVITED_TO: Final[Mapping[Role, AnnouncementKind]] = MappingProxyType(
    {
        Role.SPEAKER: AnnouncementKind.INVITED_TO_SPEAK,
        Role.CO_HOST: AnnouncementKind.INVITED_TO_CO_HOST,
        Role.LISTENER: AnnouncementKind.INVITED_TO_LISTEN,
    }
)
THE_ONE: Final = 1  # a Space has one recording, and asks for it once
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def of_invite(invite: Invite) -> Announcement:
    """Return what the invited is told; the same for the same invite sent again."""
    return Announcement(
        invite.space_id,
        INVITED_TO[invite.role],
        _microseconds(invite.created_at),
        invite.user_id,
    )


def of_accepted(space_id: SpaceId, member: Participant) -> Announcement:
    """Return what somebody is told whose request to speak was accepted."""
    return Announcement(
        space_id,
        AnnouncementKind.ON_STAGE,
        _microseconds(member.requested_at or member.joined_at),
        member.user_id,
    )


def of_recording(space_id: SpaceId, user_id: UserId) -> Announcement:
    """Return what somebody on stage is told once of the one recording of a Space."""
    kind = AnnouncementKind.RECORDING_ASKED
    return Announcement(space_id, kind, THE_ONE, user_id)


def is_invited(
    announcement: Announcement, invite: Invite | None, space: Space, *, now: datetime
) -> bool:
    """Whether the invite that is told of is the latest one, and still unanswered."""
    return (
        invite is not None
        and of_invite(invite) == announcement
        and state_of(invite, space, now=now) is InviteState.PENDING
    )


def is_on_stage(announcement: Announcement, member: Participant | None) -> bool:
    """Whether they are on stage by the request that is told of."""
    return (
        member is not None
        and member.on_stage
        and member.speak_request is RequestState.ACCEPTED
        and of_accepted(announcement.space_id, member) == announcement
    )


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
