"""Spaces and people in the X API's form, as far as somebody asked for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.timestamps import rfc3339

from ..domain.profile import Profile
from ..domain.public_numbers import number_of
from ..domain.space import Space
from ..domain.states import SpaceState
from .x_schemas import (
    USER_EXPANSIONS,
    XError,
    XIncludes,
    XQuery,
    XSpace,
    XTopic,
    XUser,
)

PROBLEMS: Final = "https://api.twitter.com/2/problems"
STATES: Final = {
    SpaceState.SCHEDULED: "scheduled",
    SpaceState.LIVE: "live",
    SpaceState.ENDED: "ended",
    SpaceState.CANCELLED: "ended",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query asks to be answered."""

    space: frozenset[str]
    expansions: tuple[str, ...]
    user: frozenset[str]
    topic: frozenset[str]

    @classmethod
    def by(cls, query: XQuery) -> "Wanted":
        """Return what `query` asks for; a field that is expanded comes as well."""
        expansions = tuple(dict.fromkeys(_listed(query.expansions)))
        return cls(
            space=frozenset({"id", "state", *_listed(query.space_fields), *expansions}),
            expansions=expansions,
            user=frozenset({"id", "name", "username", *_listed(query.user_fields)}),
            topic=frozenset({"id", "name", *_listed(query.topic_fields)}),
        )

    def people(self, spaces: Iterable[Space]) -> dict[UserId, str]:
        """Return each person to include, with the field that names them first."""
        found: dict[UserId, str] = {}
        for space in spaces:
            for field in self.expansions:
                for uid in _people_in(space, field):
                    found.setdefault(uid, field)
        return found


def space_view(space: Space, wanted: Wanted) -> XSpace:
    """Return `space` with the wanted fields."""
    fields = {
        "id": space.id,
        "state": STATES[space.state],
        "created_at": rfc3339(space.created_at),
        "creator_id": str(number_of(space.creator_id)),
        "ended_at": _time(space.ended_at),
        "host_ids": _numbers(space.host_ids),
        "invited_user_ids": _numbers(space.invited_user_ids),
        "is_ticketed": False,
        "lang": space.lang,
        "participant_count": space.participant_count,
        "scheduled_start": _time(space.scheduled_start),
        "speaker_ids": _numbers(space.speaker_ids),
        "started_at": _time(space.started_at),
        "subscriber_count": space.subscriber_count,
        "title": space.title,
        "topic_ids": [_topic_id(topic) for topic in space.topics] or None,
        "updated_at": rfc3339(space.updated_at),
    }
    return XSpace.model_validate({name: fields[name] for name in wanted.space})


def includes(
    spaces: Sequence[Space], wanted: Wanted, profiles: Mapping[UserId, Profile]
) -> XIncludes | None:
    """Return whoever and whatever is to be expanded; None where there is nothing."""
    users = [
        _user(profiles[uid], wanted) for uid in wanted.people(spaces) if uid in profiles
    ]
    topics: list[XTopic] = []
    if "topic_ids" in wanted.expansions:
        names = dict.fromkeys(topic for space in spaces for topic in space.topics)
        topics = [_topic(name, wanted) for name in names]
    if not users and not topics:
        return None
    return XIncludes(users=users or None, topics=topics or None)


def missing_people(
    spaces: Sequence[Space], wanted: Wanted, profiles: Mapping[UserId, Profile]
) -> list[XError]:
    """Return an error for everybody to expand who has no account any more."""
    return [
        not_found("user", field, str(number_of(uid)))
        for uid, field in wanted.people(spaces).items()
        if uid not in profiles
    ]


def not_found(kind: str, parameter: str, value: str) -> XError:
    """Return X's error for something that is not there."""
    return XError(
        value=value,
        detail=f"Could not find {kind} with {parameter}: [{value}].",
        title="Not Found Error",
        resource_type=kind,
        parameter=parameter,
        resource_id=value,
        type=f"{PROBLEMS}/resource-not-found",
    )


def _user(profile: Profile, wanted: Wanted) -> XUser:
    fields = {
        "id": str(number_of(profile.user_id)),
        "name": profile.display_name,
        "username": profile.handle,
        "created_at": rfc3339(profile.created_at),
        "protected": profile.protected,
        "verified": False,
    }
    return XUser.model_validate(
        {name: fields[name] for name in wanted.user & fields.keys()}
    )


def _topic(name: str, wanted: Wanted) -> XTopic:
    fields = {"id": _topic_id(name), "name": name, "description": name}
    return XTopic.model_validate({field: fields[field] for field in wanted.topic})


def _topic_id(topic: str) -> str:
    return str(number_of(UserId(f"topic:{topic}")))  # a uid has no colon


def _people_in(space: Space, field: str) -> tuple[UserId, ...]:
    if field not in USER_EXPANSIONS:
        return ()
    if field == "creator_id":
        return (space.creator_id,)
    people: dict[str, tuple[UserId, ...]] = {
        "host_ids": space.host_ids,
        "speaker_ids": space.speaker_ids,
        "invited_user_ids": space.invited_user_ids,
    }
    return people[field]


def _numbers(user_ids: Sequence[UserId]) -> list[str] | None:
    return [str(number_of(uid)) for uid in user_ids] or None


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _listed(names: str | None) -> list[str]:
    return names.split(",") if names else []
