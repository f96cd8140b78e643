"""The X API v2's words for Spaces: what may be asked for, and what is answered."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from ..domain.search import MAX_QUERY_CHARS
from .schemas import GIVEN, Answer, Request

MAX_IDS: Final = 100
ID: Final = "[a-zA-Z0-9]{1,13}"
USER_ID: Final = "[0-9]{1,19}"
SPACE_FIELDS: Final = (
    "created_at",
    "creator_id",
    "ended_at",
    "host_ids",
    "id",
    "invited_user_ids",
    "is_ticketed",
    "lang",
    "participant_count",
    "scheduled_start",
    "speaker_ids",
    "started_at",
    "state",
    "subscriber_count",
    "title",
    "topic_ids",
    "updated_at",
)
USER_EXPANSIONS: Final = ("creator_id", "host_ids", "invited_user_ids", "speaker_ids")
EXPANSIONS: Final = (*USER_EXPANSIONS, "topic_ids")
TOPIC_FIELDS: Final = ("description", "id", "name")
# All of X's; of those that Parley does not know of anybody, none is answered.
USER_FIELDS: Final = (
    "created_at",
    "description",
    "entities",
    "id",
    "location",
    "most_recent_tweet_id",
    "name",
    "pinned_tweet_id",
    "profile_image_url",
    "protected",
    "public_metrics",
    "url",
    "username",
    "verified",
    "verified_type",
    "withheld",
)


def _some_of(names: Sequence[str]) -> Any:
    one = f"({'|'.join(names)})"
    return Field(pattern=f"^{one}(,{one})*$")


def _ids(shape: str) -> Any:
    return Field(pattern=rf"^{shape}(,{shape}){{0,{MAX_IDS - 1}}}$")


class XQuery(Request):
    """Which fields to answer; `id` and `state` always come."""

    space_fields: Annotated[Annotated[str, _some_of(SPACE_FIELDS)] | None, *GIVEN] = (
        None
    )
    expansions: Annotated[Annotated[str, _some_of(EXPANSIONS)] | None, *GIVEN] = None
    user_fields: Annotated[Annotated[str, _some_of(USER_FIELDS)] | None, *GIVEN] = None
    topic_fields: Annotated[Annotated[str, _some_of(TOPIC_FIELDS)] | None, *GIVEN] = (
        None
    )

    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_fields", ".fields")
    )


class XIdsQuery(XQuery):
    """Spaces by their ids, up to 100."""

    ids: Annotated[str, _ids(ID)]


class XCreatorsQuery(XQuery):
    """Spaces by their hosts' ids, up to 100."""

    user_ids: Annotated[str, _ids(USER_ID)]


class XSearchQuery(XQuery):
    """Spaces by words."""

    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]
    state: Literal["live", "scheduled", "all"] = "all"
    max_results: int = Field(default=100, ge=1, le=100)


class XSpace(Answer):
    """A Space; fields that were not asked for, or are empty, are missing."""

    id: str
    state: Literal["live", "scheduled", "ended"]  # X has no word for a cancelled one
    created_at: str | None = None
    creator_id: str | None = None
    ended_at: str | None = None
    host_ids: list[str] | None = None
    invited_user_ids: list[str] | None = None
    is_ticketed: bool | None = None
    lang: str | None = None
    participant_count: int | None = None
    scheduled_start: str | None = None
    speaker_ids: list[str] | None = None
    started_at: str | None = None
    subscriber_count: int | None = None
    title: str | None = None
    topic_ids: list[str] | None = None
    updated_at: str | None = None


class XUser(Answer):
    """A person: `id` is a number made from their uid, `username` their handle."""

    id: str
    name: str
    username: str
    created_at: str | None = None
    protected: bool | None = None
    verified: bool | None = None


class XTopic(Answer):
    """A topic: what the host called it."""

    id: str
    name: str | None = None
    description: str | None = None


class XIncludes(Answer):
    """Whoever and whatever `expansions` asked for."""

    users: list[XUser] | None = None
    topics: list[XTopic] | None = None


class XMeta(Answer):
    """How many Spaces there are in `data`."""

    result_count: int


class XError(Answer):
    """Something that was asked for and is not there; the rest is answered."""

    value: str
    detail: str
    title: str
    resource_type: str
    parameter: str
    resource_id: str
    type: str


class XSpaceAnswer(Answer):
    """One Space, or why there is none."""

    data: XSpace | None = None
    includes: XIncludes | None = None
    errors: list[XError] | None = None


class XSpacesAnswer(Answer):
    """Spaces, and what is missing of those that were asked for."""

    data: list[XSpace] | None = None
    includes: XIncludes | None = None
    errors: list[XError] | None = None
    meta: XMeta | None = None


class XParameterError(Answer):
    """What is wrong with which parameter."""

    parameters: dict[str, list[str]]
    message: str


class XInvalid(Answer):
    """The request cannot be understood; `errors` says why."""

    errors: list[XParameterError]
    title: str
    detail: str
    type: str
