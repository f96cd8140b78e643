"""Offers of a role: host or co-host invites, the invited accept or decline."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import Role

from .errors import (
    AlreadyOnStage,
    CannotInvite,
    HostOnly,
    IllegalTransition,
    InviteClosed,
    InviteNotFound,
    ListFull,
    ModeratorOnly,
    NotYours,
    ProfileRequired,
    RemovedFromSpace,
    UserNotFound,
)
from .participant import Participant, touched, with_role
from .profile import Profile
from .space import Space
from .stage import seat_of, seated, uninvited
from .states import INVITE_TRANSITIONS, InviteEvent, InviteState, SpaceState

INVITE_LIFETIME: Final = timedelta(hours=24)  # from the Space's start, if that is later
MAX_INVITED: Final = 100  # to speak, at once: they stand in the Space's document
OPEN: Final = frozenset({SpaceState.SCHEDULED, SpaceState.LIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """
    One person's latest invite to one Space.

    Args:
        role: Speaker, co-host, or listener, which is no more than the Space's link.
        state: As stored; `state_of` knows of expiry too.
    """

    space_id: SpaceId
    user_id: UserId
    handle: str
    display_name: str
    role: Role
    state: InviteState
    inviter_id: UserId
    inviter_handle: str
    inviter_display_name: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """
    What is known of somebody who is to be invited.

    Args:
        blocked: By the host, or they have blocked whoever invites.
    """

    profile: Profile | None
    member: Participant | None = None
    invite: Invite | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitesDecision:
    """The Space and all invites after sending; what equals what was read is kept."""

    space: Space
    invites: tuple[Invite, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteDecision:
    """What an answer makes of Space, person and invite; None: there is none."""

    space: Space
    member: Participant | None
    invite: Invite | None


def state_of(invite: Invite, space: Space, *, now: datetime) -> InviteState:
    """Return the state, which is expired once its time or its Space is over."""
    over = now >= invite.expires_at or space.state not in OPEN
    return (
        InviteState.EXPIRED
        if invite.state is InviteState.PENDING and over
        else invite.state
    )


def send(
    space: Space,
    inviter: Profile | None,
    invitees: tuple[Invitee, ...],
    role: Role,
    *,
    now: datetime,
) -> InvitesDecision:
    """
    Invite people to speak, co-host or listen; all of them or nobody.

    Whoever has the same invite pending, or a better one than to listen, keeps it.

    Raises:
        ProfileRequired: the inviter has none.
        IllegalTransition: the Space is over.
        ModeratorOnly, HostOnly: the inviter may not offer this role.
        UserNotFound: somebody has no account.
        CannotInvite: somebody is blocked, has blocked the inviter, or was removed.
        AlreadyOnStage: somebody has such a seat, or a better one.
        ListFull: too many are invited to speak.
    """
    if inviter is None:
        raise ProfileRequired
    if space.state not in OPEN:
        detail = f"Cannot invite to a Space that is {space.state.value}."
        raise IllegalTransition(detail, space.state)
    _must_offer(space, inviter.user_id, role)
    invites = []
    for invitee in invitees:
        invite = _offer(space, inviter, invitee, role, now)
        space = _listed(space, invite, now)
        invites.append(invite)
    if len(space.invited_user_ids) > MAX_INVITED:
        raise ListFull("people invited to speak", MAX_INVITED)
    return InvitesDecision(space=space, invites=tuple(invites))


def accept(
    space: Space,
    member: Participant | None,
    invite: Invite | None,
    *,
    actor_id: UserId,
    now: datetime,
) -> InviteDecision:
    """
    Take the offer; again is harmless.

    Whoever is in the live Space is on stage at once, muted.  Before that, or without
    having joined, a co-host's seat waits for them, and a speaker is let on stage
    when they join with that wish.

    Raises:
        InviteNotFound, NotYours: it is not the caller's.
        RemovedFromSpace: and not let back since.
        InviteClosed: it was revoked, has expired, or was used up.
        StageFull, CoHostsFull: there is no seat left; the invite stays pending.
    """
    invite = _own(invite, actor_id)
    if member is not None and member.removed:
        raise RemovedFromSpace
    seat = seat_of(space, invite.user_id)
    waits = seat is not None or invite.user_id in space.invited_user_ids
    listens = invite.role is Role.LISTENER
    if invite.state is InviteState.ACCEPTED and (waits or listens):
        return InviteDecision(space=space, member=member, invite=invite)
    accepted = _moved(space, invite, InviteEvent.ACCEPT, now)
    if listens:
        return InviteDecision(space=space, member=member, invite=accepted)
    if invite.role is Role.SPEAKER and not waits:
        raise InviteClosed(InviteState.ACCEPTED)  # used by joining, and lost since
    if invite.role is Role.CO_HOST or seat is None:
        space, member = _brought_in(space, member, invite, now)
    return InviteDecision(space=space, member=member, invite=accepted)


def decline(
    space: Space,
    member: Participant | None,
    invite: Invite | None,
    *,
    actor_id: UserId,
    now: datetime,
) -> InviteDecision:
    """
    Turn the offer down; again is harmless.

    Raises:
        InviteNotFound, NotYours: it is not the caller's.
        InviteClosed: it was accepted, revoked, or has expired.
    """
    invite = _own(invite, actor_id)
    if invite.state is InviteState.DECLINED:
        return InviteDecision(space=space, member=member, invite=invite)
    declined = _moved(space, invite, InviteEvent.DECLINE, now)
    space = uninvited(space, invite.user_id, now=now)
    return InviteDecision(space=space, member=member, invite=declined)


def revoke(
    space: Space,
    member: Participant | None,
    invite: Invite | None,
    *,
    actor_id: UserId,
    now: datetime,
) -> InviteDecision:
    """
    Take the offer back; again is harmless.

    Before the Space starts this takes back an accepted one too, with its seat.

    Raises:
        ModeratorOnly, HostOnly: the caller may not offer this role.
        InviteNotFound: there is none.
        InviteClosed: it was accepted, declined, or has expired.
    """
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can take invites back.")
    if invite is None:
        raise InviteNotFound
    _must_offer(space, actor_id, invite.role)
    if invite.state is InviteState.REVOKED:
        return InviteDecision(space=space, member=member, invite=invite)
    if invite.state is InviteState.ACCEPTED and space.state is not SpaceState.SCHEDULED:
        raise InviteClosed(invite.state)
    revoked = _moved(space, invite, InviteEvent.REVOKE, now)
    space = uninvited(space, invite.user_id, now=now)
    if invite.state is InviteState.ACCEPTED and member is not None:
        space, demoted = with_role(space, member, Role.LISTENER, now=now)
        member = touched(member, demoted, now=now)
    return InviteDecision(space=space, member=member, invite=revoked)


def _must_offer(space: Space, actor_id: UserId, role: Role) -> None:
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can invite.")
    if role is Role.CO_HOST and not space.is_led_by(actor_id):
        raise HostOnly("Only the host appoints co-hosts.")


def _offer(
    space: Space, inviter: Profile, invitee: Invitee, role: Role, now: datetime
) -> Invite:
    profile, known = invitee.profile, invitee.invite
    if profile is None:
        raise UserNotFound
    removed = invitee.member is not None and invitee.member.removed
    if invitee.blocked or removed:
        raise CannotInvite
    seat = seat_of(space, profile.user_id)
    if seat is not None and not (seat is Role.SPEAKER and role is Role.CO_HOST):
        raise AlreadyOnStage
    if known is not None and _serves(known, role, space, now):
        return known
    start = max(now, space.scheduled_start or now)
    return Invite(
        space_id=space.id,
        user_id=profile.user_id,
        handle=profile.handle,
        display_name=profile.display_name,
        role=role,
        state=InviteState.PENDING,
        inviter_id=inviter.user_id,
        inviter_handle=inviter.handle,
        inviter_display_name=inviter.display_name,
        created_at=now,
        updated_at=now,
        expires_at=start + INVITE_LIFETIME,
    )


def _serves(invite: Invite, role: Role, space: Space, now: datetime) -> bool:
    """Whether the invite is as good as a new one for `role`."""
    listed = invite.user_id in space.invited_user_ids
    if role is Role.LISTENER and listed:
        return True
    if invite.role is Role.SPEAKER and not listed:
        return False  # used up
    wanted = role in (invite.role, Role.LISTENER)
    return wanted and state_of(invite, space, now=now) is InviteState.PENDING


def _listed(space: Space, invite: Invite, now: datetime) -> Space:
    """Speakers' invites stand in the Space, where joining sees them."""
    if invite.role is Role.CO_HOST:
        return uninvited(space, invite.user_id, now=now)
    if invite.role is Role.LISTENER:
        return space
    if invite.user_id in space.invited_user_ids:
        return space
    ids = (*space.invited_user_ids, invite.user_id)
    return replace(space, invited_user_ids=ids, updated_at=now)


