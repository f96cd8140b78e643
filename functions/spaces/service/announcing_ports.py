"""What scheduling and telling people need from the outside."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from spaces_contract.ids import SpaceId, UserId

from ..domain.announcement import Announcement
from ..domain.fan_out import FanOut
from ..domain.push import Device, Push, PushOutcome


class SubscriberStore(Protocol):
    """Who wants to be told when a scheduled Space is live."""

    def add(self, space_id: SpaceId, user_id: UserId, at: datetime) -> None:
        """Remember the wish; one that is remembered already stays as it is."""
        ...

    def remove(self, space_id: SpaceId, user_id: UserId) -> None:
        """Forget the wish, if there is one."""
        ...

    def has(self, space_id: SpaceId, user_id: UserId) -> bool:
        """Return whether they have that wish."""
        ...

    def page(
        self, space_id: SpaceId, *, limit: int, after: UserId | None
    ) -> Sequence[UserId]:
        """Return subscribers in the order of their ids."""
        ...

    def recount(self, space_id: SpaceId) -> int:
        """Count them, and store the count with the Space where it differs."""
        ...


class DeviceStore(Protocol):
    """People's devices, read and dropped."""

    def of(self, user_ids: Sequence[UserId]) -> Sequence[Device]:
        """Return all devices of these people."""
        ...

    def drop(self, device: Device) -> None:
        """Forget a dead device, unless it has a new token by now."""
        ...


class FanOutStore(Protocol):
    """How far each announcement is."""

    def update(
        self, announcement: Announcement, decide: Callable[[FanOut | None], FanOut]
    ) -> FanOut:
        """
        Run `decide` in one transaction and store what it returns; it may be re-run.

        Raises:
            Contended: others changed it all the while, or `decide` says so.
        """
        ...


class PushSender(Protocol):
    """The push service."""

    def send(self, pushes: Sequence[Push]) -> Mapping[tuple[UserId, str], PushOutcome]:
        """
        Send each of them; return what became of each, by user and device id.

        Never fails: what could not be sent is `LATER`.
        """
        ...
