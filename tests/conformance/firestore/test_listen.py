"""Listening: what a listener is told, in which order, and after which interruptions."""

import asyncio
import queue
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.benchmarks.firestore_listeners import hear
from tests.conformance.firestore.servers import (
    Client,
    ParleyFirestore,
    client,
    running,
)

WAIT_S = 60.0
QUIET_S = 0.15
F = FieldFilter


class Listener:
    """Collects snapshots of a document or query."""

    def __init__(self, target: Any) -> None:
        self._snapshots: queue.Queue[tuple[dict[str, Any], list[str]]] = queue.Queue()
        self._watch = target.on_snapshot(self._take)

    def _take(self, documents: Any, changes: Any, read_time: Any) -> None:
        state = {found.id: found.to_dict() for found in documents if found.exists}
        news = [f"{change.type.name} {change.document.id}" for change in changes]
        self._snapshots.put((state, news))

    def until(self, *expected: str) -> list[str]:
        """Return the news up to the snapshot whose documents have these ids."""
        news: list[str] = []
        deadline_s = time.monotonic() + WAIT_S
        while True:
            left_s = deadline_s - time.monotonic()
            state, more = self._snapshots.get(timeout=max(0.01, left_s))
            news += more
            if sorted(state) == sorted(expected):
                return news

    def next(self) -> dict[str, Any]:
        """Return the documents of the next snapshot."""
        return self._snapshots.get(timeout=WAIT_S)[0]

    def is_quiet(self) -> bool:
        """Return whether no snapshot comes for a moment."""
        try:
            self._snapshots.get(timeout=QUIET_S)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        """Stop listening."""
        self._watch.unsubscribe()


@pytest.fixture
def listen(stack: ExitStack) -> Callable[[Any], Listener]:
    """Start listeners that end with the test."""

    def start(target: Any) -> Listener:
        listener = Listener(target)
        stack.callback(listener.close)
        return listener

    return start


Listen = Callable[[Any], Listener]


def test_a_document_is_followed(db: Client, listen: Listen) -> None:
    """
    From absent to made, changed and deleted, each state is told.
    """
    document = db.document("rooms/a")
    listener = listen(document)

    assert listener.next() == {}
    document.set({"n": 1})
    assert listener.next() == {"a": {"n": 1}}
    document.update({"n": 2})
    assert listener.next() == {"a": {"n": 2}}
    document.delete()
    assert listener.next() == {}


def test_a_write_that_changes_nothing_is_not_told(db: Client, listen: Listen) -> None:
    """
    Listeners hear of changes, not of writes.
    """
    document = db.document("rooms/a")
    document.set({"n": 1})
    listener = listen(document)
    listener.until("a")

    document.set({"n": 1})

    assert listener.is_quiet()


def test_other_documents_are_not_told(db: Client, listen: Listen) -> None:
    """
    Neither namesakes elsewhere nor documents below.
    """
    listener = listen(db.document("rooms/a"))
    listener.until()

    db.document("rooms/b").set({})
    db.document("halls/a").set({})
    db.document("rooms/a/people/a").set({})

    assert listener.is_quiet()


def test_a_query_is_followed(db: Client, listen: Listen) -> None:
    """
    Documents come, change and go by their content and by deletion.
    """
    rooms = db.collection("rooms")
    rooms.document("a").set({"on": True, "n": 1})
    rooms.document("b").set({"on": False, "n": 1})
    listener = listen(rooms.where(filter=F("on", "==", True)))

    assert listener.until("a") == ["ADDED a"]
    rooms.document("b").update({"on": True})
    assert listener.until("a", "b") == ["ADDED b"]
    rooms.document("a").update({"n": 2})
    assert listener.until("a", "b") == ["MODIFIED a"]
    rooms.document("a").update({"on": False})
    assert listener.until("b") == ["REMOVED a"]
    rooms.document("b").delete()
    assert listener.until() == ["REMOVED b"]


def test_an_empty_query_is_told_at_once(db: Client, listen: Listen) -> None:
    """
    The first snapshot comes also where there is nothing.
    """
    listener = listen(db.collection("rooms").where(filter=F("on", "==", True)))

    assert listener.next() == {}


def test_a_batch_is_one_snapshot(db: Client, listen: Listen) -> None:
    """
    No listener sees half of a commit.
    """
    listener = listen(db.collection("rooms").order_by("n"))
    listener.until()

    batch = db.batch()
    for number in range(20):
        batch.set(db.document(f"rooms/r{number}"), {"n": number})
    batch.commit()

    assert len(listener.next()) == 20


@pytest.fixture
def five(db: Client) -> Any:
    """Five rooms numbered from 1 to 5."""
    rooms = db.collection("rooms")
    for number in range(1, 6):
        rooms.document(f"r{number}").set({"n": number})
    return rooms


def test_a_limit_is_filled_up_again(five: Any, listen: Listen) -> None:
    """
    When a document leaves a limited result, the next one moves in.
    """
    listener = listen(five.order_by("n").limit(2))
    listener.until("r1", "r2")

    five.document("r1").delete()

    assert sorted(listener.until("r2", "r3")) == ["ADDED r3", "REMOVED r1"]


