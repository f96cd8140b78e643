"""Holds the newest desired state, and lets others wait for it to change."""

import asyncio
from collections.abc import Callable

from .clock import Clock
from .ports import DesiredState


class DesiredCell:
    """The newest `DesiredState` of one room."""

    def __init__(self, desired: DesiredState, *, clock: Clock) -> None:
        self.value = desired
        self._clock = clock
        self._changed = asyncio.Event()

    def put(self, desired: DesiredState) -> None:
        """Replace the state and wake those who wait."""
        self.value = desired
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_until(
        self, holds: Callable[[DesiredState], bool], *, patience_s: float
    ) -> bool:
        """Return True as soon as `holds`, or False after `patience_s`."""
        deadline_s = self._clock.now_s() + patience_s
        while not holds(self.value):
            if self._clock.now_s() >= deadline_s:
                return False
            await self._change_or(deadline_s)
        return True

    async def _change_or(self, deadline_s: float) -> None:
        waits = [
            asyncio.ensure_future(self._changed.wait()),
            asyncio.ensure_future(self._clock.sleep_until(deadline_s)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def unknown_state(epoch: int) -> DesiredState:
    """Return what is assumed until Firestore was heard: live, with nobody on stage."""
    return DesiredState(epoch=epoch, live=True, title="", stage={}, removed=frozenset())
