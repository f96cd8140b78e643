"""Coming into a Space, being there, and leaving it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from spaces_contract.grants import GRANT_LIFETIME_S, Grant
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import PeerKind, Role

from ..domain import moderation, participant
from ..domain.errors import ParticipantNotFound, StaleRevision
from ..domain.moderation import MemberEdit
from ..domain.notice import Notice
from ..domain.participant import JoinFacts, JoinWish, MemberDecision, Participant
from ..domain.recording import is_recorded, must_be_noticed
from ..domain.space import Space
from ..domain.states import SpaceState
from .announcing_ports import SubscriberStore
from .ports import Clock, Cursor, GrantSigner, MemberStore
from .recording_asks import RecordingAsks


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """
    What a person needs to take part.

    Args:
        user_id: Who they are to others: an anonymous listener's is made up.
        notice: Of the recording; None where there is none.
        blocked_on_stage: Someone they have blocked is on stage.
    """

    space: Space
    user_id: UserId
    role: Role
    muted: bool
    grant: Grant
    grant_token: str
    notice: Notice | None
    blocked_on_stage: bool


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who was let in to hear, under this name."""

    id: UserId
    anonymous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    What a person is in a Space.

    Args:
        member: None of somebody who just listens, or has never been there.
        subscribed: They wait for its start, and are told of it.
    """

    space: Space
    member: Participant | None
    subscribed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipService:
    """Use cases of everybody who takes part in a Space."""

    members: MemberStore
    subscribers: SubscriberStore
    grants: GrantSigner
    asks: RecordingAsks
    now: Clock
    new_token: Callable[[], str]
    notice: Callable[[str], Notice]

    def join(self, space_id: SpaceId, wish: JoinWish, *, actor_id: UserId) -> Joined:
        """
        Let a person in and give them a grant for their media sessions.

        Raises:
            SpaceNotFound, NotLive, ProfileRequired, BlockedByHost, RemovedFromSpace.
            RecordingNoticeRequired: it is recorded, and they have not seen the notice.
        """
        now, notice = self.now(), self.notice(wish.lang)

        def decide(read: JoinFacts) -> MemberDecision:
            decision = participant.join(read, wish, now=now)
            must_be_noticed(read.space, notice, shown=wish.shown_notice)
            return decision

        decision, facts = self.members.join(
            space_id, actor_id, decide, wants_stage=wish.wants_stage
        )
        self.asks.seated(decision.space, decision.member)
        grant = self._grant(decision, actor_id)
        member = decision.member
        return Joined(
            space=decision.space,
            user_id=UserId(grant.user_id),
            role=grant.role,
            muted=member is not None and member.muted,
            grant=grant,
            grant_token=self.grants.sign_grant(grant),
            notice=notice if is_recorded(decision.space) else None,
            blocked_on_stage=facts.blocked_on_stage,
        )

    def admit(self, space_id: SpaceId, wish: JoinWish, *, actor_id: UserId) -> Listener:
        """
        Return what a person may listen as; nothing is written.

        Raises:
            All that `join` does.
        """
        now, notice = self.now(), self.notice(wish.lang)

        def decide(read: JoinFacts) -> MemberDecision:
            decision = participant.listen(read, wish, now=now)
            must_be_noticed(read.space, notice, shown=wish.shown_notice)
            return decision

        decision, _ = self.members.join(space_id, actor_id, decide, wants_stage=False)
        return Listener(self._listener_id(decision, actor_id), decision.anonymous)

    def leave(self, space_id: SpaceId, *, actor_id: UserId) -> None:
        """Leave the Space and its stage; raises SpaceNotFound."""
        now = self.now()
        self.members.update(
            space_id,
            actor_id,
            lambda space, member: participant.leave(space, member, now=now),
        )

    def get(self, space_id: SpaceId, *, actor_id: UserId) -> Standing:
        """Return what the caller is in a Space; raises SpaceNotFound."""
        space, member = self.members.get(space_id, actor_id)
        waits = space.state is SpaceState.SCHEDULED
        subscribed = waits and self.subscribers.has(space_id, actor_id)
        return Standing(space=space, member=member, subscribed=subscribed)

    def present(
        self, space_id: SpaceId, *, actor_id: UserId, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        """
        Return those who have not left, in the order in which they came.

        Raises:
            SpaceNotFound: there is no such Space.
        """
        found = self.members.present(space_id, limit=limit, after=after)
        if not found:  # all have left, or there is no Space: only then a read tells
            self.members.get(space_id, actor_id)
        return found

    def edit(
        self,
        space_id: SpaceId,
        user_id: UserId,
        change: MemberEdit,
        *,
        actor_id: UserId,
        revision: str | None,
    ) -> Participant:
        """
        Change one person's role, mute or remove them; at `revision` where given.

        Raises:
            SpaceNotFound, StaleRevision, and all that `moderation.edit` does.
        """
        now = self.now()

        def decide(space: Space, member: Participant | None) -> MemberDecision:
            if revision is not None and (not member or member.revision != revision):
                raise StaleRevision
            return everywhere(
                moderation.edit(space, member, change, actor_id=actor_id, now=now),
                self.grants,
            )

        decision = self.members.update(space_id, user_id, decide)
        if decision.member is None:
            raise ParticipantNotFound
        if change.role is not None:
            self.asks.seated(decision.space, decision.member)
        return decision.member

    def _grant(self, decision: MemberDecision, actor_id: UserId) -> Grant:
        listed = None if decision.anonymous else decision.member
        role = Role.LISTENER if listed is None else listed.role
        kinds = (PeerKind.WHIP, PeerKind.WHEP) if role.on_stage else (PeerKind.WHEP,)
        issued_at_s = int(self.now().timestamp())
        space = decision.space
        return Grant(
            grant_id=self.new_token(),
            space_id=space.id,
            user_id=self._listener_id(decision, actor_id),
            role=role,
            epoch=space.epoch,
            kinds=kinds,
            anonymous=decision.anonymous,
            issued_at_s=issued_at_s,
            expires_at_s=issued_at_s + GRANT_LIFETIME_S,
        )

    def _listener_id(self, decision: MemberDecision, actor_id: UserId) -> UserId:
        if decision.anonymous:
            return self.grants.pseudonym(decision.space.id, actor_id)
        return actor_id


def everywhere(decision: MemberDecision, grants: GrantSigner) -> MemberDecision:
    """Let a removal reach the person's anonymous sessions too."""
    member = decision.member
    if member is None:
        return decision
    anonymous_id = grants.pseudonym(decision.space.id, member.user_id)
    kept = anonymous_id if member.removed else None
    return replace(decision, member=replace(member, anonymous_id=kept))
