"""What `/local/` shows of tasks, pushes and operations, and "run now"."""

import json
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from ..stack import PROJECT_ID
from .cloud_clients import CALL_S, CloudClients
from .problems import problem
from .push_messages import DEVICE_KINDS
from .push_store import PushStore

OPERATIONS_METHOD: Final = "/parley.local.Operations/Get"
_LOCATION: Final = f"projects/{PROJECT_ID}/locations/local"
_MAX_MESSAGES: Final = 500
_MAX_TASKS: Final = 1000
_MAX_DEVICES: Final = 100


class CloudView:
    """Handlers of `/local/push`, `/local/tasks` and `/local/operations`."""

    def __init__(self, push: PushStore, clients: CloudClients) -> None:
        self._push = push
        self._clients = clients

    async def push(self, request: web.Request) -> web.Response:
        """GET ?uid= -> what that user's devices received; without uid, everybody's."""
        uid = request.query.get("uid")
        if uid is None:
            messages = self._push.latest(limit=_MAX_MESSAGES)
            return shown({"messages": [asdict(m) for m in messages]})
        if not uid or "/" in uid:
            return problem(HTTPStatus.BAD_REQUEST, "invalid-uid", "uid is no user's id")
        async with self._clients.asking("Firestore") as clients:
            devices = await _devices(clients.firestore, uid)
        messages = self._push.to_devices(devices, limit=_MAX_MESSAGES)
        return shown(
            {"uid": uid, "devices": devices, "messages": [asdict(m) for m in messages]}
        )

    async def tasks(self, _request: web.Request) -> web.Response:
        """GET -> {"queues", "tasks"}: all queues, and the tasks that wait in them."""
        async with self._clients.asking("Cloud Tasks") as clients:
            found = await clients.tasks.list_queues(parent=_LOCATION, timeout=CALL_S)
            queues = [queue async for queue in found]
            waiting = [await _waiting(clients.tasks, queue.name) for queue in queues]
        tasks = [_task_json(task) for tasks in waiting for task in tasks]
        return shown({"queues": [_proto_json(q) for q in queues], "tasks": tasks})

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
        async with self._clients.asking("Cloud Tasks") as clients:
            try:
                task = await clients.tasks.run_task(name=name, timeout=CALL_S)
            except (NotFound, InvalidArgument) as error:
                return problem(HTTPStatus.NOT_FOUND, "task-not-found", error.message)
        return shown(_task_json(task))

    async def operations(self, _request: web.Request) -> web.Response:
        """GET -> what the services did since their start, as Google bills it."""
        async with self._clients.asking("Firestore") as clients:
            firestore = await _operations(clients.firestore_channel)
        async with self._clients.asking("Cloud Tasks") as clients:
            tasks = await _operations(clients.tasks_channel)
        return shown(firestore | tasks)


def shown(data: dict[str, Any]) -> web.Response:
    """Return JSON that no cache keeps."""
    return web.json_response(data, headers={"Cache-Control": "no-store"})


async def _devices(firestore: Any, uid: str) -> list[str]:
    devices = firestore.collection("users", uid, "devices").limit(_MAX_DEVICES)
    documents = [d.to_dict() async for d in devices.stream(timeout=CALL_S)]
    addresses = [d.get(kind) for d in documents for kind in DEVICE_KINDS]
    return [address for address in addresses if isinstance(address, str)]


async def _waiting(client: Any, queue: str) -> list[Any]:
    from google.cloud.tasks_v2.types import Task

    request = {
        "parent": queue,
        "response_view": Task.View.FULL,
        "page_size": _MAX_TASKS,
    }
    found = await client.list_tasks(request=request, timeout=CALL_S)
    first_page = await anext(found.pages)
    return list(first_page.tasks)


async def _operations(channel: Any) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(
        await channel.unary_unary(OPERATIONS_METHOD)(b"", timeout=CALL_S)
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