def _own(invite: Invite | None, actor_id: UserId) -> Invite:
    if invite is None:
        raise InviteNotFound
    if actor_id != invite.user_id:
        raise NotYours
    return invite


def _moved(space: Space, invite: Invite, event: InviteEvent, now: datetime) -> Invite:
    state = state_of(invite, space, now=now)
    try:
        after = INVITE_TRANSITIONS[state, event]
    except KeyError:
        raise InviteClosed(state) from None
    return replace(invite, state=after, updated_at=now)


def _brought_in(
    space: Space, member: Participant | None, invite: Invite, now: datetime
) -> tuple[Space, Participant | None]:
    here = member is not None and member.left_at is None
    if member is not None and here and space.state is SpaceState.LIVE:
        space, after = with_role(space, member, invite.role, now=now)
        return space, touched(member, after, now=now)
    if invite.role is Role.SPEAKER:
        return space, member  # they stay on the list of those who may come on stage
    absent = member or _absent(invite, now)
    waiting = replace(absent, role=invite.role)
    space = seated(space, invite.user_id, invite.role, now=now)
    return space, waiting if member is None else touched(member, waiting, now=now)


def _absent(invite: Invite, now: datetime) -> Participant:
    """Return the document of somebody who has a seat and was never here."""
    return Participant(
        user_id=invite.user_id,
        handle=invite.handle,
        display_name=invite.display_name,
        role=invite.role,
        on_stage=False,
        joined_at=now,
        updated_at=now,
        left_at=now,
    )
