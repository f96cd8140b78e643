"""What goes in and out as JSON."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from spaces_contract.ids import HANDLE_PATTERN, USER_ID_PATTERN
from spaces_contract.recording import RecordingState
from spaces_contract.roles import Role
from spaces_contract.timestamps import rfc3339

from ..domain.notice import Notice
from ..domain.participant import Participant
from ..domain.profile import Profile
from ..domain.space import (
    MAX_TITLE_CHARS,
    MAX_TOPIC_CHARS,
    MAX_TOPICS,
    Space,
    SpeakerPolicy,
)
from ..domain.states import RequestState, SpaceState
from .text_fields import Line, SomeLine, described


def _shaped(pattern: re.Pattern[str]) -> tuple[AfterValidator, WithJsonSchema]:
    # Not `Field(pattern=…)`: pydantic's own engine knows no look-ahead.
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"must match {pattern.pattern}")
        return text

    schema = {"type": "string", "pattern": f"^{pattern.pattern}$"}
    return AfterValidator(check), WithJsonSchema(schema)


def _whole_second(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:  # of the first or the last year
        raise ValueError("must be a time that there is in UTC") from None


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("cannot be removed: leave it out, or name another")
    return value


def _without_null(schema: JsonDict) -> None:
    """Say of a field that may be missing only what it is where it is there."""
    branches = schema.pop("anyOf")
    if isinstance(branches, list):
        wanted = (each for each in branches if isinstance(each, dict))
        schema.update(next(each for each in wanted if each.get("type") != "null"))
    del schema["default"]


def _whole(value: Any) -> Any:
    """Take 1.0 for 1, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Of a field that may be missing: missing is None, null would look like a removal.
GIVEN = (AfterValidator(_given), Field(json_schema_extra=_without_null))
Whole = BeforeValidator(_whole)
PageToken = Annotated[str, Field(max_length=512), described(format="page-token")]
StartTime = Annotated[AwareDatetime, AfterValidator(_whole_second)]
Uid = Annotated[str, *_shaped(USER_ID_PATTERN)]
Handle = Annotated[str, *_shaped(HANDLE_PATTERN)]
Instant = Annotated[datetime, PlainSerializer(rfc3339, when_used="json")]


class Request(BaseModel):
    """Comes from outside: no unknown fields, no conversions."""

    # Deferred: a cold start needs few of all validators.
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True
    )


class Answer(BaseModel):
    """Goes outside."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class PageQuery(Request):
    """Which part of a list; the first without a token, or with an empty one."""

    page_size: int = Field(default=20, ge=1, le=100)
    page_token: Annotated[PageToken | None, *GIVEN] = None


class ProfileBody(Request):
    """A person's account, as they would have it."""

    handle: Handle
    display_name: SomeLine = Field(max_length=50)
    protected: bool = False


class ProfileView(Answer):
    """A person's own account."""

    uid: str
    handle: str
    display_name: str
    protected: bool
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, profile: Profile) -> "ProfileView":
        """Return `profile` as its owner sees it."""
        return cls(
            uid=profile.user_id,
            handle=profile.handle,
            display_name=profile.display_name,
            protected=profile.protected,
            created_at=profile.created_at,
            updated_at=profile.updated_at,
        )


class SpaceBody(Request):
    """A Space to open."""

    title: Line | None = Field(default=None, max_length=MAX_TITLE_CHARS)
    topics: list[Annotated[SomeLine, Field(max_length=MAX_TOPIC_CHARS)]] = Field(
        default_factory=list, max_length=MAX_TOPICS
    )
    lang: str | None = Field(
        default=None, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
    )
    speaker_policy: SpeakerPolicy = SpeakerPolicy.INVITED
    scheduled_start: StartTime | None = None


class HostView(Answer):
    """Who hosts."""

    uid: str
    handle: str
    display_name: str


