"""Agones' sidecar over REST, as a pod of the fleet sees it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class FakeSidecar:
    """One GameServer; `calls` are the paths that the pod posted to, in order."""

    def __init__(self) -> None:
        self.port = 0
        self.calls: list[str] = []
        self.watches = 0
        self._server: dict[str, Any] = {
            "object_meta": {"name": "w1", "labels": {"agones.dev/fleet": "workers"}},
            "status": {"state": "Scheduled", "address": "", "ports": []},
        }
        self._changed = asyncio.Condition()
        self._cut = asyncio.Event()

    async def allocate(
        self, labels: Mapping[str, str], *, address: str, ports: Mapping[str, int]
    ) -> None:
        """Do what an allocation does to the GameServer."""
        self._server["object_meta"]["labels"] |= labels
        self._server["status"] = {
            "state": "Allocated",
            "address": address,
            "ports": [{"name": name, "port": port} for name, port in ports.items()],
        }
        await self._tell()

    async def cut_watches(self) -> None:
        """End every watch, as a sidecar does that is restarted."""
        self._cut.set()
        await self._tell()

    async def called(self, path: str) -> None:
        """Wait until the pod has posted to `path`."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: path in self.calls)

    async def watched(self) -> None:
        """Wait until the pod watches its GameServer."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: self.watches > 0)

    def app(self) -> web.Application:
        """Return the API."""
        app = web.Application()
        app.router.add_get("/watch/gameserver", self._watch)
        app.router.add_post("/{call}", self._call)
        return app

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _call(self, request: web.Request) -> web.Response:
        if await request.json() != {}:
            return web.json_response({"error": "expected {}"}, status=400)
        self.calls.append(request.path)
        await self._tell()
        return web.json_response({})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        self.watches += 1
        self._cut.clear()
        told = None
        while not self._cut.is_set():
            line = json.dumps({"result": self._server}).encode() + b"\n"
            if line != told:
                await response.write(line)
                told = line
            await self._tell()
            async with self._changed:
                await self._changed.wait()
        return response


@asynccontextmanager
async def running_sidecar() -> AsyncIterator[FakeSidecar]:
    """Serve a sidecar on loopback."""
    sidecar = FakeSidecar()
    runner = web.AppRunner(sidecar.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sidecar.port = runner.addresses[0][1]
    try:
        yield sidecar
    finally:
        await sidecar.cut_watches()
        await runner.cleanup()
