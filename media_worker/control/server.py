"""Serves the control API on one address, within the worker's own event loop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette

logger = logging.getLogger(__name__)

GRACE_S: Final = 1
MAX_CONNECTIONS: Final = 512
BACKLOG: Final = 128


class _Server(uvicorn.Server):
    """
    Leaves signals to the worker, and sleeps while there is nothing to answer.

    uvicorn itself looks ten times a second whether it should exit, which costs a small
    room more than its audience does.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Finish what is being answered, then stop."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Wait until told to leave."""
        await self.on_tick(0)
        await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ControlServer:
    """
    A listening socket, and later the application behind it.

    Lifecycle: the socket is bound when it is made, so that its address can be
    announced; `serve()` once; `aclose()` in every state, any number of times.

    Attributes:
        died: Whether it stopped answering although nobody closed it.

    Raises:
        OSError: the address is taken or not this machine's.
    """

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server(
            (host, port), family=family, backlog=BACKLOG
        )
        self._socket.setblocking(False)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.died = False

    @property
    def url(self) -> str:
        """The bound address as a URL."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def serve(self, app: Starlette, *, on_death: Callable[[], None]) -> None:
        """Answer from now on; call `on_death` where that ends by itself."""
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,  # it would be that of the start
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        serving = self._server.serve(sockets=[self._socket])
        self._task = asyncio.create_task(serving, name="control-server")
        self._task.add_done_callback(lambda _: self._ended(on_death))

    async def aclose(self) -> None:
        """Finish what is being answered, then stop."""
        if self._server is not None and self._task is not None:
            self._server.leave()
            await asyncio.wait([self._task])
            if not self._task.cancelled() and self._task.exception() is not None:
                logger.error("control server", exc_info=self._task.exception())
        self._socket.close()

    def _ended(self, on_death: Callable[[], None]) -> None:
        if self._server is not None and not self._server.should_exit:
            logger.error("control server died")
            self.died = True
            on_death()
