"""Monotonic time, as something that a test can turn."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that is going to be called."""

    def cancel(self) -> None:
        """Never call it; harmless when it was called before."""
        ...


class Clock(Protocol):
    """Monotonic seconds, the same that `ReceivedPacket.arrival_s` counts."""

    def now_s(self) -> float:
        """Return the time now."""
        ...

    async def sleep_until(self, due_s: float) -> None:
        """Return at `due_s`, or at the next chance when that has passed."""
        ...

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Call it at `due_s`, or at the next chance when that has passed."""
        ...


class MonotonicClock:
    """The machine's clock."""

    def now_s(self) -> float:
        """Return `time.monotonic()`, which is asyncio's clock too."""
        return time.monotonic()

    async def sleep_until(self, due_s: float) -> None:
        """Sleep to an absolute time; always gives the loop a turn."""
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Call it from the running loop, whose clock is the same."""
        return asyncio.get_running_loop().call_at(due_s, callback)
