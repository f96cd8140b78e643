"""Nothing acknowledged is lost by `kill -9`, and names are remembered."""

import contextlib
import datetime as dt
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import AlreadyExists, GoogleAPIError

from tests.conformance.tasks.harness import (
    LOCATION,
    Client,
    Target,
    TasksServer,
    http_task,
    until,
)

QUEUE = f"{LOCATION}/queues/parley"
Starter = Callable[..., TasksServer]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Starter]:
    """Makes servers on one data folder, and ends them."""
    made: list[TasksServer] = []

    def make(*options: str) -> TasksServer:
        made.append(TasksServer(tmp_path, *options))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def later(seconds: float) -> dt.datetime:
    """Return a time ahead."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


def test_a_task_whose_time_passes_while_down_is_sent_at_once(
    server: Starter, target: Target
) -> None:
    """
    It fires when the server is back, not never.
    """
    first = server()
    client = first.start()
    for ahead_s in (1, 4, 16):  # a busy machine takes its time
        at = later(ahead_s)
        name = f"{QUEUE}/tasks/in-{ahead_s}"
        task = http_task(f"{target.url}/in-{ahead_s}", schedule_time=at)
        client.create_task(parent=QUEUE, task={"name": name, **task})
        first.kill()
        if dt.datetime.now(dt.UTC) < at:
            break
        client = first.start()
    time.sleep(max(0.0, at.timestamp() + 0.1 - time.time()))
    assert target.at(f"/in-{ahead_s}") == []

    server().start()

    target.wait_for(f"/in-{ahead_s}")


def test_a_task_for_later_keeps_its_time_over_a_crash(
    server: Starter, target: Target
) -> None:
    """
    Restarted in time, it is not sent before, and says for when it was.
    """
    first = server()
    client = first.start()
    at = later(2)
    client.create_task(
        parent=QUEUE, task=http_task(f"{target.url}/t", schedule_time=at)
    )
    first.kill()

    server().start()

    target.wait_for("/t")
    received = target.received[0]
    assert received.at_s >= at.timestamp()
    eta_s = float(received.headers["X-CloudTasks-TaskETA"])
    assert eta_s == pytest.approx(at.timestamp(), abs=1e-3)


def test_an_attempt_cut_off_by_a_crash_is_made_again(
    server: Starter, target: Target
) -> None:
    """
    Delivery is at least once, and the retry count tells.
    """
    target.open.clear()
    first = server()
    first.start().create_task(parent=QUEUE, task=http_task(f"{target.url}/cut"))
    target.wait_for("/cut")
    first.kill()
    target.open.set()

    server().start()

    target.wait_for("/cut", 2)
    assert target.at("/cut")[1].headers["X-CloudTasks-TaskRetryCount"] == "1"


def test_names_and_settings_survive_a_crash(server: Starter, target: Target) -> None:
    """
    Tombstones, paused queues and retry counts are as they were.
    """
    first = server()
    client = first.start()
    named = {"name": f"{QUEUE}/tasks/done", **http_task(f"{target.url}/done")}
    client.create_task(parent=QUEUE, task=named)
    target.wait_for("/done")
    until(lambda: not list(client.list_tasks(parent=QUEUE)))
    other = f"{LOCATION}/queues/other"
    client.create_queue(parent=LOCATION, queue={"name": other})
    client.pause_queue(name=other)
    first.kill()

    client = server().start()

    with pytest.raises(AlreadyExists):
        client.create_task(parent=QUEUE, task=named)
    assert client.get_queue(name=other).state.name == "PAUSED"


def test_no_acknowledged_create_is_lost_at_any_instant(
    server: Starter, target: Target
) -> None:
    """
    Killed at random points of a stream of creates, every acknowledged one is there.
    """
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    for round_ in range(3):
        one = server()
        client = one.start()
        stop_at_s = time.monotonic() + chance.uniform(0.05, 0.25)
        create_until(client, acknowledged, round_, stop_at_s)
        one.kill()

    listed = {task.name for task in server().start().list_tasks(parent=QUEUE)}

    assert acknowledged <= listed, f"seed {seed}"


def create_until(
    client: Client, acknowledged: set[str], round_: int, stop_at_s: float
) -> None:
    """Create tasks for later until it is time to crash."""
    number = 0
    while time.monotonic() < stop_at_s:
        name = f"{QUEUE}/tasks/r{round_}-{number}"
        number += 1
        try:
            client.create_task(
                parent=QUEUE,
                task={
                    "name": name,
                    **http_task("http://127.0.0.1:9/", schedule_time=later(3600)),
                },
            )
        except (GoogleAPIError, grpc.RpcError):
            return
        acknowledged.add(name)


def test_a_tombstones_time_can_be_set(server: Starter, target: Target) -> None:
    """
    With half a second, the name is free again after that, and not only in an hour.
    """
    client = server("--tombstone-s", "0.5").start()
    task = {"name": f"{QUEUE}/tasks/again", **http_task(f"{target.url}/again")}
    began_s = time.monotonic()
    client.create_task(parent=QUEUE, task=task)
    target.wait_for("/again")

    until(lambda: is_created(client, task))

    assert time.monotonic() - began_s >= 0.5
    target.wait_for("/again", 2)


def is_created(client: Client, task: dict[str, Any]) -> bool:
    """Create a task if its name is free; return whether it was."""
    try:
        client.create_task(parent=QUEUE, task=task)
    except AlreadyExists:
        return False
    return True


def test_a_share_of_tasks_is_delivered_twice(server: Starter, target: Target) -> None:
    """
    With a half, every other task comes twice, as delivery is at least once.
    """
    client = server("--twice", "0.5").start()

    for number in range(4):
        task = http_task(f"{target.url}/{number}")
        client.create_task(parent=QUEUE, task=task)
        target.wait_for(f"/{number}", 1 + number % 2)

    assert len(target.received) == 6


def test_the_sweep_comes_by_itself(server: Starter, target: Target) -> None:
    """
    A task named for the minute POSTs to the sweep's URL, once for the minute.
    """
    url = f"{target.url}/tasks/sweep"
    client = server("--sweep-url", url, "--sweep-account", "s@x.example").start()
    target.wait_for("/tasks/sweep")

    request = target.received[0]
    assert request.method == "POST"
    assert request.body == b"{}"
    assert request.headers["Authorization"].startswith("Bearer ")
    assert request.headers["X-CloudTasks-TaskName"].startswith("sweep-")
    assert client.get_queue(name=QUEUE).name == QUEUE


@pytest.mark.parametrize("table", ["tasks", "queues"])
def test_a_server_that_cannot_dispatch_any_more_ends(
    server: Starter, target: Target, tmp_path: Path, table: str
) -> None:
    """
    A broken database ends the process, so that its supervisor starts another; it does
    not go on accepting what nobody would dispatch.
    """
    target.delay_s = 1
    broken = server()
    broken.start().create_task(parent=QUEUE, task=http_task(f"{target.url}/last"))
    target.wait_for("/last")

    break_database(tmp_path, f"DROP TABLE {table}")

    assert broken.wait() == 1


def test_a_sweep_that_breaks_ends_the_server(server: Starter, tmp_path: Path) -> None:
    """
    Without it, nothing that was left behind would ever be released.
    """
    first = server()
    first.start()
    first.kill()
    break_database(
        tmp_path,
        "CREATE TRIGGER full BEFORE INSERT ON tasks BEGIN DELETE FROM gone; END",
    )
    broken = server("--sweep-url", "http://127.0.0.1:9/tasks/sweep")

    broken.start()

    assert broken.wait() == 1


def break_database(data: Path, statement: str) -> None:
    """Let the server's next statements fail, as a full or torn disk would."""
    with contextlib.closing(sqlite3.connect(data / "tasks.db")) as database:
        database.execute(statement)
        database.commit()
