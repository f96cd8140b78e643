"""Following, blocking, and the devices on which people are reached."""

from dataclasses import dataclass, replace
from functools import partial

from spaces_contract.ids import SpaceId, UserId

from ..domain import relation
from ..domain.invite import Invite, InviteDecision
from ..domain.participant import MemberDecision, Participant
from ..domain.profile import Profile
from ..domain.registration import DeviceKey, Registration, register
from ..domain.space import Space
from .independent import all_of
from .membership import everywhere
from .people_ports import RegistrationStore, RelationStore
from .ports import Clock, GrantSigner
from .stage_ports import InviteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationService:
    """Use cases of everybody who likes or dislikes somebody."""

    relations: RelationStore
    invites: InviteStore
    grants: GrantSigner
    now: Clock

    def follow(self, other: UserId, *, actor_id: UserId) -> None:
        """Follow; again is harmless; raises as `relation.must_follow`."""
        self.relations.follow(
            actor_id,
            other,
            lambda facts: relation.must_follow(facts, actor_id=actor_id),
            at=self.now(),
        )

    def unfollow(self, other: UserId, *, actor_id: UserId) -> None:
        """Follow no more; again is harmless."""
        self.relations.unfollow(actor_id, other)

    def block(self, other: UserId, *, actor_id: UserId) -> None:
        """
        Block, and remove them from the blocker's own Spaces, those to come included.

        Again is harmless.

        Raises:
            UserNotFound, NotYourself.
        """
        blocked = self.relations.block(
            actor_id,
            other,
            lambda found: relation.must_block(found, actor_id=actor_id),
            at=self.now(),
        )
        # After the block is stored, so that nobody joins behind the removal's back.
        found = self.relations.open_spaces_of(actor_id)
        all_of(*(partial(self._separate, space_id, blocked) for space_id in found))

    def unblock(self, other: UserId, *, actor_id: UserId) -> None:
        """Block no more; whoever was removed is not let back by it."""
        self.relations.unblock(actor_id, other)

    def _separate(self, space_id: SpaceId, blocked: Profile) -> None:
        now = self.now()

        def decide(
            space: Space, member: Participant | None, invite: Invite | None
        ) -> InviteDecision:
            decision = relation.separate(space, member, invite, blocked, now=now)
            found = MemberDecision(space=decision.space, member=decision.member)
            return replace(decision, member=everywhere(found, self.grants).member)

        self.invites.update(space_id, blocked.user_id, decide)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceService:
    """Use cases of apps that want to be reached."""

    registrations: RegistrationStore

    def put(self, device: Registration) -> Registration:
        """Register a device; whoever had its token before has it no more."""
        return self.registrations.put(
            device,
            lambda stored, owner, oldest: register(
                device, stored=stored, owner=owner, oldest=oldest
            ),
        )

    def delete(self, key: DeviceKey) -> None:
        """Forget a device, as at signing out; again is harmless."""
        self.registrations.delete(key)
