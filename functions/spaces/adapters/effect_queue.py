"""Effects on their way to the task queue, with Firestore's outbox behind them."""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from spaces_contract.trace_context import TraceContext, parse, within
from spaces_tracing.spans import Fact, SpanKind, span

from ..domain.effects import CheckWorker, Effect, LaunchWorker
from ..domain.errors import DependencyUnavailable
from .firestore.outbox import FirestoreOutbox

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTarget:
    """
    The queue, and how it reaches the functions.

    Args:
        queue: `projects/…/locations/…/queues/…`.
        url: Of the functions, without `/tasks`.
        service_account: Whose OIDC token the queue sends.
        audience: Of that token.
    """

    queue: str
    url: str
    service_account: str
    audience: str


class TaskCreator(Protocol):
    """The task queue, as far as effects need it."""

    def create(self, effect: Effect) -> None:
        """Enqueue it under its name; raises DependencyUnavailable."""
        ...


class OutboxEffectQueue:
    """
    `EffectQueue` on a task queue and the outbox.

    Args:
        open_tasks: Opens the queue when the first effect comes: few requests have
            one, and the library for it would be a third of a cold start.
    """

    def __init__(
        self, open_tasks: Callable[[], TaskCreator], outbox: FirestoreOutbox
    ) -> None:
        self._tasks = functools.cache(open_tasks)
        self._outbox = outbox

    def put(self, effect: Effect) -> None:
        """Create the named task; see `EffectQueue`."""
        with within(_stored_trace(effect)):
            if isinstance(effect, CheckWorker):  # one follows the other all the time
                self._tasks().create(effect)
                return
            # Not its name, which may be somebody's.
            task = {Fact.TASK: type(effect).__name__}
            with span("enqueue task", SpanKind.PRODUCER, task):
                self._tasks().create(effect)

    def release(self, effect: Effect) -> None:
        """Create the task, then delete the stored effect; see `EffectQueue`."""
        try:
            self.put(effect)
            self._outbox.delete(effect)
        except DependencyUnavailable:
            logger.warning(
                "effect left in the outbox",
                extra={"effect": effect.name},
                exc_info=True,
            )

    def leftovers(self, *, before: datetime, limit: int) -> Sequence[Effect]:
        """Read the outbox; see `EffectQueue`."""
        return self._outbox.stored_before(before, limit=limit)


def _stored_trace(effect: Effect) -> TraceContext | None:
    return parse(effect.traceparent) if isinstance(effect, LaunchWorker) else None
