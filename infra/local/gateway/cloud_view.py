"""What `/local/` shows of the embedded cloud, read through the real clients."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from ..stack import PROJECT_ID
from .problems import problem
from .push_messages import DEVICE_KINDS
from .push_store import PushStore

OPERATIONS_METHOD: Final = "/parley.local.Operations/Get"
_LOCATION: Final = f"projects/{PROJECT_ID}/locations/local"
_CALL_S: Final = 5.0
_MAX_MESSAGES: Final = 500
_MAX_TASKS: Final = 1000
_MAX_DEVICES: Final = 100


@dataclass(slots=True)
class _Clients:
    """Opened when something is first asked for: their import takes a second."""

    firestore: Any
    tasks: Any
    firestore_channel: Any
    tasks_channel: Any


class CloudView:
    """
    The read-only developer endpoints, and "run now".

    Args:
        firestore: host:port of the embedded Firestore.
        tasks: host:port of the embedded Cloud Tasks.
    """

    def __init__(self, push: PushStore, *, firestore: str, tasks: str) -> None:
        self._push = push
        self._firestore = firestore
        self._tasks = tasks
        self._clients: _Clients | None = None
        self._opening = asyncio.Lock()

    async def aclose(self) -> None:
        """Close what was opened."""
        if self._clients is not None:
            await self._clients.firestore_channel.close()
            await self._clients.tasks_channel.close()
            self._clients.firestore.close()
        self._push.close()

    async def push(self, request: web.Request) -> web.Response:
        """GET ?uid= -> what that user's devices received; without uid, everybody's."""
        uid = request.query.get("uid")
        if uid is None:
            messages = self._push.latest(limit=_MAX_MESSAGES)
            return _json({"messages": [asdict(m) for m in messages]})
        if not uid or "/" in uid:
            return problem(HTTPStatus.BAD_REQUEST, "invalid-uid", "uid is no user's id")
        async with self._asking("Firestore") as clients:
            devices = await self._devices(clients.firestore, uid)
        messages = self._push.to_devices(devices, limit=_MAX_MESSAGES)
        return _json(
            {"uid": uid, "devices": devices, "messages": [asdict(m) for m in messages]}
        )

    async def tasks(self, _request: web.Request) -> web.Response:
        """GET -> {"queues", "tasks"}: all queues, and the tasks that wait in them."""
        from google.cloud.tasks_v2.types import Task

        async with self._asking("Cloud Tasks") as clients:
            client = clients.tasks
            queues = [q async for q in await client.list_queues(parent=_LOCATION)]
            waiting = []
            for queue in queues:
                request = {"parent": queue.name, "response_view": Task.View.FULL}
                async for task in await client.list_tasks(request=request):
                    waiting.append(_task_json(task))
                    if len(waiting) == _MAX_TASKS:
                        break
        return _json({"queues": [_proto_json(q) for q in queues], "tasks": waiting})

    async def run_task(self, request: web.Request) -> web.Response:
        """POST {"name"} -> dispatch that task at once, whatever its time."""
        from google.api_core.exceptions import InvalidArgument, NotFound

        # Needs this content type, which no foreign page may send unasked.
        try:
            name = (await request.json())["name"]
        except (ValueError, KeyError, TypeError):
            name = None
        if request.content_type != "application/json" or not isinstance(name, str):
            return problem(HTTPStatus.BAD_REQUEST, "invalid-task", 'expected {"name"}')
        async with self._asking("Cloud Tasks") as clients:
            try:
                task = await clients.tasks.run_task(name=name)
            except (NotFound, InvalidArgument) as error:
                return problem(HTTPStatus.NOT_FOUND, "task-not-found", error.message)
        return _json(_task_json(task))

    async def operations(self, _request: web.Request) -> web.Response:
        """GET -> what the services did since their start, as Google bills it."""
        async with self._asking("Firestore") as clients:
            firestore = await _operations(clients.firestore_channel)
        async with self._asking("Cloud Tasks") as clients:
            tasks = await _operations(clients.tasks_channel)
        return _json(firestore | tasks)

    async def _devices(self, firestore: Any, uid: str) -> list[str]:
        devices = firestore.collection("users", uid, "devices").limit(_MAX_DEVICES)
        documents = [d.to_dict() async for d in devices.stream(timeout=_CALL_S)]
        addresses = [d.get(kind) for d in documents for kind in DEVICE_KINDS]
        return [address for address in addresses if isinstance(address, str)]

    @contextlib.asynccontextmanager
    async def _asking(self, service: str) -> AsyncIterator[_Clients]:
        from google.api_core.exceptions import GoogleAPIError
        from grpc import RpcError

        try:
            yield await self._opened()
        except (GoogleAPIError, RpcError) as error:
            raise _unavailable(service) from error

    async def _opened(self) -> _Clients:
        async with self._opening:
            if self._clients is None:
                await asyncio.to_thread(_import_clients)
                self._clients = self._open()
            return self._clients

    def _open(self) -> _Clients:
        import grpc
        from google.cloud.firestore import AsyncClient
        from google.cloud.tasks_v2 import CloudTasksAsyncClient
        from google.cloud.tasks_v2.services.cloud_tasks.transports import (
            CloudTasksGrpcAsyncIOTransport,
        )

        tasks_channel = grpc.aio.insecure_channel(self._tasks)
        transport = CloudTasksGrpcAsyncIOTransport(channel=tasks_channel)
        return _Clients(
            firestore=AsyncClient(project=PROJECT_ID),
            tasks=CloudTasksAsyncClient(transport=transport),
            firestore_channel=grpc.aio.insecure_channel(self._firestore),
            tasks_channel=tasks_channel,
        )


def _import_clients() -> None:
    import google.cloud.firestore
    import google.cloud.tasks_v2  # noqa: F401 - slow imports, off the event loop


async def _operations(channel: Any) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(
        await channel.unary_unary(OPERATIONS_METHOD)(b"", timeout=_CALL_S)
    )
    return counts


def _proto_json(message: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    raw = type(message).pb(message)
    shown: dict[str, Any] = MessageToDict(raw, preserving_proto_field_name=True)
    return shown


def _task_json(task: Any) -> dict[str, Any]:
    shown = _proto_json(task)
    request = shown.get("http_request", {})
    # Base64 in protobuf's JSON form; ours are JSON texts, which people can read.
    request["body"] = task.http_request.body.decode("utf-8", "replace")
    return shown


def _unavailable(service: str) -> web.HTTPServiceUnavailable:
    detail = {"title": "Service Unavailable", "detail": f"{service} is restarting"}
    return web.HTTPServiceUnavailable(
        text=json.dumps(detail),
        content_type="application/problem+json",
        headers={"Retry-After": "1"},
    )


_json = functools.partial(web.json_response, headers={"Cache-Control": "no-store"})
