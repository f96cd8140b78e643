"""Leaving nothing on the live edge of Spaces that are over."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from spaces_contract.ids import SpaceId

from ..domain.errors import SpaceNotFound
from ..domain.live_edge import GRACE, first_sweep, next_sweep
from ..domain.space import Space
from ..domain.states import OVER
from .ports import Clock, EffectQueue, SpaceStore

MAX_MENDED: Final = 200  # in one sweep of the whole edge; the next goes on

logger = logging.getLogger(__name__)


class LiveEdgeObjects(Protocol):
    """All that workers have put on the live edge."""

    def erase(self, space_id: SpaceId) -> int:
        """
        Delete everything of a Space; return how much there was.

        Raises:
            DependencyUnavailable: the store does not answer.
        """
        ...

    def space_ids(self) -> Sequence[SpaceId]:
        """Return the Spaces of which there is anything; raises as `erase` does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEdgeService:
    """
    Deletes what a Space had there, whether its worker ended well or was killed.

    Args:
        open_objects: Opens the store when it is first needed.
    """

    spaces: SpaceStore
    open_objects: Callable[[], LiveEdgeObjects]
    effects: EffectQueue
    now: Clock

    def space_over(self, space: Space) -> None:
        """See that a Space that is over is swept; raises DependencyUnavailable."""
        ended_at = space.ended_at or space.updated_at
        self.effects.put(first_sweep(space.id, ended_at=ended_at))

    def sweep(self, space_id: SpaceId) -> None:
        """
        Delete all of a Space that is over; look again until nothing is found.

        Raises:
            DependencyUnavailable: the task is tried again.
        """
        if not self._is_over(space_id):
            return
        erased = self.open_objects().erase(space_id)
        if not erased:
            return
        logger.info("live edge swept", extra={"space_id": space_id, "objects": erased})
        # Whoever wrote it may have been writing still.
        self.effects.put(next_sweep(space_id, after=self.now()))

    def mend(self, live: Collection[SpaceId]) -> None:
        """See that what is of no live Space is swept, whoever forgot it."""
        left = [each for each in self.open_objects().space_ids() if each not in live]
        for space_id in left[:MAX_MENDED]:
            self.effects.put(next_sweep(space_id, after=self.now() + GRACE))

    def _is_over(self, space_id: SpaceId) -> bool:
        try:
            return self.spaces.get(space_id).state in OVER
        except SpaceNotFound:
            return True
