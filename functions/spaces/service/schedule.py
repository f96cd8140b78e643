"""Reminders of scheduled Spaces, and the steps towards an appointed time."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import schedule as rules
from ..domain.announcement import Announcement, AnnouncementKind
from ..domain.effects import CountSubscribers
from ..domain.errors import NotScheduled
from ..domain.space import Space
from ..domain.states import SpaceState
from .announcing import AnnouncingService
from .announcing_ports import SubscriberStore
from .ports import Clock, EffectQueue, SpaceStore

COUNT_EVERY_S: Final = 10  # how far a shown count of subscribers may lag behind

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderService:
    """Use cases of people who wait for a scheduled Space."""

    spaces: SpaceStore
    subscribers: SubscriberStore
    effects: EffectQueue
    now: Clock

    def subscribe(self, space_id: SpaceId, *, actor_id: UserId) -> None:
        """
        Have somebody told when the Space is live; again changes nothing.

        Raises:
            SpaceNotFound.
            NotScheduled: it is not waiting for an appointed time.
        """
        _must_wait(self.spaces.get(space_id))
        self.subscribers.add(space_id, actor_id, self.now())
        # Asked again behind the write: a Space that is still waiting now will see
        # this wish when it goes live; of any other nobody may hope to be told.
        try:
            _must_wait(self.spaces.get(space_id))
        except NotScheduled:
            self.subscribers.remove(space_id, actor_id)
            raise
        self._recount_soon(space_id)

    def unsubscribe(self, space_id: SpaceId, *, actor_id: UserId) -> None:
        """Forget the wish, if there is one."""
        self.subscribers.remove(space_id, actor_id)
        self._recount_soon(space_id)

    def _recount_soon(self, space_id: SpaceId) -> None:
        """Let one task of each window count: a crowd costs one write in 10 s."""
        n = int(self.now().timestamp() // COUNT_EVERY_S) + 1
        at = datetime.fromtimestamp(n * COUNT_EVERY_S, UTC)
        self.effects.put(CountSubscribers(space_id, n, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTasks:
    """What tasks do on the way to an appointed time.  Each may run twice or late."""

    spaces: SpaceStore
    subscribers: SubscriberStore
    announcing: AnnouncingService
    effects: EffectQueue
    now: Clock

    def step(self, space_id: SpaceId, version: int, name: str) -> None:
        """
        Take a step of a schedule and see that the next one comes.

        A step of a schedule that was moved, started or called off does nothing.

        Raises:
            SpaceNotFound, DependencyUnavailable, Contended.
        """
        space = self.spaces.get(space_id)
        step = rules.step_named(space, name, version=version)
        if step is None:
            return
        kind = _TOLD_TO_HOST.get(step.step)
        if kind is not None:
            self.announcing.announce(Announcement(space_id, kind, version))
        if step.step == rules.EXPIRE:
            self._cancel_no_show(space_id, version)
        following = rules.next_step(space, after=step.at)
        if following is not None:
            self.effects.put(following)

    def changed(self, space_id: SpaceId, version: int) -> None:
        """
        Act upon a schedule that was moved or called off, if it is the latest one.

        Raises:
            SpaceNotFound, DependencyUnavailable.
        """
        space = self.spaces.get(space_id)
        if space.schedule_version != version:
            return
        first = rules.next_step(space, after=self.now())
        if space.state is SpaceState.SCHEDULED and first is not None:
            self.effects.put(first)
        kind = _TOLD_OF_CHANGE.get(space.state)
        if kind is not None:
            self.announcing.announce(Announcement(space_id, kind, version))

    def live(self, space: Space) -> None:
        """Tell subscribers that a scheduled Space is live; again is harmless."""
        if space.schedule_version > 0:
            kind = AnnouncementKind.LIVE
            self.announcing.announce(
                Announcement(space.id, kind, space.schedule_version)
            )

    def count(self, space_id: SpaceId) -> None:
        """Bring the shown count of subscribers up to date."""
        self.subscribers.recount(space_id)

    def _cancel_no_show(self, space_id: SpaceId, version: int) -> None:
        now = self.now()
        decision = self.spaces.update(
            space_id,
            lambda found: rules.cancel_no_show(found, version=version, now=now),
        )
        for effect in decision.effects:
            logger.info("nobody came to host", extra={"space_id": space_id})
            self.effects.release(effect)


_TOLD_TO_HOST: Final = {
    rules.REMIND: AnnouncementKind.HOST_SOON,
    rules.DUE: AnnouncementKind.HOST_DUE,
}
_TOLD_OF_CHANGE: Final = {
    SpaceState.SCHEDULED: AnnouncementKind.MOVED,
    SpaceState.CANCELLED: AnnouncementKind.CANCELLED,
}


def _must_wait(space: Space) -> None:
    if space.state is not SpaceState.SCHEDULED or space.scheduled_start is None:
        raise NotScheduled
