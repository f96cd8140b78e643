"""What becomes of a suspended person's Spaces, and of their place in others'."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import suspension
from ..domain.effects import ShutOut
from ..domain.errors import SpaceNotFound
from ..domain.profile import Profile
from ..domain.relation import shut_out
from ..domain.space import Space
from .live_spaces import every_live
from .membership import everywhere
from .operators_ports import SuspensionStore
from .ports import (
    Clock,
    Cursor,
    EffectQueue,
    GrantSigner,
    MemberStore,
    ProfileStore,
    SpaceStore,
)
from .suspended import KNOWN_FOR_S

LATEST: Final = 100  # Spaces; whoever came to more since is in no older one any more
TASK_LIMIT: Final = timedelta(seconds=10)  # then the next task goes on
# Until every instance knows, they may come in anywhere: then all is looked at again.
AGAIN_AFTER: Final = timedelta(seconds=KNOWN_FOR_S + 10)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

logger = logging.getLogger(__name__)


def first_round(user_id: UserId, now: datetime) -> ShutOut:
    """Return the task with which it begins."""
    return ShutOut(user_id, (now - _EPOCH) // timedelta(microseconds=1), 0, now)


def close_space(
    spaces: SpaceStore, effects: EffectQueue, space_id: SpaceId, now: datetime
) -> Space:
    """End a live Space, call off a scheduled one; raises SpaceNotFound."""
    decision = spaces.update(space_id, lambda space: suspension.closed(space, now=now))
    for effect in decision.effects:
        effects.release(effect)
    return decision.space


@dataclass(frozen=True, slots=True, kw_only=True)
class ShuttingOut:
    """
    Closes their Spaces, and removes them from all others that are live.

    An anonymous listener is in no list, so that it takes one write in every live Space:
    where they are seen comes first, and all others after, task by task.  It goes
    through all of them twice; done again, or after a crash, it finds less.
    """

    spaces: SpaceStore
    members: MemberStore
    profiles: ProfileStore
    grants: GrantSigner
    suspensions: SuspensionStore
    effects: EffectQueue
    now: Clock

    def carry_on(self, task: ShutOut) -> None:
        """
        Shut somebody out for a while, and leave the rest to the next task.

        Raises:
            DependencyUnavailable, Contended: the task is to come again.
        """
        if task.user_id not in self.suspensions.all():
            return  # they may act again, and nobody need leave
        until = self.now() + TASK_LIMIT
        after_task = replace(task, n=task.n + 1)
        for after in self._steps(task):
            # Never before the first live Space: the next task would begin anew, and
            # find the same Spaces that are over, where nobody ever left the list.
            if after is not None and (now := self.now()) >= until:
                self.effects.put(replace(after_task, at=now, after=after))
                return
        if not task.last:
            known_at = _EPOCH + timedelta(microseconds=task.version) + AGAIN_AFTER
            at = max(known_at, self.now())
            self.effects.put(replace(after_task, at=at, last=True, after=None))
        logger.info("person shut out", extra={"tasks": task.n + 1, "last": task.last})

    def _steps(self, task: ShutOut) -> Iterator[tuple[datetime, SpaceId] | None]:
        """Do one write after the other; yield after which Space to go on."""
        user_id, after = task.user_id, task.after
        if after is None:
            for space_id in self.suspensions.open_hosted(user_id):
                close_space(self.spaces, self.effects, space_id, self.now())
                yield None
        person = self.profiles.get(user_id)
        if person is None:  # without an account nobody is let in anywhere
            return
        if after is None:
            for space_id in self.suspensions.present_in(user_id, limit=LATEST):
                self._remove(person, space_id)
                yield None
        cursor = Cursor(*after) if after else None
        for space in every_live(self.spaces, cursor):
            self._remove(person, space.id)
            yield space.started_at or space.created_at, space.id

    def _remove(self, person: Profile, space_id: SpaceId) -> None:
        now = self.now()
        # A Space that was deleted by hand has nobody left in it, but still a list.
        with suppress(SpaceNotFound):
            self.members.update(
                space_id,
                person.user_id,
                lambda space, member: everywhere(
                    shut_out(space, member, person, now=now), self.grants
                ),
            )
