"""A person's right to their data: having all of it, and having it erased."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import erasure
from ..domain.effects import EraseAccount
from ..domain.registration import DeviceKey
from .erasure_ports import AccountStore
from .people_ports import RegistrationStore
from .ports import Clock, EffectQueue, SpaceStore
from .schedule import ReminderService

PAGE: Final = 100  # entries that one step takes at a time
TASK_LIMIT: Final = timedelta(seconds=10)  # then the next task goes on
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

logger = logging.getLogger(__name__)

# Erases a page of one person's traces; returns whether there may be more.
EraseStep = Callable[[UserId], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureService:
    """
    Use cases of people who leave for good, and of the tasks behind that.

    Every step looks for what is left and erases it: done again, or after a crash, it
    finds less.  Profile and handle go first, so that the person can do no more here.

    Args:
        voices: Further steps, which erase what is recorded of the person.
        unname: Takes them off what they made of a Space's recording.
    """

    accounts: AccountStore
    spaces: SpaceStore
    registrations: RegistrationStore
    reminders: ReminderService
    effects: EffectQueue
    now: Clock
    unname: Callable[[SpaceId, UserId], None]
    voices: Sequence[EraseStep] = ()

    def request(self, user_id: UserId) -> None:
        """Begin to erase; again, or of nobody, is harmless."""
        now = self.now()
        version = (now - _EPOCH) // timedelta(microseconds=1)
        running = self.accounts.begin_erasure(EraseAccount(user_id, version, 0), now)
        if running is not None:
            self.effects.release(running)

    def carry_on(self, user_id: UserId, version: int, n: int) -> None:
        """
        Erase for a while, and leave the rest to the next task.

        Raises:
            DependencyUnavailable, Contended: the task is to come again.
        """
        until = self.now() + TASK_LIMIT
        for step in (*self._steps(), *self.voices):
            while step(user_id):
                if self.now() >= until:
                    self.effects.put(EraseAccount(user_id, version, n + 1))
                    return
        self.accounts.end_erasure(user_id)
        logger.info("account erased", extra={"tasks": n + 1})

    def export(self, user_id: UserId) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield all that is kept of a person, one thing with its kind at a time."""
        return self.accounts.export(user_id)

    def _steps(self) -> tuple[EraseStep, ...]:
        return (
            self._end_hosted,
            self._leave_spaces,
            self._forget_reminders,
            self._forget_devices,
            lambda uid: self.accounts.forget_follows(uid, limit=PAGE) >= PAGE,
            lambda uid: self.accounts.forget_words(uid, limit=PAGE) >= PAGE,
            lambda uid: self.accounts.forget_lists(uid, limit=PAGE) >= PAGE,
        )

    def _end_hosted(self, user_id: UserId) -> bool:
        now = self.now()
        found = self.accounts.hosted(user_id, limit=PAGE)
        for space_id in found:
            self.unname(space_id, user_id)
            decision = self.spaces.update(
                space_id, lambda space: erasure.unhosted(space, user_id, now=now)
            )
            for effect in decision.effects:
                self.effects.release(effect)
        return len(found) >= PAGE

    def _leave_spaces(self, user_id: UserId) -> bool:
        now = self.now()
        found = self.accounts.met(user_id, limit=PAGE)
        for space_id in found:
            self.unname(space_id, user_id)
            self.accounts.erase_from(
                space_id,
                user_id,
                lambda traces: erasure.erased_from(traces, user_id, now=now),
            )
        return len(found) >= PAGE

    def _forget_reminders(self, user_id: UserId) -> bool:
        found = self.accounts.waits_for(user_id, limit=PAGE)
        for space_id in found:
            self.reminders.unsubscribe(space_id, actor_id=user_id)
        return len(found) >= PAGE

    def _forget_devices(self, user_id: UserId) -> bool:
        found = self.accounts.devices(user_id, limit=PAGE)
        for device_id in found:
            self.registrations.delete(DeviceKey(user_id, device_id))
        return len(found) >= PAGE
