"""Listen streams by hand: what comes after a resume token, and refused targets."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.conformance.firestore.servers import Client, client, running

WAIT_S = 60.0
F = FieldFilter


def test_a_missing_index_is_told_to_the_listener(ours: Client) -> None:
    """
    A listened query needs the same indexes as any other.
    """
    query = ours.collection("rooms").where(filter=F("x", "==", 1)).order_by("y")

    answers = ours._firestore_api.listen(
        requests=iter([_request(ours, query)]), timeout=WAIT_S
    )

    change = next(iter(answers)).target_change
    assert change.target_change_type.name == "REMOVE"
    assert "requires an index" in change.cause.message
    answers.cancel()


def _request(db: Client, query: Any, token: bytes = b"") -> dict[str, Any]:
    parent, _ = query._parent._parent_info()
    target = {
        "query": {"parent": parent, "structured_query": query._to_protobuf()},
        "target_id": 1,
        "resume_token": token,
    }
    return {"database": db._database_string, "add_target": target}


def _listen_once(db: Client, query: Any, token: bytes = b"") -> tuple[list[str], bytes]:
    """Return the messages up to the first snapshot, in short, and its resume token."""
    seen: list[str] = []
    done = threading.Event()
    answers = db._firestore_api.listen(
        requests=_held_open(_request(db, query, token), done), timeout=WAIT_S
    )
    for answer in answers:
        kind = answer._pb.WhichOneof("response_type")
        if kind == "document_change":
            seen.append("+" + answer.document_change.document.name.rsplit("/", 1)[1])
        elif kind in ("document_delete", "document_remove"):
            name = getattr(answer, kind).document.rsplit("/", 1)[1]
            seen.append(f"-{name}")
        elif kind == "target_change":
            name = answer.target_change.target_change_type.name
            if name == "RESET":
                seen.append("RESET")
            if name == "NO_CHANGE" and not answer.target_change.target_ids:
                answers.cancel()
                done.set()
                return sorted(seen), answer.target_change.resume_token
    raise AssertionError("the stream ended before its first snapshot")


def _held_open(request: dict[str, Any], done: threading.Event) -> Any:
    yield request
    done.wait(WAIT_S)  # gRPC ends the call when its requests end


def _change_all(rooms: Any) -> None:
    """Change one, delete one, take one out, put one in, leave one."""
    rooms.document("r1").update({"m": 1})
    rooms.document("r2").delete()
    rooms.document("r3").update({"n": -1})
    rooms.document("r9").set({"n": 9})


RESUMED: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "query": (
        lambda rooms: rooms.where(filter=F("n", ">", 0)),
        ["+r1", "+r9", "-r2", "-r3"],
    ),
    "limited query": (
        lambda rooms: rooms.where(filter=F("n", ">", 0)).order_by("n").limit(3),
        ["+r1", "+r4", "+r5", "-r2", "-r3"],
    ),
    "collection": (lambda rooms: rooms.limit(100), ["+r1", "+r3", "+r9", "-r2"]),
}


@pytest.mark.parametrize("how", ["reconnect", "stop", "kill"])
def test_a_resumed_listener_is_told_exactly_what_changed(
    tmp_path: Path, project: str, how: str
) -> None:
    """
    Also over a restart of the server: deletions and departures included.
    """
    with running(tmp_path) as server, client(server.address, project) as db:
        rooms = db.collection("rooms")
        for number in range(1, 6):
            rooms.document(f"r{number}").set({"n": number})
        queries = {name: make(rooms) for name, (make, _) in RESUMED.items()}
        tokens = {name: _listen_once(db, q)[1] for name, q in queries.items()}
        _change_all(rooms)
        if how != "reconnect":
            getattr(server, how)()
            server.start()

        seen = {n: _listen_once(db, q, tokens[n])[0] for n, q in queries.items()}

    assert seen == {name: expected for name, (_, expected) in RESUMED.items()}


def test_a_forgotten_token_starts_over(tmp_path: Path, project: str) -> None:
    """
    When history is gone the listener is reset and told everything.
    """
    with (
        running(tmp_path, "--history-rows", "0") as server,
        client(server.address, project) as db,
    ):
        rooms = db.collection("rooms")
        rooms.document("a").set({"n": 1})
        rooms.document("b").set({"n": 1})
        _, token = _listen_once(db, rooms.order_by("__name__"))
        rooms.document("a").delete()

        deadline_s = time.monotonic() + WAIT_S
        seen = ["-a"]
        while seen == ["-a"]:  # the server forgets once a second
            assert time.monotonic() < deadline_s
            time.sleep(0.2)
            seen, _ = _listen_once(db, rooms.order_by("__name__"), token)

    assert seen == ["+b", "RESET"]


def test_a_token_of_other_data_starts_over(tmp_path: Path, project: str) -> None:
    """
    A data folder that was deleted does not leave listeners with stale documents.
    """
    with running(tmp_path / "one") as server, client(server.address, project) as db:
        db.document("rooms/a").set({})
        _, token = _listen_once(db, db.collection("rooms").order_by("__name__"))
    with running(tmp_path / "two") as server, client(server.address, project) as db:
        db.document("rooms/b").set({})

        seen, _ = _listen_once(db, db.collection("rooms").order_by("__name__"), token)

    assert seen == ["+b", "RESET"]