class SpaceView(Answer):
    """A Space, as everybody may see it."""

    id: str
    state: SpaceState
    title: str | None
    topics: list[str]
    lang: str | None
    speaker_policy: SpeakerPolicy
    creator_id: str
    host: HostView
    host_ids: list[str]
    speaker_ids: list[str]
    invited_user_ids: list[str]
    scheduled_start: Instant | None
    started_at: Instant | None
    ended_at: Instant | None
    end_reason: str | None
    created_at: Instant
    updated_at: Instant
    participant_count: int
    subscriber_count: int
    schedule_version: int
    epoch: int
    acting_host_id: str | None
    host_away: bool
    recording_state: RecordingState
    url: str

    @classmethod
    def of(cls, space: Space, public_url: str) -> "SpaceView":
        """Return `space`, with its page below `public_url`."""
        return cls(
            id=space.id,
            state=space.state,
            title=space.title,
            topics=list(space.topics),
            lang=space.lang,
            speaker_policy=space.speaker_policy,
            creator_id=space.creator_id,
            host=HostView(
                uid=space.creator_id,
                handle=space.host_handle,
                display_name=space.host_display_name,
            ),
            host_ids=list(space.host_ids),
            speaker_ids=list(space.speaker_ids),
            invited_user_ids=list(space.invited_user_ids),
            scheduled_start=space.scheduled_start,
            started_at=space.started_at,
            ended_at=space.ended_at,
            end_reason=space.end_reason,
            created_at=space.created_at,
            updated_at=space.updated_at,
            participant_count=space.participant_count,
            subscriber_count=space.subscriber_count,
            schedule_version=space.schedule_version,
            epoch=space.epoch,
            acting_host_id=space.host_presence.acting_host_id,
            host_away=space.host_away,
            recording_state=space.recording_state,
            url=f"{public_url}/s/{space.id}",
        )


class SpacesView(Answer):
    """A page of Spaces."""

    spaces: list[SpaceView]
    next_page_token: str | None


class JoinBody(Request):
    """How to take part; anonymity is for listeners."""

    role: Literal["speaker", "listener"] = "listener"
    anonymous: bool = False
    recording_notice: str | None = Field(
        default=None,
        max_length=64,
        description="Version of the notice that was shown, where it is recorded",
    )


class NoticeView(Answer):
    """The notice, in the nearest language to what the client asked for."""

    version: str
    lang: str
    title: str
    points: list[str]

    @classmethod
    def of(cls, notice: Notice) -> "NoticeView":
        """Return `notice`."""
        return cls(
            version=notice.version,
            lang=notice.lang,
            title=notice.title,
            points=list(notice.points),
        )


class IceServerView(Answer):
    """A STUN or TURN server, in the words of WebRTC's RTCIceServer."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class JoinedView(Answer):
    """All that a client needs to take part."""

    space: SpaceView
    uid: str
    role: Role
    muted: bool
    epoch: int
    grant: str
    grant_expires_at: Instant
    whip_url: str | None
    whep_url: str | None
    ice_servers: list[IceServerView]
    room_url: str
    hls_url: str | None
    key_period_s: int
    recording_notice: NoticeView | None
    blocked_on_stage: bool


class MembershipView(Answer):
    """
    What the caller is in this Space, and what became of their wishes.

    `leads`: may end it and appoint co-hosts, as its host does, or the co-host who acts
    for one who is gone.  `subscribed`: is told when it starts.
    """

    role: Role
    muted: bool
    removed: bool
    on_stage: bool
    leads: bool
    subscribed: bool
    speak_request: RequestState | None
    epoch: int
    state: SpaceState


class ParticipantView(Answer):
    """A person in a Space, as others see them."""

    uid: str
    handle: str
    display_name: str
    role: Role
    muted: bool
    removed: bool
    joined_at: Instant

    @classmethod
    def of(cls, member: Participant) -> "ParticipantView":
        """Return `member`."""
        return cls(
            uid=member.user_id,
            handle=member.handle,
            display_name=member.display_name,
            role=member.role,
            muted=member.muted,
            removed=member.removed,
            joined_at=member.joined_at,
        )


class ParticipantsView(Answer):
    """A page of people in a Space."""

    participants: list[ParticipantView]
    next_page_token: str | None


class ParticipantBody(Request):
    """A change to one participant; what is not named stays."""

    role: Annotated[
        Literal[Role.CO_HOST, Role.SPEAKER, Role.LISTENER] | None, *GIVEN
    ] = None
    muted: Annotated[bool | None, *GIVEN] = None
    removed: Annotated[bool | None, *GIVEN] = None

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    def model_post_init(self, context: Any, /) -> None:
        """Refuse a change of nothing."""
        if self.role is None and self.muted is None and self.removed is None:
            raise ValueError("name at least one of role, muted, removed")
