"""What is left of a person who erases their account: nothing that names them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId

from . import schedule
from . import space as spaces
from .invite import Invite
from .participant import Participant
from .space import Decision, EndReason, Space
from .states import SpaceState

# Stands where they stood.  No uid has a tilde, so that it is nobody's.
ERASED: Final = UserId("~erased")
ERASED_NAME: Final = "Deleted account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """
    What one Space knows of a person; each part is None where there is none.

    Args:
        invite: The latest one that they were sent.
    """

    space: Space
    member: Participant | None
    invite: Invite | None


def unhosted(space: Space, user_id: UserId, *, now: datetime) -> Decision:
    """
    End or call off a Space of `user_id`, and take their name off it.

    Its subscribers are told, as whenever a host calls a Space off.
    """
    match space.state:
        case SpaceState.LIVE:
            over = Decision(spaces.ended(space, EndReason.HOST_LEFT, now=now))
        case SpaceState.SCHEDULED:
            over = schedule.cancel(space, actor_id=user_id, now=now)
        case _:
            over = Decision(space)
    nameless = replace(
        without(over.space, user_id, now=now),
        creator_id=ERASED,
        host_ids=(ERASED, *over.space.host_ids[1:]),
        host_handle="",
        host_display_name=ERASED_NAME,
    )
    return Decision(nameless, effects=over.effects)


def without(space: Space, user_id: UserId, *, now: datetime) -> Space:
    """Return `space` with `user_id` in none of its lists but as its host."""
    host, *co_hosts = space.host_ids
    presence = space.host_presence
    if presence.acting_host_id == user_id:
        presence = replace(presence, acting_host_id=None)
    after = replace(
        space,
        host_presence=presence,
        host_ids=(host, *(uid for uid in co_hosts if uid != user_id)),
        speaker_ids=tuple(uid for uid in space.speaker_ids if uid != user_id),
        invited_user_ids=tuple(u for u in space.invited_user_ids if u != user_id),
    )
    return space if after == space else replace(after, updated_at=now)


def erased_from(traces: Traces, user_id: UserId, *, now: datetime) -> Traces:
    """
    Return what remains of a person in a Space that is another's.

    Whoever was removed from a live Space stays out of it: their document is kept, by
    its id, without a name.  So is what their anonymous sessions are called, or tokens
    that are older than the account's end would open what is closed.
    """
    member = traces.member
    banned = (
        member is not None and member.removed and traces.space.state is SpaceState.LIVE
    )
    return Traces(
        space=without(traces.space, user_id, now=now),
        member=_nameless(member, now) if member is not None and banned else None,
        invite=None,
    )


def _nameless(member: Participant, now: datetime) -> Participant:
    return replace(
        member,
        user_id=ERASED,
        handle="",
        display_name=ERASED_NAME,
        updated_at=now,
    )