def test_a_limit_pushes_the_last_out(five: Any, listen: Listen) -> None:
    """
    A document that comes before others displaces the last one.
    """
    listener = listen(five.order_by("n").limit(2))
    listener.until("r1", "r2")

    five.document("r0").set({"n": 0})

    assert sorted(listener.until("r0", "r1")) == ["ADDED r0", "REMOVED r2"]


def test_a_limit_notices_a_move_within_and_out(five: Any, listen: Listen) -> None:
    """
    A changed order value moves documents within the window and out of it.
    """
    listener = listen(five.order_by("n").limit(3))
    listener.until("r1", "r2", "r3")

    five.document("r1").update({"n": 2.5})
    assert listener.until("r1", "r2", "r3") == ["MODIFIED r1"]
    five.document("r1").update({"n": 9})
    assert sorted(listener.until("r2", "r3", "r4")) == ["ADDED r4", "REMOVED r1"]


def test_a_skipped_document_that_goes_moves_the_rest(five: Any, listen: Listen) -> None:
    """
    Whether it is deleted or leaves the filter.
    """
    positive = five.where(filter=F("n", ">", 0)).order_by("n")
    listener = listen(positive.offset(2).limit(1))
    listener.until("r3")

    five.document("r1").delete()
    listener.until("r4")
    five.document("r2").update({"n": -1})
    listener.until("r5")


def test_changes_beyond_a_limit_are_not_told(five: Any, listen: Listen) -> None:
    """
    What is not in the window does not matter.
    """
    listener = listen(five.order_by("n").limit(2))
    listener.until("r1", "r2")

    five.document("r5").update({"n": 50})
    five.document("r4").delete()

    assert listener.is_quiet()


def test_cursors_bound_what_is_told(five: Any, listen: Listen) -> None:
    """
    A listened query honours its cursors.
    """
    listener = listen(five.order_by("n").start_after({"n": 2}).end_at({"n": 4}))
    listener.until("r3", "r4")

    five.document("r1").update({"n": 3.5})
    assert listener.until("r1", "r3", "r4") == ["ADDED r1"]
    five.document("r5").update({"n": 5.5})
    assert listener.is_quiet()


def test_a_collection_group_is_followed(db: Client, listen: Listen) -> None:
    """
    Wherever a collection of that id is.
    """
    listener = listen(db.collection_group("people"))
    listener.until()

    db.document("halls/h/people/a").set({})
    listener.until("a")
    db.document("people/b").set({})
    listener.until("a", "b")


def test_an_or_is_followed(db: Client, listen: Listen) -> None:
    """
    A document that changes from one alternative to the other stays.
    """
    rooms = db.collection("rooms")
    rooms.document("a").set({"n": 1})
    listener = listen(rooms.where(filter=F("n", "in", [1, 2])))
    listener.until("a")

    rooms.document("a").set({"n": 2})
    assert listener.until("a") == ["MODIFIED a"]
    rooms.document("a").set({"n": 3})
    assert listener.until() == ["REMOVED a"]


def test_a_projection_tells_its_fields_alone(db: Client, listen: Listen) -> None:
    """
    At the start, after a change, and when a limit is filled up again.
    """
    rooms = db.collection("rooms")
    for number in range(3):
        rooms.document(f"r{number}").set({"n": number, "other": 0})
    every = listen(rooms.order_by("n").select(("n",)))
    first = listen(rooms.order_by("n").select(("n",)).limit(1))
    started = every.next(), first.next()

    rooms.document("r1").update({"n": 5})
    changed = every.next()
    rooms.document("r0").delete()

    assert started == ({f"r{n}": {"n": n} for n in range(3)}, {"r0": {"n": 0}})
    assert changed["r1"] == {"n": 5}
    assert first.next() == {"r2": {"n": 2}}


def test_many_listeners_hear_the_same(db: Client, listen: Listen) -> None:
    """
    Equal queries of one client are told independently of one another.
    """
    query = db.collection("rooms").where(filter=F("on", "==", True))
    listeners = [listen(query) for _ in range(10)]
    for listener in listeners:
        listener.until()

    db.document("rooms/a").set({"on": True})

    for listener in listeners:
        assert listener.until("a") == ["ADDED a"]


def test_every_listener_hears_every_change(parley: ParleyFirestore) -> None:
    """
    However many there are and however close together changes come.
    """
    heard = asyncio.run(
        hear(parley.address, parley.pid, listeners=60, writes_per_s=200, seconds=1)
    )

    assert heard.expected == 12_000
    assert heard.missing == 0


def test_a_listener_survives_the_death_of_the_server(
    tmp_path: Path, project: str, listen: Listen
) -> None:
    """
    The client reconnects by itself and misses nothing that was acknowledged.
    """
    with running(tmp_path) as server, client(server.address, project) as db:
        rooms = db.collection("rooms")
        rooms.document("a").set({"n": 1})
        listener = listen(rooms.order_by("n"))
        listener.until("a")
        rooms.document("b").set({"n": 2})
        listener.until("a", "b")

        server.kill()
        server.start()
        rooms.document("a").delete()
        rooms.document("c").set({"n": 3})

        listener.until("b", "c")
        listener.close()
