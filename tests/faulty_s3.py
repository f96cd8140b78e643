"""An S3 of one bucket on loopback, that fails as it is told."""

import asyncio
from enum import Enum
from typing import Final, Self

from aiohttp import web

HANG_S: Final = 10.0
BUCKET: Final = "edge"


class Fault(Enum):
    """What becomes of each request."""

    NONE = 200
    HANGS = 0
    REFUSES = 403
    FULL = 507


class FaultyS3:
    """
    Keeps objects in memory.

    Attributes:
        fault: What is wrong just now.
        objects: What was put, by name.
        kinds: Content type and Cache-Control of each.
    """

    def __init__(self) -> None:
        self.fault = Fault.NONE
        self.objects: dict[str, bytes] = {}
        self.kinds: dict[str, tuple[str, str]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 24)
        app.add_routes([web.route("*", f"/{BUCKET}{{name:.*}}", self._answer)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def settings(self) -> dict[str, str]:
        """Environment by which obstore finds this store."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "PARLEY_LIVE_EDGE_URL": f"s3://{BUCKET}",
        }

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.fault is Fault.HANGS:
            await asyncio.sleep(HANG_S)
        elif self.fault is not Fault.NONE:
            return web.Response(status=self.fault.value)
        name = request.match_info["name"].lstrip("/")
        return self._served(request.method, name, body, request)

    def _served(
        self, method: str, name: str, body: bytes, request: web.Request
    ) -> web.Response:
        match method:
            case "PUT":
                self.objects[name] = body
                headers = request.headers
                kind = headers.get("Content-Type", ""), headers.get("Cache-Control", "")
                self.kinds[name] = kind
                return web.Response(headers={"ETag": '"1"'})
            case "GET" if request.query.get("list-type"):
                return self._listed(request.query.get("prefix", ""))
            case "DELETE":
                self.objects.pop(name, None)
                return web.Response(status=204)
            case _ if name in self.objects:
                headers_of = {"ETag": '"1"', "Last-Modified": DATE}
                return web.Response(body=self.objects[name], headers=headers_of)
            case _:
                return web.Response(status=404)

    def _listed(self, prefix: str) -> web.Response:
        items = "".join(
            f"<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z"
            f"</LastModified><Size>{len(body)}</Size><ETag>1</ETag></Contents>"
            for name, body in sorted(self.objects.items())
            if name.startswith(prefix)
        )
        return web.Response(
            body=f"<ListBucketResult>{items}</ListBucketResult>".encode(),
            content_type="application/xml",
        )


DATE: Final = "Thu, 01 Jan 2026 00:00:00 GMT"
