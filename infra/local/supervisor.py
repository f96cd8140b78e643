"""Owns every process of one stack: starts, keeps and ends them."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final

from .services import Service
from .workloads import Workloads

logger = logging.getLogger(__name__)

_LOG_ROTATION_S: Final = 60.0


class Supervisor:
    """
    Lifecycle: `run()` once; it returns after `interrupt()`, with no process left.

    Args:
        services: In the order of their dependencies; started together, ended in
            reverse order, after the workers.
        launcher: The listening socket of the launcher's API.
        launcher_token: What callers of that API must bear.
    """

    def __init__(
        self,
        services: Sequence[Service],
        workloads: Workloads,
        *,
        launcher: socket.socket,
        launcher_token: str,
    ) -> None:
        self._services = services
        self._workloads = workloads
        self._launcher = launcher
        self._launcher_token = launcher_token
        self._stopping = asyncio.Event()

    def interrupt(self) -> None:
        """Ask `run` to end everything in order; asked again, kill what is left."""
        if self._stopping.is_set():
            self._workloads.kill()
            for service in self._services:
                service.kill()
        self._stopping.set()

    async def run(self, announcement: str) -> None:
        """
        Start all, print `announcement` once all answer, and stay until interrupted.

        Raises:
            StartRefused: a part of the stack did not start.
        """
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        serving = asyncio.create_task(self._serve(announcement), name="serving")
        try:
            await asyncio.wait((stopping, serving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, serving):
                task.cancel()
            await asyncio.wait((stopping, serving))
            await self._close()
        if not serving.cancelled():
            serving.result()

    async def _serve(self, announcement: str) -> None:
        starts = [
            asyncio.create_task(service.start(), name=f"start-{service.name}")
            for service in self._services
        ]
        try:
            async with self._launcher_api():
                await asyncio.gather(*starts)
                sys.stdout.write(f"{announcement}\n")
                sys.stdout.flush()
                await self._keep_running()
        finally:
            for start in starts:
                start.cancel()
            await asyncio.wait(starts)

    async def _keep_running(self) -> None:
        async with asyncio.TaskGroup() as group:
            for service in self._services:
                group.create_task(service.keep_running(), name=f"keep-{service.name}")
            group.create_task(self._rotate_logs(), name="rotate-logs")

    @contextlib.asynccontextmanager
    async def _launcher_api(self) -> AsyncIterator[None]:
        # Imported once the children are on their way: it costs half a second.
        await asyncio.sleep(0)
        from aiohttp import web

        from .launcher import launcher_app

        app = launcher_app(self._workloads, self._launcher_token)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.SockSite(runner, self._launcher).start()
            yield
        finally:
            await runner.cleanup()

    async def _close(self) -> None:
        await self._workloads.aclose()
        for service in reversed(self._services):
            await service.aclose()

    async def _rotate_logs(self) -> None:
        while True:
            await asyncio.sleep(_LOG_ROTATION_S)
            for service in self._services:
                service.rotate_log()
            self._workloads.rotate_logs()
