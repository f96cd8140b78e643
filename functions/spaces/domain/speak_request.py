"""Asking to speak, and what hosts make of it."""

from dataclasses import replace
from datetime import datetime

from spaces_contract.ids import UserId
from spaces_contract.roles import Role

from .errors import (
    AlreadyOnStage,
    NotInSpace,
    NotLive,
    NotYours,
    ParticipantNotFound,
    RemovedFromSpace,
    RequestClosed,
)
from .moderation import must_moderate
from .participant import MemberDecision, Participant, touched, with_role
from .space import Space
from .states import REQUEST_TRANSITIONS, RequestEvent, RequestState, SpaceState


def next_request_state(state: RequestState | None, event: RequestEvent) -> RequestState:
    """
    Return what `event` makes of a request in `state`; None is no request.

    Raises:
        RequestClosed: the pair is not in the table.
    """
    if state is None:
        raise RequestClosed(state)
    try:
        return REQUEST_TRANSITIONS[state, event]
    except KeyError:
        raise RequestClosed(state) from None


def ask(space: Space, member: Participant | None, *, now: datetime) -> MemberDecision:
    """
    Raise a hand.  Asking twice changes nothing, asking after an answer asks anew.

    Raises:
        NotLive: the Space has not started, or is over.
        RemovedFromSpace: and not let back since.
        NotInSpace: they have not joined, or listen anonymously.
        AlreadyOnStage: they have a seat.
    """
    if space.state is not SpaceState.LIVE:
        raise NotLive(space.state)
    if member is not None and member.removed:
        raise RemovedFromSpace
    if member is None or member.left_at is not None:
        raise NotInSpace
    if member.on_stage:
        raise AlreadyOnStage
    if member.speak_request is RequestState.PENDING:
        return MemberDecision(space=space, member=member)
    asking = replace(member, speak_request=RequestState.PENDING, requested_at=now)
    return MemberDecision(space=space, member=touched(member, asking, now=now))


def accept(
    space: Space, member: Participant | None, *, actor_id: UserId, now: datetime
) -> MemberDecision:
    """
    Bring the one who asked on stage, muted; again is harmless while they are there.

    Raises:
        NotLive, ModeratorOnly: `actor_id` cannot answer.
        ParticipantNotFound: they have left, or were removed.
        RequestClosed: they do not ask, or another answer was quicker.
        StageFull: there is no seat left; the request stays pending.
    """
    member = _asked(space, member, actor_id)
    if member.on_stage and member.speak_request is RequestState.ACCEPTED:
        return MemberDecision(space=space, member=member)
    next_request_state(member.speak_request, RequestEvent.ACCEPT)
    space, after = with_role(space, member, Role.SPEAKER, now=now)
    return MemberDecision(space=space, member=touched(member, after, now=now))


def decline(
    space: Space, member: Participant | None, *, actor_id: UserId, now: datetime
) -> MemberDecision:
    """
    Turn a request down; again is harmless.

    Raises:
        NotLive, ModeratorOnly: `actor_id` cannot answer.
        ParticipantNotFound: they have left, or were removed.
        RequestClosed: they do not ask, or another answer was quicker.
    """
    member = _asked(space, member, actor_id)
    return _closed(space, member, RequestEvent.DECLINE, RequestState.DECLINED, now)


def withdraw(
    space: Space, member: Participant | None, *, actor_id: UserId, now: datetime
) -> MemberDecision:
    """
    Take a hand down; again is harmless, also where none was up.

    Raises:
        NotYours: it is another's.
        RequestClosed: it was answered already.
    """
    if member is None:
        return MemberDecision(space=space, member=None)
    if actor_id != member.user_id:
        raise NotYours
    if member.speak_request is None:
        return MemberDecision(space=space, member=member)
    return _closed(space, member, RequestEvent.WITHDRAW, RequestState.WITHDRAWN, now)


def _asked(space: Space, member: Participant | None, actor_id: UserId) -> Participant:
    must_moderate(space, actor_id)
    if member is None or member.removed or member.left_at is not None:
        raise ParticipantNotFound
    return member


def _closed(
    space: Space,
    member: Participant,
    event: RequestEvent,
    so_already: RequestState,
    now: datetime,
) -> MemberDecision:
    if member.speak_request is so_already:
        return MemberDecision(space=space, member=member)
    state = next_request_state(member.speak_request, event)
    after = replace(member, speak_request=state)
    return MemberDecision(space=space, member=touched(member, after, now=now))
