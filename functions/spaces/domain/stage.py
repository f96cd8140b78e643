"""Seats on stage: who has one, and how many there are."""

from dataclasses import replace
from datetime import datetime

from spaces_contract.ids import UserId
from spaces_contract.roles import MAX_CO_HOSTS, MAX_SPEAKERS, Role

from .errors import CoHostsFull, StageFull
from .space import Space


def seat_of(space: Space, user_id: UserId) -> Role | None:
    """Return the stage role that the Space's lists give `user_id`, if any."""
    if user_id == space.creator_id:
        return Role.HOST
    if user_id in space.host_ids:
        return Role.CO_HOST
    if user_id in space.speaker_ids:
        return Role.SPEAKER
    return None


def has_free_seat(space: Space) -> bool:
    """Whether one more speaker fits."""
    return len(space.speaker_ids) < MAX_SPEAKERS


def seated(space: Space, user_id: UserId, role: Role, *, now: datetime) -> Space:
    """
    Return `space` with `user_id` in the seat of `role`; a listener has none.

    The host's own seat cannot be given or taken; callers see to that.  Whoever gets
    a seat, or loses one, has used up their invite to speak.

    Raises:
        StageFull: there are 10 speakers already.
        CoHostsFull: there are 2 co-hosts already.
    """
    if (seat_of(space, user_id) or Role.LISTENER) is role:
        return space
    host_ids = tuple(uid for uid in space.host_ids if uid != user_id)
    speaker_ids = tuple(uid for uid in space.speaker_ids if uid != user_id)
    if role is Role.CO_HOST:
        if len(host_ids) > MAX_CO_HOSTS:
            raise CoHostsFull
        host_ids = (*host_ids, user_id)
    elif role is Role.SPEAKER:
        if len(speaker_ids) >= MAX_SPEAKERS:
            raise StageFull
        speaker_ids = (*speaker_ids, user_id)
    return replace(
        uninvited(space, user_id, now=now),
        host_ids=host_ids,
        speaker_ids=speaker_ids,
        updated_at=now,
    )


def uninvited(space: Space, user_id: UserId, *, now: datetime) -> Space:
    """Return `space` with nobody of that id among those invited to speak."""
    if user_id not in space.invited_user_ids:
        return space
    others = tuple(uid for uid in space.invited_user_ids if uid != user_id)
    return replace(space, invited_user_ids=others, updated_at=now)
