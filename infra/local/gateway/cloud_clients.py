"""The real client libraries, opened when `/local/` is first asked for something."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from ..stack import PROJECT_ID

CALL_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class OpenClients:
    """
    Google's asynchronous clients, and the channels below them.

    Args:
        firestore: google.cloud.firestore.AsyncClient.
        tasks: google.cloud.tasks_v2.CloudTasksAsyncClient.
    """

    firestore: Any
    tasks: Any
    firestore_channel: Any
    tasks_channel: Any


class CloudClients:
    """
    Opens the clients once; their import alone takes a second, so not at the start.

    Args:
        firestore: host:port of the embedded Firestore.
        tasks: host:port of the embedded Cloud Tasks.
    """

    def __init__(self, *, firestore: str, tasks: str) -> None:
        self._firestore = firestore
        self._tasks = tasks
        self._clients: OpenClients | None = None
        self._opening = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def asking(self, service: str) -> AsyncIterator[OpenClients]:
        """
        Yield the clients.

        Raises:
            HTTPServiceUnavailable: `service` is away, or did not answer in time.
        """
        from google.api_core.exceptions import RetryError, ServerError
        from grpc import RpcError

        try:
            yield await self._opened()
        except (ServerError, RetryError, RpcError) as error:
            raise _unavailable(service) from error

    async def aclose(self) -> None:
        """Close what was opened."""
        if self._clients is not None:
            await self._clients.firestore_channel.close()
            await self._clients.tasks_channel.close()
            self._clients.firestore.close()

    async def _opened(self) -> OpenClients:
        async with self._opening:
            if self._clients is None:
                await asyncio.to_thread(_import_clients)
                self._clients = self._open()
            return self._clients

    def _open(self) -> OpenClients:
        import grpc
        from google.cloud.firestore import AsyncClient
        from google.cloud.tasks_v2 import CloudTasksAsyncClient
        from google.cloud.tasks_v2.services.cloud_tasks.transports import (
            CloudTasksGrpcAsyncIOTransport,
        )

        tasks_channel = grpc.aio.insecure_channel(self._tasks)
        transport = CloudTasksGrpcAsyncIOTransport(channel=tasks_channel)
        return OpenClients(
            firestore=AsyncClient(project=PROJECT_ID),
            tasks=CloudTasksAsyncClient(transport=transport),
            firestore_channel=grpc.aio.insecure_channel(self._firestore),
            tasks_channel=tasks_channel,
        )


def _import_clients() -> None:
    import google.cloud.firestore
    import google.cloud.tasks_v2  # noqa: F401 - slow imports, off the event loop


def _unavailable(service: str) -> web.HTTPServiceUnavailable:
    detail = {"title": "Service Unavailable", "detail": f"{service} is restarting"}
    return web.HTTPServiceUnavailable(
        text=json.dumps(detail),
        content_type="application/problem+json",
        headers={"Retry-After": "1"},
    )
