"""A person in a Space: how they come and go."""

from dataclasses import dataclass, replace
from datetime import datetime

from spaces_contract.ids import UserId
from spaces_contract.roles import Role

from .errors import BlockedByHost, NotLive, ProfileRequired, RemovedFromSpace
from .profile import Profile
from .space import Space, SpeakerPolicy
from .stage import has_free_seat, seat_of, seated
from .states import RequestState, SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """
    One person in one Space.

    Args:
        on_stage: Has a seat and is there: neither left nor removed.
        muted: By themselves or by a host; only they themselves undo it.
        removed_by_host: By the host themself, a block of theirs, or the operator; False
            unless removed.
        left_at: None while they are in the Space.  Somebody removed who has it was
            never here by name: the host blocked them, and it ends with the block.
        speak_request: What became of their last one; None where they made none since
            they came. Nobody on stage has a pending one.
        requested_at: When they last asked to speak.
        anonymous_id: What their anonymous sessions in this Space are called; kept of
            the removed only, for those sessions end as well.
        revision: Opaque name of the stored version; empty before it is stored.
    """

    user_id: UserId
    handle: str
    display_name: str
    role: Role
    on_stage: bool
    joined_at: datetime
    updated_at: datetime
    muted: bool = False
    removed: bool = False
    removed_by_host: bool = False
    left_at: datetime | None = None
    speak_request: RequestState | None = None
    requested_at: datetime | None = None
    anonymous_id: UserId | None = None
    revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWish:
    """
    How a person would like to be in a Space.

    Args:
        shown_notice: Version of the notice of recording that they have been shown.
        lang: In which they read such a notice; BCP 47.
    """

    wants_stage: bool = False
    anonymous: bool = False
    shown_notice: str | None = None
    lang: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFacts:
    """
    All that deciding a join takes, as read from the store.

    Args:
        member: Their document in this Space from earlier, if any.
        blocked: The host has blocked them.
        followed: The host follows them; False where nobody asked.
        blocked_on_stage: Someone they have blocked is on stage.
    """

    space: Space
    profile: Profile | None
    member: Participant | None
    blocked: bool = False
    followed: bool = False
    blocked_on_stage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDecision:
    """
    What a rule decided about one person; what equals what was read is not written.

    Args:
        member: None where nothing is kept of them.
        anonymous: They listen without being listed.
    """

    space: Space
    member: Participant | None
    anonymous: bool = False


def host_of(space: Space, profile: Profile, *, now: datetime) -> Participant:
    """Return the host's own document, which is made together with the Space."""
    return Participant(
        user_id=profile.user_id,
        handle=profile.handle,
        display_name=profile.display_name,
        role=Role.HOST,
        on_stage=True,
        joined_at=now,
        updated_at=space.created_at,
    )


def join(facts: JoinFacts, wish: JoinWish, *, now: datetime) -> MemberDecision:
    """
    Let a person in, on stage where they have a seat or may take one.

    Joining again changes nothing and never costs a seat.  A wish for the stage that
    cannot be granted makes a listener; anonymity is for listeners only.

    Raises:
        NotLive: the Space has not started, or is over.
        ProfileRequired: the person has no profile yet.
        BlockedByHost: by the host of this Space.
        RemovedFromSpace: and not let back since.
    """
    space, profile, member = facts.space, facts.profile, facts.member
    if space.state is not SpaceState.LIVE:
        raise NotLive(space.state)
    if profile is None:
        raise ProfileRequired
    if facts.blocked:
        raise BlockedByHost
    if member is not None and member.removed and member.left_at is None:
        raise RemovedFromSpace
    role = seat_of(space, profile.user_id) or _granted(facts, profile, wish)
    if wish.anonymous and not role.on_stage:
        return MemberDecision(space=space, member=_gone(member, now), anonymous=True)
    return MemberDecision(
        space=seated(space, profile.user_id, role, now=now),
        member=_arrived(profile, member, role, now=now),
    )


