"""The RPCs of Cloud Tasks v2, on the store and the dispatcher."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final

from . import names, protocol, queues, task_rules
from .dispatcher import Dispatcher, wall_clock_us
from .refusals import exists, invalid, not_found, precondition
from .store import StoredTask, TaskStore

QUEUE_TOMBSTONE_S: Final = 7 * 24 * 3600.0  # production's
_MAX_PAGE: Final = 1000
_NO_QUEUE: Final = (
    "Queue does not exist. If you just created the queue, wait at least a minute for"
    " the queue to initialize."
)
_BURIED_QUEUE: Final = (
    "The queue cannot be created because a queue with this name existed too recently."
)
_BURIED_TASK: Final = (
    "The task cannot be created because a task with this name existed too recently. For"
    " more information about task de-duplication see https://cloud.google.com/tasks/docs"
    "/reference/rest/v2/projects.locations.queues.tasks/create"
    "#body.request_body.FIELDS.task."
)
_GONE_TASK: Final = (
    "The task no longer exists, though a task with this name existed recently. The task"
    " either successfully completed or was deleted."
)


class TasksService:
    """
    One method for each RPC: raw protobuf request in, raw protobuf response out.

    Args:
        tombstone_s: How long a task's name stays taken after the task.
        queue_tombstone_s: How long a queue's does.

    Raises (every method):
        Refused: with the status that production gives.
    """

    def __init__(
        self,
        store: TaskStore,
        dispatcher: Dispatcher,
        *,
        tombstone_s: float,
        queue_tombstone_s: float = QUEUE_TOMBSTONE_S,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._tombstone_us = int(tombstone_s * 1_000_000)
        self._queue_tombstone_us = int(queue_tombstone_s * 1_000_000)
        self._now_us = now_us
        self.tasks_created = 0

    async def ListQueues(self, request: Any) -> Any:
        names.check_location(request.parent)
        if request.filter:
            raise invalid("ListQueuesRequest.filter is not supported")
        limit = _page_size(request.page_size)
        found = self._store.queues(
            request.parent, after=request.page_token, limit=limit + 1
        )
        token = found[limit - 1].name if len(found) > limit else ""
        return protocol.ListQueuesResponse(queues=found[:limit], next_page_token=token)

    async def GetQueue(self, request: Any) -> Any:
        return self._queue(request.name)

    async def CreateQueue(self, request: Any) -> Any:
        names.check_location(request.parent)
        name = request.queue.name
        names.check_queue(name)
        if names.location_of(name) != request.parent:
            raise invalid("Queue.name must be in the request's parent")
        if self._store.queue(name) is not None:
            raise exists("Queue already exists")
        if self._store.buried(name, now_us=self._now_us()):
            raise precondition(_BURIED_QUEUE)
        return self._keep(queues.complete(_settings(request.queue)))

    async def UpdateQueue(self, request: Any) -> Any:
        name = request.queue.name
        names.check_queue(name)
        current = self._store.queue(name)
        if current is None:  # as production: an update creates what is not there
            if self._store.buried(name, now_us=self._now_us()):
                raise precondition(_BURIED_QUEUE)
            return self._keep(queues.complete(_settings(request.queue)))
        return self._keep(
            queues.update(current, request.queue, request.update_mask.paths)
        )

    async def DeleteQueue(self, request: Any) -> Any:
        queue = self._queue(request.name)
        until_us = self._now_us() + self._queue_tombstone_us
        self._store.delete_queue(queue.name, tombstone_until_us=until_us)
        await self._dispatcher.forget(queue.name)
        return protocol.Empty()

    async def PurgeQueue(self, request: Any) -> Any:
        queue = self._queue(request.name)
        now_us = self._now_us()
        protocol.set_timestamp(queue.purge_time, now_us)
        self._store.purge(queue, tombstone_until_us=now_us + self._tombstone_us)
        return queue

    async def PauseQueue(self, request: Any) -> Any:
        return self._set_state(request.name, protocol.Queue.PAUSED)

    async def ResumeQueue(self, request: Any) -> Any:
        return self._set_state(request.name, protocol.Queue.RUNNING)

    async def ListTasks(self, request: Any) -> Any:
        self._queue(request.parent)
        limit = _page_size(request.page_size)
        if request.page_token and not request.page_token.isdecimal():
            raise invalid("Invalid page token")
        after = int(request.page_token or 0)
        found = self._store.tasks(request.parent, after=after, limit=limit + 1)
        token = str(found[limit - 1].id) if len(found) > limit else ""
        shown = [
            task_rules.in_view(stored.message, request.response_view)
            for stored in found[:limit]
        ]
        return protocol.ListTasksResponse(tasks=shown, next_page_token=token)

    async def GetTask(self, request: Any) -> Any:
        stored = self._task(request.name)
        return task_rules.in_view(stored.message, request.response_view)

    async def CreateTask(self, request: Any) -> Any:
        names.check_queue(request.parent)
        if self._store.queue(request.parent) is None:
            raise precondition(_NO_QUEUE)
        now_us = self._now_us()
        task = task_rules.accept(request.task, queue=request.parent, now_us=now_us)
        if self._store.buried(task.name, now_us=now_us):
            raise exists(_BURIED_TASK)
        try:
            self._store.add(task, request.parent)
        except sqlite3.IntegrityError as error:
            raise exists() from error
        self.tasks_created += 1
        self._store.forget(now_us=now_us)
        self._dispatcher.wake(request.parent)
        return task_rules.in_view(task, request.response_view)

    async def DeleteTask(self, request: Any) -> Any:
        stored = self._task(request.name)
        until_us = self._now_us() + self._tombstone_us
        self._store.finish(stored.message.name, tombstone_until_us=until_us)
        return protocol.Empty()

    async def RunTask(self, request: Any) -> Any:
        stored = self._task(request.name)
        task = stored.message
        if not stored.in_flight:
            protocol.set_timestamp(task.schedule_time, self._now_us())
            task = self._dispatcher.run_now(stored)
        return task_rules.in_view(task, request.response_view)

    def _queue(self, name: str) -> Any:
        names.check_queue(name)
        queue = self._store.queue(name)
        if queue is None:
            raise not_found()
        return queue

    def _task(self, name: str) -> StoredTask:
        names.queue_of_task(name)
        stored = self._store.task(name)
        if stored is None:
            buried = self._store.buried(name, now_us=self._now_us())
            raise not_found(_GONE_TASK) if buried else not_found()
        return stored

    def _keep(self, queue: Any) -> Any:
        self._store.put_queue(queue)
        self._dispatcher.wake(queue.name)
        return queue

    def _set_state(self, name: str, state: int) -> Any:
        queue = self._queue(name)
        queue.state = state
        return self._keep(queue)


def _settings(queue: Any) -> Any:
    """Return what a client may set of a queue: its output fields are dropped."""
    settings = protocol.Queue()
    settings.CopyFrom(queue)
    settings.ClearField("state")
    settings.ClearField("purge_time")
    return settings


def _page_size(asked: int) -> int:
    if asked < 0:
        raise invalid("page_size must not be negative")
    return min(asked or _MAX_PAGE, _MAX_PAGE)
