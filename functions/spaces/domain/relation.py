"""Who follows and who blocks whom, and what a block does to a live Space."""

from dataclasses import dataclass
from datetime import datetime

from spaces_contract.ids import UserId
from spaces_contract.roles import Role

from .errors import CannotFollow, NotYourself, UserNotFound
from .moderation import MemberEdit, edit
from .participant import MemberDecision, Participant
from .profile import Profile
from .space import Space
from .stage import uninvited
from .states import SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowFacts:
    """
    All that deciding a follow takes.

    Args:
        other: Whom they would follow, if there is such a person.
        blocked: One of the two has blocked the other.
    """

    other: Profile | None
    blocked: bool = False


def must_follow(facts: FollowFacts, *, actor_id: UserId) -> None:
    """
    Return if `actor_id` may follow this person.

    Raises:
        UserNotFound: there is no such person.
        NotYourself: it is they themselves.
        CannotFollow: one of the two has blocked the other.
    """
    if facts.other is None:
        raise UserNotFound
    if facts.other.user_id == actor_id:
        raise NotYourself
    if facts.blocked:
        raise CannotFollow


def must_block(other: Profile | None, *, actor_id: UserId) -> Profile:
    """
    Return the person whom `actor_id` may block: anybody but themselves.

    Raises:
        UserNotFound: there is no such person.
        NotYourself: it is they themselves.
    """
    if other is None:
        raise UserNotFound
    if other.user_id == actor_id:
        raise NotYourself
    return other


def shut_out(
    space: Space, member: Participant | None, blocked: Profile, *, now: datetime
) -> MemberDecision:
    """
    Remove from the host's live Space whom the host has just blocked.

    Somebody who is not there gets a document nevertheless, as one who has left: a
    join that read the blocks a moment ago then meets it, and starts over.
    """
    if space.state is not SpaceState.LIVE:
        return MemberDecision(space=space, member=member)
    space = uninvited(space, blocked.user_id, now=now)
    if member is None:
        return MemberDecision(space=space, member=_never_here(blocked, now))
    return edit(
        space, member, MemberEdit(removed=True), actor_id=space.creator_id, now=now
    )


def _never_here(blocked: Profile, now: datetime) -> Participant:
    return Participant(
        user_id=blocked.user_id,
        handle=blocked.handle,
        display_name=blocked.display_name,
        role=Role.LISTENER,
        on_stage=False,
        joined_at=now,
        updated_at=now,
        left_at=now,
    )
