"""What goes in and out as JSON about requests to speak, invites and reports."""

from typing import Annotated, Literal

from pydantic import Field

from spaces_contract.roles import Role

from ..domain.invite import Invite
from ..domain.participant import Participant
from ..domain.report import MAX_COMMENT_CHARS, Report, ReportReason
from ..domain.space import MAX_TITLE_CHARS, MAX_TOPIC_CHARS, MAX_TOPICS, SpeakerPolicy
from ..domain.states import InviteState, RequestState
from .schemas import (
    GIVEN,
    Answer,
    Instant,
    Request,
    SpaceView,
    StartTime,
    Uid,
)
from .text_fields import Line, SomeLine

MAX_INVITEES = 10  # in one call


class SpacePatch(Request):
    """
    A change to a Space; what is not named stays.

    Null removes title, topics and language.  Policy and time cannot be removed: a
    Space that is not to take place is called off (DELETE).
    """

    title: Line | None = Field(default=None, max_length=MAX_TITLE_CHARS)
    topics: list[Annotated[SomeLine, Field(max_length=MAX_TOPIC_CHARS)]] | None = Field(
        default=None, max_length=MAX_TOPICS
    )
    lang: str | None = Field(
        default=None, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
    )
    speaker_policy: Annotated[SpeakerPolicy | None, *GIVEN] = None
    scheduled_start: Annotated[StartTime | None, *GIVEN] = None


class PersonView(Answer):
    """Somebody, by name."""

    uid: str
    handle: str
    display_name: str


class SpeakRequestView(Answer):
    """Somebody's wish to speak, and what became of it."""

    uid: str
    handle: str
    display_name: str
    state: RequestState | None
    requested_at: Instant | None

    @classmethod
    def of(cls, member: Participant) -> "SpeakRequestView":
        """Return the request of `member`."""
        return cls(
            uid=member.user_id,
            handle=member.handle,
            display_name=member.display_name,
            state=member.speak_request,
            requested_at=member.requested_at,
        )


class SpeakRequestsView(Answer):
    """A page of pending requests, who asked first first."""

    speak_requests: list[SpeakRequestView]
    next_page_token: str | None


class InvitesBody(Request):
    """Whom to invite, and to what."""

    user_ids: list[Uid] = Field(min_length=1, max_length=MAX_INVITEES)
    role: Literal[Role.SPEAKER, Role.CO_HOST, Role.LISTENER] = Role.SPEAKER


class InviteView(Answer):
    """One person's invite to one Space."""

    uid: str
    handle: str
    display_name: str
    role: Role
    state: InviteState
    invited_by: PersonView
    created_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, invite: Invite) -> "InviteView":
        """Return `invite`."""
        return cls(
            uid=invite.user_id,
            handle=invite.handle,
            display_name=invite.display_name,
            role=invite.role,
            state=invite.state,
            invited_by=PersonView(
                uid=invite.inviter_id,
                handle=invite.inviter_handle,
                display_name=invite.inviter_display_name,
            ),
            created_at=invite.created_at,
            expires_at=invite.expires_at,
        )


class SentView(Answer):
    """All invites that one call asked for."""

    invites: list[InviteView]


class InvitesView(Answer):
    """A page of unanswered invites, the oldest first."""

    invites: list[InviteView]
    next_page_token: str | None


class MessageView(Answer):
    """A message in somebody's inbox: an invite, with the Space as it is now."""

    kind: Literal["invite"] = "invite"
    role: Role
    state: InviteState
    invited_by: PersonView
    space: SpaceView
    url: str
    created_at: Instant
    expires_at: Instant


class InboxView(Answer):
    """A page of messages, the newest first."""

    messages: list[MessageView]
    next_page_token: str | None


class ReportBody(Request):
    """What is wrong; without `user_id` it is about the whole Space."""

    reason: ReportReason
    user_id: Uid | None = None
    comment: Annotated[str, Field(max_length=MAX_COMMENT_CHARS)] = ""


class ReportView(Answer):
    """A report as its author may see it."""

    id: str
    reason: ReportReason
    created_at: Instant

    @classmethod
    def of(cls, report: Report) -> "ReportView":
        """Return `report`."""
        return cls(id=report.id, reason=report.reason, created_at=report.created_at)
