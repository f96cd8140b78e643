"""From when to when a room lets people in, and why it ends."""

import asyncio

from .room_end import RoomEnd


class RoomLife:
    """
    Whether a room is open; once it is told to end, it never is again.

    Lifecycle: `open` once, before or after the first `end`.
    """

    def __init__(self) -> None:
        self._opened = False
        self._reason: RoomEnd | None = None
        self._told = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the room runs, and is not about to end."""
        return self._opened and self._reason is None

    def open(self) -> None:
        """Note that the room runs."""
        self._opened = True

    def end(self, reason: RoomEnd) -> None:
        """Let `ended` return; the first reason counts."""
        if self._reason is None:
            self._reason = reason
            self._told.set()

    async def ended(self) -> RoomEnd:
        """Wait until the room shall end; return why."""
        while self._reason is None:
            await self._told.wait()
        return self._reason
