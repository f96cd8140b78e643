"""A task queue in simulated time: the clock jumps from one task's time to the next."""

from datetime import datetime, timedelta

from spaces.adapters.cloud_tasks import LATER, task_call
from spaces.domain.effects import Effect
from tests.world import World

RETRY_AFTER = timedelta(seconds=2)
MAX_AHEAD_S = 30 * 24 * 3600  # Cloud Tasks refuses more


class SimulatedQueue:
    """
    Delivers what `world.effects` holds, each task at its time, as a queue would.

    A task that is answered 503 comes again 2 s later; all others are over.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._delivered: set[str] = set()
        self._retries: dict[str, datetime] = {}
        self.log: list[tuple[datetime, str]] = []

    def run_until(self, end: datetime, *, twice: bool = False) -> None:
        """Deliver all that is due by `end`, each task twice where `twice`."""
        while (due := self._next()) is not None and due[0] <= end:
            at, effect = due
            self._world.clock.now = max(at, self._world.clock.now)
            for _ in range(2 if twice else 1):
                self._deliver(effect)
        self._world.clock.now = max(end, self._world.clock.now)

    def _next(self) -> tuple[datetime, Effect] | None:
        pending = [
            (self._at(effect), effect)
            for name, effect in self._world.effects.tasks.items()
            if name not in self._delivered
        ]
        return min(pending, key=lambda entry: entry[0], default=None)

    def _at(self, effect: Effect) -> datetime:
        now = self._world.clock()
        at = effect.at if isinstance(effect, LATER) else now
        assert (at - now).total_seconds() <= MAX_AHEAD_S, effect.name
        return self._retries.get(effect.name, at)

    def _deliver(self, effect: Effect) -> None:
        path, body = task_call(effect)
        answer = self._world.task(path.removeprefix("/tasks/"), body)
        self.log.append((self._world.clock(), effect.name))
        if answer.status_code == 503:
            self._retries[effect.name] = self._world.clock() + RETRY_AFTER
            return
        assert answer.status_code == 204, answer.text
        self._delivered.add(effect.name)
