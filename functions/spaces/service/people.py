"""Following, blocking, and the devices on which people are reached."""

from dataclasses import dataclass

from spaces_contract.ids import UserId

from ..domain import relation
from ..domain.registration import DeviceKey, Registration, register
from .membership import everywhere
from .people_ports import RegistrationStore, RelationStore
from .ports import Clock, GrantSigner, MemberStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationService:
    """Use cases of everybody who likes or dislikes somebody."""

    relations: RelationStore
    members: MemberStore
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
        Block, and remove them from the blocker's own live Spaces; again is harmless.

        Raises:
            UserNotFound, NotYourself.
        """
        now = self.now()
        blocked = self.relations.block(
            actor_id,
            other,
            lambda found: relation.must_block(found, actor_id=actor_id),
            at=now,
        )
        # After the block is stored, so that nobody joins behind the removal's back.
        for space_id in self.relations.live_spaces_of(actor_id):
            self.members.update(
                space_id,
                other,
                lambda space, member: everywhere(
                    relation.shut_out(space, member, blocked, now=now), self.grants
                ),
            )

    def unblock(self, other: UserId, *, actor_id: UserId) -> None:
        """Block no more; whoever was removed is not let back by it."""
        self.relations.unblock(actor_id, other)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceService:
    """Use cases of apps that want to be reached."""

    registrations: RegistrationStore

    def put(self, device: Registration) -> Registration:
        """Register a device; whoever had its token before has it no more."""
        return self.registrations.put(
            device,
            lambda stored, owner: register(device, stored=stored, owner=owner),
        )

    def delete(self, key: DeviceKey) -> None:
        """Forget a device, as at signing out; again is harmless."""
        self.registrations.delete(key)
