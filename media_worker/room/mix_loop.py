"""The worker's heartbeat of sound: one tick per block, without drift."""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Self

from .clock import Clock
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

    Lifecycle: NEW -> RUNNING -> CLOSED.  `start()` is legal once.  `aclose()` is
    legal in every state, any number of times, and returns after the task ended.
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
        self._task: asyncio.Task[None] | None = None
        self.state = LoopState.NEW
        self.skipped_blocks = 0
        self.lag = Durations()
        self.work = Durations()

    def start(self) -> None:
        """Begin to tick; the first tick is due at once."""
        if self.state is not LoopState.NEW:
            raise RuntimeError(f"cannot start a loop that is {self.state.value}")
        self.state = LoopState.RUNNING
        self._task = asyncio.create_task(self._run(), name="mix-loop")

    async def wait_closed(self) -> None:
        """Return when the loop was closed; raise what `tick` raised, if it crashed."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def aclose(self) -> None:
        """Stop ticking and wait for the end."""
        self.state = LoopState.CLOSED
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self) -> None:
        due_s = self._clock.now_s()
        try:
            while True:
                await self._clock.sleep_until(due_s)
                began_s = self._clock.now_s()
                self.lag.observe(max(0.0, began_s - due_s))
                self._tick(due_s)
                ended_s = self._clock.now_s()
                self.work.observe(ended_s - began_s)
                due_s = self._next_due(due_s + self._ptime_s, ended_s)
        finally:
            self.state = LoopState.CLOSED

    def _next_due(self, due_s: float, now_s: float) -> float:
        """Return the next due time, skipping ahead instead of bursting."""
        lag_s = now_s - due_s
        if lag_s <= MAX_LAG_S:
            return due_s
        skipped = int(lag_s / self._ptime_s)
        self.skipped_blocks += skipped
        logger.warning("mix loop late", extra={"skipped_blocks": skipped})
        return due_s + skipped * self._ptime_s
