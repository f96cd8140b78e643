"""The operation counter, and the server as a process."""

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local.firestore.operations import (
    difference,
    fetch_operations,
    reset_operations,
)
from tests.conformance.firestore.servers import Client, ParleyFirestore, client, running


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParleyFirestore]:
    """A server that nobody else uses."""
    with running(tmp_path_factory.mktemp("counted")) as server:
        yield server


@pytest.fixture
def channel(counted: ParleyFirestore) -> Iterator[grpc.Channel]:
    """Where the counters are asked for."""
    with grpc.insecure_channel(counted.address) as opened:
        yield opened


@pytest.fixture
def db(counted: ParleyFirestore, project: str) -> Iterator[Client]:
    """The client whose operations are counted; rooms has ten documents."""
    with client(counted.address, project) as made:
        batch = made.batch()
        for number in range(10):
            batch.set(made.document(f"rooms/r{number}"), {"n": number})
        batch.commit()
        yield made


def listen(db: Client) -> None:
    """Listen to five documents, then hear of one change."""
    heard = threading.Semaphore(0)
    query = db.collection("rooms").where(filter=FieldFilter("n", ">=", 5))
    watch = query.on_snapshot(lambda *_: heard.release())
    assert heard.acquire(timeout=60)
    db.document("rooms/r9").update({"m": 1})
    assert heard.acquire(timeout=60)
    watch.unsubscribe()


def rooms(db: Client) -> Any:
    """Return the collection of ten documents."""
    return db.collection("rooms")


COSTS: dict[str, tuple[Callable[[Client], Any], dict[str, int]]] = {
    "a get": (lambda db: db.document("rooms/r1").get(), {"reads": 1}),
    "a get of nothing": (lambda db: db.document("rooms/none").get(), {"reads": 1}),
    "a query": (lambda db: rooms(db).limit(3).get(), {"reads": 3}),
    "a query without results": (
        lambda db: rooms(db).where(filter=FieldFilter("n", "==", 99)).get(),
        {"reads": 1},
    ),
    "an offset": (lambda db: rooms(db).offset(4).limit(2).get(), {"reads": 6}),
    "a count": (lambda db: rooms(db).count().get(), {"reads": 1}),
    "a set": (lambda db: db.document("rooms/r1").set({}), {"writes": 1}),
    "a set of the same": (
        lambda db: db.document("rooms/r1").set({"n": 1}),
        {"writes": 1},
    ),
    "a delete": (lambda db: db.document("rooms/r1").delete(), {"deletes": 1}),
    "listing": (lambda db: list(rooms(db).list_documents()), {"reads": 10}),
    "a listener": (listen, {"reads": 6, "writes": 1}),
}


@pytest.mark.parametrize("name", COSTS)
def test_operations_are_counted_as_billed(
    db: Client, channel: grpc.Channel, name: str
) -> None:
    """
    Each call costs what Google would bill, in total and by collection.
    """
    call, cost = COSTS[name]
    before = fetch_operations(channel)

    call(db)

    spent = difference(before, fetch_operations(channel))
    full = {"reads": 0, "writes": 0, "deletes": 0, **cost}
    assert {key: spent[key] for key in full} == full
    assert spent["collections"] == {"rooms": full}


def test_a_reset_answers_what_was_counted(db: Client, channel: grpc.Channel) -> None:
    """
    Nothing falls between a reset and what it returns.
    """
    before = fetch_operations(channel)

    assert reset_operations(channel) == before
    assert fetch_operations(channel)["reads"] == 0


def command(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the server's command until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "infra.local", "firestore", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def refusal(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line that a refused start says."""
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_a_taken_port_is_refused(parley: ParleyFirestore, tmp_path: Path) -> None:
    """
    In one line, with a status that is not zero.
    """
    result = command("--port", str(parley.port), "--data", str(tmp_path))

    assert str(parley.port) in refusal(result)


def test_a_folder_in_use_is_refused(parley: ParleyFirestore) -> None:
    """
    Two processes never share a database.
    """
    result = command("--port", "0", "--data", str(parley.data))

    assert str(parley.data) in refusal(result)


def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    """
    A file where the folder should be cannot hold a database.
    """
    (tmp_path / "file").touch()

    result = command("--port", "0", "--data", str(tmp_path / "file" / "data"))

    assert "cannot write" in refusal(result)


def test_a_broken_indexes_file_is_refused(tmp_path: Path) -> None:
    """
    Silently ignoring it would hide missing indexes.
    """
    file = tmp_path / "indexes.json"
    file.write_text('{"indexes": [{"fields": 1}]}')

    result = command("--port", "0", "--data", str(tmp_path), "--indexes", str(file))

    assert str(file) in refusal(result)


def test_a_stopped_server_ends_cleanly(tmp_path: Path) -> None:
    """
    SIGTERM ends it with status 0, and a connected listener hears of it.
    """
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with running(tmp_path) as server, client(server.address, "demo-stop") as db:
        name = db.document("rooms/a")._document_path
        target = {"documents": {"documents": [name]}, "target_id": 1}
        requests.put({"database": db._database_string, "add_target": target})
        # A raw stream: `on_snapshot` would spin until its channel is closed.
        answers = db._firestore_api.listen(
            requests=iter(requests.get, None), timeout=60.0
        )
        first = next(answers)

        status = server.stop()

        with pytest.raises(exceptions.ServiceUnavailable):
            list(answers)
        requests.put(None)
    assert first.target_change.target_change_type.name == "ADD"
    assert status == 0
