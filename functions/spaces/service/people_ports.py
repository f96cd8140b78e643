"""What the use cases of people need from the outside, as interfaces."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from spaces_contract.ids import SpaceId, UserId

from ..domain.profile import Profile
from ..domain.registration import DeviceKey, Registered, Registration
from ..domain.relation import FollowFacts

Register = Callable[
    [Registration | None, DeviceKey | None, Sequence[Registration]], Registered
]


class RelationStore(Protocol):
    """Who follows and blocks whom."""

    def follow(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[FollowFacts], None],
        *,
        at: datetime,
    ) -> None:
        """Store it if `check` does not raise; again changes nothing that matters."""
        ...

    def unfollow(self, user_id: UserId, other: UserId) -> None:
        """Forget it, if it is there."""
        ...

    def block(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[Profile | None], Profile],
        *,
        at: datetime,
    ) -> Profile:
        """
        Store it if `check` does not raise, and end following in both directions.

        Returns:
            What `check` returned.
        """
        ...

    def unblock(self, user_id: UserId, other: UserId) -> None:
        """Forget it, if it is there."""
        ...

    def open_spaces_of(self, host_id: UserId) -> Sequence[SpaceId]:
        """Return the Spaces that this person hosts: live ones, then those to come."""
        ...


class RegistrationStore(Protocol):
    """People's devices, as their apps report them."""

    def put(self, device: Registration, decide: Register) -> Registration:
        """
        Store what `decide` makes of the device's and the token's earlier entries.

        Of a new device it is also given the person's oldest `MAX_DEVICES`.

        Raises:
            Contended: others changed them all the while.
        """
        ...

    def delete(self, key: DeviceKey) -> None:
        """Forget a device and its token; one that is not there is no error."""
        ...
