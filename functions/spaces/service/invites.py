"""Inviting people to speak or to co-host, and what they answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import Role

from ..domain import invite as rules
from ..domain.errors import InviteNotFound, ModeratorOnly
from ..domain.invite import Invite, InviteDecision, state_of
from ..domain.participant import Participant
from ..domain.personal import of_invite
from ..domain.space import Space
from ..domain.states import InviteState
from .announcing import page_effect
from .ports import Clock, Cursor, EffectQueue, SpaceStore
from .recording_asks import RecordingAsks
from .stage_ports import InviteStore, Received


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteService:
    """Use cases of hosts who invite, and of whoever is invited."""

    spaces: SpaceStore
    invites: InviteStore
    asks: RecordingAsks
    effects: EffectQueue
    now: Clock

    def send(
        self,
        space_id: SpaceId,
        user_ids: Sequence[UserId],
        role: Role,
        *,
        actor_id: UserId,
    ) -> Sequence[Invite]:
        """
        Invite all of them or nobody, and have each told by push.

        Where a push cannot be asked for, nothing is acknowledged: sent again, the
        invites are the same, and so are the pushes.

        Raises:
            SpaceNotFound, DependencyUnavailable, and all that `invite.send` does.
        """
        now = self.now()
        sent = self.invites.send(
            space_id,
            user_ids,
            lambda space, inviter, invitees: rules.send(
                space, inviter, invitees, role, now=now
            ),
            actor_id=actor_id,
        )
        for invite in sent:
            if invite.state is InviteState.PENDING:
                self.effects.put(page_effect(of_invite(invite), 0, now))
        return sent

    def accept(self, space_id: SpaceId, user_id: UserId, *, actor_id: UserId) -> Invite:
        """Take an offer; raises as `invite.accept`, and SpaceNotFound."""
        now = self.now()

        def decide(
            space: Space, member: Participant | None, found: Invite | None
        ) -> InviteDecision:
            return rules.accept(space, member, found, actor_id=actor_id, now=now)

        decision = self.invites.update(space_id, user_id, decide)
        self.asks.seated(decision.space, decision.member)
        return _invite_of(decision)

    def decline(
        self, space_id: SpaceId, user_id: UserId, *, actor_id: UserId
    ) -> Invite:
        """Turn an offer down; raises as `invite.decline`, and SpaceNotFound."""
        now = self.now()

        def decide(
            space: Space, member: Participant | None, found: Invite | None
        ) -> InviteDecision:
            return rules.decline(space, member, found, actor_id=actor_id, now=now)

        return _invite_of(self.invites.update(space_id, user_id, decide))

    def revoke(self, space_id: SpaceId, user_id: UserId, *, actor_id: UserId) -> None:
        """Take an offer back; raises as `invite.revoke`, and SpaceNotFound."""
        now = self.now()

        def decide(
            space: Space, member: Participant | None, found: Invite | None
        ) -> InviteDecision:
            return rules.revoke(space, member, found, actor_id=actor_id, now=now)

        self.invites.update(space_id, user_id, decide)

    def pending(
        self, space_id: SpaceId, *, actor_id: UserId, limit: int, after: Cursor | None
    ) -> Sequence[Invite]:
        """
        Return a Space's unanswered invites, the oldest first.

        Raises:
            SpaceNotFound, ModeratorOnly.
        """
        space = self.spaces.get(space_id)
        if actor_id not in space.host_ids:
            raise ModeratorOnly("Only the host and co-hosts see who is invited.")
        return self.invites.pending(space_id, limit=limit, after=after)

    def received(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Received]:
        """Return a person's own invites, the newest first."""
        return self.invites.received(user_id, limit=limit, after=after)

    def state_now(self, received: Received) -> InviteState:
        """Return the state with expiry counted in."""
        return state_of(received.invite, received.space, now=self.now())


def _invite_of(decision: InviteDecision) -> Invite:
    if decision.invite is None:
        raise InviteNotFound
    return decision.invite
