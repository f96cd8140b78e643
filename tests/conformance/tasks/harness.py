"""The embedded Cloud Tasks as a process, its real client, and a target for tasks."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import (
    CloudTasksGrpcTransport,
)

from tests.bound_process import bound

# The generated client's type hints refuse the dicts that it takes.
Client = Any

ROOT = Path(__file__).parents[3]
KEPT_S = 60.0  # a request whose server is gone, at most
LOCATION = "projects/demo-parley/locations/local"


@dataclass
class Received:
    """One request that the target got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


@dataclass
class Target:
    """
    A handler of tasks: answers by path, and remembers what it was sent.

    Attributes:
        open: While it is not set, requests are kept waiting.
    """

    url: str = ""
    received: list[Received] = field(default_factory=list)
    # path -> statuses to answer with, the last one for ever; 200 for other paths
    statuses: dict[str, list[int]] = field(default_factory=dict)
    extra_headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    open: threading.Event = field(default_factory=threading.Event)
    in_progress: int = 0
    most_in_progress: int = 0

    def at(self, path: str) -> list[Received]:
        """Return the requests to one path."""
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, count: int = 1, *, within_s: float = 60) -> None:
        """Return when `count` requests have come to `path`."""
        until(lambda: len(self.at(path)) >= count, within_s=within_s)

    def answer(self, path: str) -> int:
        """Return the next status for `path`."""
        statuses = self.statuses.get(path, [200])
        return statuses.pop(0) if len(statuses) > 1 else statuses[0]


def until(condition: Callable[[], bool], *, within_s: float = 60) -> None:
    """Return when `condition` holds; fail if it does not in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def serving_target() -> Iterator[Target]:
    """Run an HTTP server on loopback."""
    made = Target()
    made.open.set()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def handle_task(self) -> None:
            with lock:
                made.in_progress += 1
                made.most_in_progress = max(made.most_in_progress, made.in_progress)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.received.append(
                Received(
                    self.command,
                    self.path,
                    dict(self.headers.items()),
                    body,
                    time.time(),
                )
            )
            made.open.wait(KEPT_S)
            time.sleep(made.delay_s)
            with lock:
                made.in_progress -= 1
            self.send_response(made.answer(self.path))
            for name, value in made.extra_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_task

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}
    )
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    made.open.set()
    server.shutdown()
    thread.join()
    server.server_close()


class TasksServer:
    """`python -m infra.local tasks` on one data folder, restartable."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._channel: grpc.Channel | None = None

    def start(self) -> Client:
        """Start it and return a client of it."""
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = (sys.executable, "-m", "infra.local", "tasks", "--port", "0")
        self._process = subprocess.Popen(
            bound(*command, "--data", self.data, *self._options),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        address = self._process.stdout.readline().split()[1]
        self._channel = grpc.insecure_channel(address)
        transport = CloudTasksGrpcTransport(channel=self._channel)
        return tasks_v2.CloudTasksClient(transport=transport)

    def wait(self, *, within_s: float = 60) -> int:
        """Return the exit code of a server that ends by itself."""
        assert self._process is not None
        return self._process.wait(within_s)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default as a crash would."""
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert self._channel is not None
        self._channel.close()
        self._process = None


_numbers = iter(range(1, 1_000_000))


def make_queue(client: Client, *, min_backoff_s: float = 0.05, **settings: Any) -> str:
    """Create a queue with a name of its own and return it."""
    name = f"{LOCATION}/queues/q{os.getpid()}-{next(_numbers)}"
    least = dt.timedelta(seconds=min_backoff_s)
    retry = {"min_backoff": least} | settings.pop("retry_config", {})
    client.create_queue(
        parent=LOCATION, queue={"name": name, "retry_config": retry, **settings}
    )
    return name


def http_task(url: str, **fields: Any) -> dict[str, Any]:
    """Return a task that POSTs to `url`."""
    request = {"url": url, **fields.pop("http_request", {})}
    return {"http_request": request, **fields}


def create(client: Client, queue: str, url: str, **fields: Any) -> tasks_v2.Task:
    """Create a task that POSTs to `url`."""
    task: tasks_v2.Task = client.create_task(
        parent=queue, task=http_task(url, **fields)
    )
    return task


def waiting(client: Client, queue: str) -> int:
    """Return how many tasks a queue holds."""
    return len(list(client.list_tasks(parent=queue)))
