"""Monotonic time, as something that a test can turn."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, the same that `ReceivedPacket.arrival_s` counts."""

    def now_s(self) -> float:
        """Return the time now."""
        ...

    async def sleep_until(self, due_s: float) -> None:
        """Return at `due_s`, or at the next chance when that has passed."""
        ...


class MonotonicClock:
    """The machine's clock."""

    def now_s(self) -> float:
        """Return `time.monotonic()`, which is asyncio's clock too."""
        return time.monotonic()

    async def sleep_until(self, due_s: float) -> None:
        """Sleep to an absolute time; always gives the loop a turn."""
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
