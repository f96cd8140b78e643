"""Sending a tick in slices, so that thousands of hearers do not hold up the loop."""

import asyncio
from collections.abc import Mapping
from typing import Final

from ..audio.frames import EncodedFrame
from .fan_out import SLICE_ROWS, FanOut

ROWS_AT_A_STRETCH: Final = 4 * SLICE_ROWS  # about 4 ms; then others get their turn


class PacedFanOut:
    """
    A `FanOut` that gives way to the event loop between slices.

    A room of up to `ROWS_AT_A_STRETCH` hearers is sent before `send` returns.

    Args:
        loop: The loop on which all calls come.
    """

    def __init__(self, fan_out: FanOut, loop: asyncio.AbstractEventLoop) -> None:
        self._fan_out = fan_out
        self._loop = loop
        self._next: asyncio.Handle | None = None

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Send one tick; what is left of the tick before goes out first."""
        self._fan_out.begin(frames)
        self._slice()

    def close(self) -> None:
        """Send nothing more; harmless when done before."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _slice(self) -> None:
        self.close()
        sent = 0
        while not self._fan_out.is_sent:
            if sent >= ROWS_AT_A_STRETCH:
                self._next = self._loop.call_soon(self._slice)
                return
            sent += self._fan_out.step()
