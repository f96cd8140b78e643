"""What placing relays needs from the outside."""

from collections.abc import Callable
from typing import Protocol

from spaces_contract.ids import SpaceId

from ..domain.relays import RelayBook, RelayPlan


class RelayStore(Protocol):
    """Which relays were asked for, and what each of them has to know."""

    def plan(
        self,
        space_id: SpaceId,
        decide: Callable[[RelayBook | None], RelayPlan],
        forward_for: Callable[[int], str],
    ) -> RelayPlan:
        """
        Run `decide` in one transaction and store what it decided; it may be re-run.

        A relay that is placed gets a runtime document, with the token by which it
        hears the origin.

        Args:
            forward_for: Signs that token, by the relay's number.

        Raises:
            Contended: others changed it all the while.
            DependencyUnavailable: the store does not answer.
        """
        ...

    def launched(self, space_id: SpaceId, epoch: int, index: int, ref: str) -> None:
        """Note what the launcher calls a relay, unless it was dropped meanwhile."""
        ...
