"""What hosts and co-hosts do to others, and everybody to themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from spaces_contract.ids import UserId
from spaces_contract.roles import Role

from .errors import (
    CannotUnmuteAnother,
    HostOnly,
    HostStays,
    ModeratorOnly,
    NotLive,
    ParticipantNotFound,
    RemovedFromSpace,
    TargetNotOnStage,
)
from .participant import MemberDecision, Participant, touched, with_role
from .space import Space
from .stage import seat_of, seated, uninvited
from .states import SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEdit:
    """A change to one participant; None leaves the field as it is."""

    role: Role | None = None
    muted: bool | None = None
    removed: bool | None = None


def edit(
    space: Space,
    member: Participant | None,
    change: MemberEdit,
    *,
    actor_id: UserId,
    now: datetime,
) -> MemberDecision:
    """
    Change a participant's role, mute or remove them; all of it or nothing.

    Raises:
        NotLive: the Space has not started, or is over.
        ParticipantNotFound: they are not in the Space.
        NotAllowed: one of its kinds, for what this actor may not do.
        Conflict: one of its kinds, where seats or state do not allow it.
    """
    if space.state is not SpaceState.LIVE:
        raise NotLive(space.state)
    member = after = _editable(space, member, actor_id)
    if change.removed is not None:
        space, after = _set_removed(space, after, change.removed, actor_id, now)
    if change.role is not None:
        space, after = _set_role(space, after, change.role, actor_id, now)
    if change.muted is not None:
        after = _set_muted(after, change.muted, actor_id)
    return MemberDecision(space=space, member=touched(member, after, now=now))


def _editable(
    space: Space, member: Participant | None, actor_id: UserId
) -> Participant:
    by_self = member is not None and actor_id == member.user_id
    if actor_id not in space.host_ids and not by_self:
        raise ModeratorOnly("Only the host and co-hosts can do this.")
    if member is None:
        raise ParticipantNotFound
    if by_self and member.removed:
        raise RemovedFromSpace
    return member


def _set_removed(
    space: Space, member: Participant, removed: bool, actor_id: UserId, now: datetime
) -> tuple[Space, Participant]:
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can remove people.")
    by_host = actor_id == space.creator_id
    if member.removed and member.left_at is not None and not by_host:
        raise ParticipantNotFound  # never here: blocks stay private
    if not removed:
        return space, _let_back(member, now, by_host=by_host)
    if member.removed:
        by_host = by_host or member.removed_by_host
        return space, replace(member, removed_by_host=by_host)
    if member.role is Role.HOST:
        raise HostStays
    space = uninvited(space, member.user_id, now=now)
    return seated(space, member.user_id, Role.LISTENER, now=now), replace(
        member,
        role=Role.LISTENER,
        on_stage=False,
        muted=False,
        removed=True,
        removed_by_host=by_host,
        speak_request=None,
        left_at=None,  # listed, so that they can be let back
    )


def _let_back(member: Participant, now: datetime, *, by_host: bool) -> Participant:
    """Return them as not removed, and not in the Space until they join again."""
    if not member.removed:
        return member
    if member.removed_by_host and not by_host:
        raise HostOnly("A co-host lets back only whom a co-host removed.")
    return replace(member, removed=False, removed_by_host=False, left_at=now)


def _set_role(
    space: Space, member: Participant, role: Role, actor_id: UserId, now: datetime
) -> tuple[Space, Participant]:
    _must_be_there(member)
    held = seat_of(space, member.user_id) or Role.LISTENER
    if held is role:
        return space, member
    if Role.HOST in (held, role):
        raise HostStays
    _must_be_allowed(space, member, held, role, actor_id)
    return with_role(space, member, role, now=now)


def _must_be_allowed(
    space: Space, member: Participant, held: Role, role: Role, actor_id: UserId
) -> None:
    if actor_id == member.user_id and role is Role.LISTENER:
        return  # everybody may step down
    if Role.CO_HOST in (held, role) and not space.is_led_by(actor_id):
        raise HostOnly("Only the host appoints and dismisses co-hosts.")
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts bring people on stage.")


def _set_muted(member: Participant, muted: bool, actor_id: UserId) -> Participant:
    _must_be_there(member)
    if not member.on_stage:
        raise TargetNotOnStage
    if not muted and actor_id != member.user_id:
        raise CannotUnmuteAnother
    return replace(member, muted=muted)


def _must_be_there(member: Participant) -> None:
    if member.removed or member.left_at is not None:
        raise ParticipantNotFound


def mute_all(
    space: Space, speakers: Sequence[Participant], *, actor_id: UserId, now: datetime
) -> tuple[Participant, ...]:
    """
    Return the speakers after all their microphones were closed; hosts keep theirs.

    Raises:
        NotLive: the Space has not started, or is over.
        ModeratorOnly: `actor_id` is neither host nor co-host.
    """
    must_moderate(space, actor_id)
    return tuple(
        touched(
            member,
            replace(member, muted=True)
            if member.on_stage and member.role is Role.SPEAKER
            else member,
            now=now,
        )
        for member in speakers
    )


def must_moderate(space: Space, actor_id: UserId) -> None:
    """
    Return if `actor_id` is host or co-host of this live Space.

    Raises:
        NotLive: the Space has not started, or is over.
        ModeratorOnly: they are neither.
    """
    if space.state is not SpaceState.LIVE:
        raise NotLive(space.state)
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can do this.")
