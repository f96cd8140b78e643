"""What the embedded queue holds open beyond its work."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from infra.local.auth import TokenIssuer
from infra.local.keys import KeyFolder
from infra.local.tasks import protocol, queues, task_rules
from infra.local.tasks.dispatcher import Dispatcher, wall_clock_us
from infra.local.tasks.store import TaskStore
from tests.worker_process import until

QUEUE: Final = "projects/demo-parley/locations/local/queues/q"
BURST: Final = 40
USUAL: Final = 20  # several times what one task after the other needs


class Functions:
    """Answers no task until a whole burst of them has come, then each at once."""

    def __init__(self) -> None:
        self.come = 0
        self.url = ""
        self._all_came = asyncio.Event()
        self._runner = web.AppRunner(self._app())

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/", self._answer)
        return app

    @property
    def connections(self) -> int:
        """How many are open."""
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    async def start(self) -> None:
        """Listen on loopback."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def aclose(self) -> None:
        """Close everything."""
        await self._runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        self.come += 1
        if self.come == BURST:
            self._all_came.set()
        await self._all_came.wait()
        return web.Response()


class Queue:
    """One queue of the embedded Cloud Tasks, in this process."""

    def __init__(self, folder: Path) -> None:
        self._store = TaskStore(folder / "tasks.db")
        self._store.put_queue(queues.complete(protocol.Queue(name=QUEUE)))
        key = KeyFolder(folder).signing_key("queue")
        self.dispatcher = Dispatcher(self._store, TokenIssuer(key), tombstone_s=1)

    def add(self, url: str) -> None:
        """Create a task that POSTs to `url` now."""
        task = protocol.Task()
        task.http_request.url = url
        accepted = task_rules.accept(task, queue=QUEUE, now_us=wall_clock_us())
        self._store.add(accepted, QUEUE)
        self.dispatcher.wake(QUEUE)

    async def aclose(self) -> None:
        """Stop dispatching."""
        await self.dispatcher.aclose()
        self._store.close()


@pytest.fixture
async def functions() -> AsyncIterator[Functions]:
    """What the tasks are for."""
    functions = Functions()
    await functions.start()
    yield functions
    await functions.aclose()


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    """A queue that dispatches."""
    queue = Queue(tmp_path)
    queue.dispatcher.start()
    yield queue
    await queue.aclose()


async def test_connections_of_a_burst_are_closed_though_tasks_go_on(
    queue: Queue, functions: Functions
) -> None:
    """
    Who once needed many at a time does not hold them for as long as there is work.
    """
    for _ in range(BURST):
        queue.add(functions.url)
    await until(lambda: functions.come == BURST)  # each on a connection of its own

    async def trickle() -> bool:
        queue.add(functions.url)
        await asyncio.sleep(0.2)
        return functions.connections < USUAL

    await until(trickle)
