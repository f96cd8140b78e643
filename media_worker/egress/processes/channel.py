"""A stream of messages over a socket between two processes of one worker."""

import asyncio
import socket
from typing import Final, Self

from .messages import Notice, Order, decode, encode

_MAX_LINE_BYTES: Final = 1024 * 1024  # a report on 5,000 lossy listeners is a third
MAX_UNREAD_BYTES: Final = 4 * 1024 * 1024  # then the other end hangs


class ChannelStuck(Exception):
    """The other end does not read."""


class Channel:
    """
    Sends messages without waiting and receives them one by one.

    Lifecycle: open until `close`, or until the other end is gone.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> Self:
        """Take over a connected stream socket."""
        return cls(
            *await asyncio.open_unix_connection(sock=connected, limit=_MAX_LINE_BYTES)
        )

    def send(self, message: Order | Notice) -> None:
        """
        Queue a message; where the other end is gone, it is dropped.

        Raises:
            ChannelStuck: `MAX_UNREAD_BYTES` wait already.
        """
        if self._writer.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            raise ChannelStuck
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def receive(self) -> Order | Notice | None:
        """Return the next message, or None when the other end is gone."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        return decode(line) if line.endswith(b"\n") else None

    async def flush(self) -> None:
        """Wait until what was sent is on its way."""
        try:
            await self._writer.drain()
        except ConnectionError:
            return

    def close(self) -> None:
        """Close this end; harmless when done before."""
        self._writer.close()