def listen(facts: JoinFacts, wish: JoinWish, *, now: datetime) -> MemberDecision:
    """
    Let a person hear without a seat or a document: nothing is kept of it.

    Raises:
        All that `join` does.
    """
    decision = join(facts, wish, now=now)
    return replace(decision, space=facts.space, member=facts.member)


def leave(space: Space, member: Participant | None, *, now: datetime) -> MemberDecision:
    """
    Leave the Space and the stage; leaving twice changes nothing.

    A seat that waits for somebody who has not come yet goes on waiting.  Whoever was
    removed stays removed: only a join, which looks at the blocks, may undo that.
    """
    if member is None or member.left_at is not None:
        return MemberDecision(space=space, member=member)
    if member.role is Role.HOST:
        return MemberDecision(space=space, member=_gone(member, now))
    return MemberDecision(
        space=seated(space, member.user_id, Role.LISTENER, now=now),
        member=_gone(member, now),
    )


def _granted(facts: JoinFacts, profile: Profile, wish: JoinWish) -> Role:
    may_speak = {
        SpeakerPolicy.EVERYONE: True,
        SpeakerPolicy.FOLLOWING: facts.followed,
        SpeakerPolicy.INVITED: profile.user_id in facts.space.invited_user_ids,
    }[facts.space.speaker_policy]
    if wish.wants_stage and may_speak and has_free_seat(facts.space):
        return Role.SPEAKER
    return Role.LISTENER


def _arrived(
    profile: Profile, member: Participant | None, role: Role, *, now: datetime
) -> Participant:
    fresh = Participant(
        user_id=profile.user_id,
        handle=profile.handle,
        display_name=profile.display_name,
        role=role,
        on_stage=role.on_stage,
        joined_at=now,
        updated_at=now,
    )
    if member is None:
        return fresh
    asked = replace(
        member, speak_request=None if member.left_at else member.speak_request
    )
    arrived = replace(
        fresh,
        # Muted on stage stays muted: joining again must not undo a host's mute.
        muted=member.muted and role.on_stage,
        joined_at=member.joined_at if member.left_at is None else now,
        updated_at=member.updated_at,
        speak_request=_request_after(asked, role),
        requested_at=member.requested_at,
        revision=member.revision,
    )
    return touched(member, arrived, now=now)


def _gone(member: Participant | None, now: datetime) -> Participant | None:
    if member is None or (member.removed and member.left_at is None):
        return member
    if member.left_at is not None:
        back = replace(member, removed=False, removed_by_host=False, anonymous_id=None)
        return touched(member, back, now=now)
    role = member.role if member.role is Role.HOST else Role.LISTENER
    return replace(
        member,
        role=role,
        on_stage=False,
        speak_request=None,
        left_at=now,
        updated_at=now,
    )


def with_role(
    space: Space, member: Participant, role: Role, *, now: datetime
) -> tuple[Space, Participant]:
    """
    Return Space and person after they were given `role`, which is not the host's.

    Whoever is brought on stage by another starts muted, so that nobody's microphone
    is open without their own doing; their request to speak is thereby accepted.

    Raises:
        StageFull, CoHostsFull: there is no such seat left.
    """
    promoted = not (seat_of(space, member.user_id) or Role.LISTENER).on_stage
    return seated(space, member.user_id, role, now=now), replace(
        member,
        role=role,
        on_stage=role.on_stage,
        muted=role.on_stage and (promoted or member.muted),
        speak_request=_request_after(member, role),
    )


def _request_after(member: Participant, role: Role) -> RequestState | None:
    if role.on_stage and member.speak_request is RequestState.PENDING:
        return RequestState.ACCEPTED
    if member.on_stage and not role.on_stage:
        return None  # off the stage again: the request is history
    return member.speak_request


def touched(before: Participant, after: Participant, *, now: datetime) -> Participant:
    """Return `before` where nothing changed, else `after` with its time of change."""
    return before if after == before else replace(after, updated_at=now)
