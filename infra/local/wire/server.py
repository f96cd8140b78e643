"""A listening socket, and the connections that it accepted."""

import asyncio
import socket
from collections.abc import Mapping

from .connection import Connection, Route


class WireServer:
    """
    Serves gRPC methods without TLS.

    Lifecycle: `start()` once, then `aclose()`; both in the same event loop.

    Args:
        routes: Who serves which method, by its path (`/package.Service/Method`).
        max_message_bytes: A longer request is refused with INVALID_ARGUMENT.
    """

    def __init__(self, routes: Mapping[str, Route], *, max_message_bytes: int) -> None:
        self._routes = routes
        self._max_message_bytes = max_message_bytes
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve the clients of a listening socket, which is then ours."""
        self._server = await asyncio.get_running_loop().create_server(
            self._connection, sock=listener
        )

    async def aclose(self, grace_s: float) -> None:
        """Stop: no new calls, at most `grace_s` for those in flight."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.stop()
        await self._wait_closed(grace_s)
        for connection in list(self._connections):
            connection.abort()
        await self._wait_closed(grace_s)

    async def _wait_closed(self, timeout_s: float) -> None:
        waiting = [connection.closed for connection in self._connections]
        if waiting:
            await asyncio.wait(waiting, timeout=timeout_s)

    def _connection(self) -> Connection:
        return Connection(
            self._routes,
            self._connections,
            max_message_bytes=self._max_message_bytes,
        )
