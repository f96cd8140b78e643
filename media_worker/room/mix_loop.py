"""The worker's heartbeat of sound: one tick per block, without drift."""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Self

from .clock import Clock, Timer
from .durations import Durations

logger = logging.getLogger(__name__)

MAX_LAG_S: Final = 0.060  # three blocks; then ticks are skipped, not made up for


class LoopState(StrEnum):
    """Forward-only life of a loop."""

    NEW = "new"
    RUNNING = "running"
    CLOSED = "closed"


class MixLoop:
    """
    Calls `tick` every `ptime_s` seconds, on a schedule that does not drift.

    A timer and no task: waking a task up takes the event loop a second turn, which
    was a tenth of what a small room costs.

    Lifecycle: NEW -> RUNNING -> CLOSED.  `start()` is legal once.  `aclose()` is
    legal in every state, any number of times; after it nothing is ticked.
    If `tick` raises, the loop closes itself and `wait_closed()` raises that error.

    Args:
        tick: Mixes one block; told when it was due.  Must not block for longer than
            `ptime_s`.
        ptime_s: Length of one block in seconds, 0.020 for Opus over WebRTC.

    Attributes:
        lag: How late ticks began: the event loop's lag.
        work: How long ticks took.
    """

    def __init__(
        self, tick: Callable[[float], None], *, ptime_s: float, clock: Clock
    ) -> None:
        self._tick = tick
        self._ptime_s = ptime_s
        self._clock = clock
        self._due_s = 0.0
        self._timer: Timer | None = None
        self._closed: asyncio.Future[None] | None = None
        self.state = LoopState.NEW
        self.skipped_blocks = 0
        self.lag = Durations()
        self.work = Durations()

    def start(self) -> None:
        """Begin to tick; the first tick is due at once."""
        if self.state is not LoopState.NEW:
            raise RuntimeError(f"cannot start a loop that is {self.state.value}")
        self.state = LoopState.RUNNING
        self._closed = asyncio.get_running_loop().create_future()
        self._due_s = self._clock.now_s()
        self._timer = self._clock.call_at(self._due_s, self._run)

    async def wait_closed(self) -> None:
        """Return when the loop was closed; raise what `tick` raised, if it crashed."""
        if self._closed is not None:
            await asyncio.wait([self._closed])
            self._closed.result()

    async def aclose(self) -> None:
        """Stop ticking."""
        self.state = LoopState.CLOSED
        if self._timer is not None:
            self._timer.cancel()
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _run(self) -> None:
        due_s, began_s = self._due_s, self._clock.now_s()
        self.lag.observe(max(0.0, began_s - due_s))
        try:
            self._tick(due_s)
        except Exception as error:  # for whoever waits, not for the event loop's log
            self._crashed(error)
            return
        ended_s = self._clock.now_s()
        self.work.observe(ended_s - began_s)
        if self.state is LoopState.RUNNING:
            self._due_s = self._next_due(due_s + self._ptime_s, ended_s)
            self._timer = self._clock.call_at(self._due_s, self._run)

    def _crashed(self, error: Exception) -> None:
        self.state = LoopState.CLOSED
        if self._closed is not None and not self._closed.done():
            self._closed.set_exception(error)

    def _next_due(self, due_s: float, now_s: float) -> float:
        """Return the next due time, skipping ahead instead of bursting."""
        lag_s = now_s - due_s
        if lag_s <= MAX_LAG_S:
            return due_s
        skipped = int(lag_s / self._ptime_s)
        self.skipped_blocks += skipped
        logger.warning("mix loop late", extra={"skipped_blocks": skipped})
        return due_s + skipped * self._ptime_s
