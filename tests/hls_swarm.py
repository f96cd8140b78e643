"""Many HLS players without ears: what each of them asks for, and when."""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

SEGMENT: Final = re.compile(rb"^([^#\s].*/(\d+)\.ts)$", re.MULTILINE)
POLL_S: Final = 1.0  # of playlist and room.json, as the web client and players do
BEHIND: Final = 3  # segments that a player begins with
CONNECTING: Final = 100  # at once


@dataclass(slots=True)
class SwarmCounts:
    """
    What all players of a swarm have seen.

    Args:
        gaps: Segments that one missed: they had left the playlist already.
        refused: Answers other than 200.
    """

    requests: int = 0
    segments: int = 0
    received_bytes: int = 0
    gaps: int = 0
    refused: int = 0


@dataclass(slots=True)
class Player:
    """One player on one connection."""

    port: int
    space_id: str
    room_path: str
    counts: SwarmCounts
    _reader: asyncio.StreamReader = field(init=False)
    _writer: asyncio.StreamWriter = field(init=False)
    _newest: int = 0

    async def play(self, connecting: asyncio.Semaphore) -> None:
        """Play until cancelled."""
        async with connecting:
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self.port
            )
        try:
            due_s = time.monotonic() + random.uniform(0, POLL_S)
            while True:
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                due_s += POLL_S
                await self._look()
        finally:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    async def _look(self) -> None:
        base = f"/live/{self.space_id}/"
        found = SEGMENT.findall(await self._get(f"{base}audio.m3u8"))
        numbers = [int(number) for _, number in found]
        if numbers and not self._newest:
            self._newest = numbers[max(0, len(numbers) - BEHIND)] - 1
        elif numbers:
            self.counts.gaps += max(0, numbers[0] - self._newest - 1)
        for (path, _), number in zip(found, numbers, strict=True):
            if number > self._newest:
                await self._get(base + path.decode().removeprefix(base))
                self.counts.segments += 1
                self._newest = number
        await self._get(self.room_path)

    async def _get(self, path: str) -> bytes:
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: cdn\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await self._reader.readexactly(int(length[1]) if length else 0)
        self.counts.requests += 1
        self.counts.received_bytes += len(head) + len(body)
        if not head.startswith(b"HTTP/1.1 200"):
            self.counts.refused += 1
            return b""
        return body


@contextlib.asynccontextmanager
async def swarm_of(
    count: int, *, port: int, space_id: str, room_path: str
) -> AsyncIterator[SwarmCounts]:
    """Play with so many players, each on a connection of its own."""
    counts = SwarmCounts()
    connecting = asyncio.Semaphore(CONNECTING)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                Player(port, space_id, room_path, counts).play(connecting)
            )
            for _ in range(count)
        ]
        yield counts
        for task in tasks:
            task.cancel()
