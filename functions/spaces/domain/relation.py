"""Who follows and who blocks whom, and what a block does to a live Space."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.roles import Role

from .errors import CannotFollow, ListFull, NotYourself, UserNotFound
from .invite import Invite, InviteDecision
from .moderation import MemberEdit, edit
from .participant import MemberDecision, Participant, touched, with_role
from .profile import Profile
from .space import Space
from .stage import uninvited
from .states import InviteState, SpaceState

# All of them are read at once for the feed: they fit in one document.
MAX_FOLLOWED: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowFacts:
    """
    All that deciding a follow takes.

    Args:
        other: Whom they would follow, if there is such a person.
        blocked: One of the two has blocked the other.
        followed: How many they follow beside this person.
    """

    other: Profile | None
    blocked: bool = False
    followed: int = 0


def must_follow(facts: FollowFacts, *, actor_id: UserId) -> None:
    """
    Return if `actor_id` may follow this person.

    Raises:
        UserNotFound: there is no such person.
        NotYourself: it is they themselves.
        CannotFollow: one of the two has blocked the other.
        ListFull: they follow as many as anybody may.
    """
    if facts.other is None:
        raise UserNotFound
    if facts.other.user_id == actor_id:
        raise NotYourself
    if facts.blocked:
        raise CannotFollow
    if facts.followed >= MAX_FOLLOWED:
        raise ListFull("people whom you follow", MAX_FOLLOWED)


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
    space: Space, member: Participant | None, person: Profile, *, now: datetime
) -> MemberDecision:
    """
    Remove somebody from a live Space: its host has blocked them, or the operator has.

    Somebody who is not there gets a document nevertheless, as one who was removed: they
    may listen anonymously, and a join that read the blocks a moment ago meets it.
    """
    if space.state is not SpaceState.LIVE:
        return MemberDecision(space=space, member=member)
    space = uninvited(space, person.user_id, now=now)
    if member is None:
        return MemberDecision(space=space, member=_never_here(person, now))
    return edit(
        space, member, MemberEdit(removed=True), actor_id=space.creator_id, now=now
    )


def separate(
    space: Space,
    member: Participant | None,
    invite: Invite | None,
    person: Profile,
    *,
    now: datetime,
) -> InviteDecision:
    """
    Take from somebody what they have in a Space whose host has blocked them.

    A live one removes them; one to come takes their seat back.  Neither offers them
    anything any more.
    """
    to_come = space.state is SpaceState.SCHEDULED
    revocable = {InviteState.PENDING, *([InviteState.ACCEPTED] if to_come else [])}
    if invite is not None and invite.state in revocable:
        invite = replace(invite, state=InviteState.REVOKED, updated_at=now)
    if not to_come:
        decision = shut_out(space, member, person, now=now)
        return InviteDecision(
            space=decision.space, member=decision.member, invite=invite
        )
    space = uninvited(space, person.user_id, now=now)
    if member is not None:
        space, after = with_role(space, member, Role.LISTENER, now=now)
        member = touched(member, after, now=now)
    return InviteDecision(space=space, member=member, invite=invite)


def _never_here(person: Profile, now: datetime) -> Participant:
    return Participant(
        user_id=person.user_id,
        handle=person.handle,
        display_name=person.display_name,
        role=Role.LISTENER,
        on_stage=False,
        joined_at=now,
        updated_at=now,
        removed=True,
        removed_by_host=True,
        left_at=now,  # so that nobody else learns of it from the list of people
    )
