"""Composite indexes are required as in production; TTL fields expire documents."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.conformance.firestore.conftest import INDEXES
from tests.conformance.firestore.servers import Client, client, running

WAIT_S = 60.0
F = FieldFilter


def rooms(db: Client) -> Any:
    """Return the collection that the indexes file speaks of."""
    return db.collection("rooms")


def field(path: str, order: str = "ASCENDING") -> dict[str, str]:
    """Return a field as the file has it."""
    return {"fieldPath": path, "order": order}


MISSING: dict[str, tuple[Callable[[Client], Any], list[dict[str, str]]]] = {
    "equality and order": (
        lambda db: rooms(db).where(filter=F("x", "==", 1)).order_by("y"),
        [field("x"), field("y")],
    ),
    "equality and range": (
        lambda db: rooms(db).where(filter=F("x", "==", 1)).where(filter=F("y", ">", 1)),
        [field("x"), field("y")],
    ),
    "two orders": (
        lambda db: rooms(db).order_by("x").order_by("y", direction="DESCENDING"),
        [field("x"), field("y", "DESCENDING")],
    ),
    "the other direction": (
        lambda db: (
            rooms(db)
            .where(filter=F("tags", "==", 1))
            .order_by("n", direction="DESCENDING")
        ),
        [field("tags"), field("n", "DESCENDING")],
    ),
    "order against the name": (
        lambda db: rooms(db).order_by("x").order_by("__name__", direction="DESCENDING"),
        [field("x"), field("__name__", "DESCENDING")],
    ),
    "contains and order": (
        lambda db: rooms(db).where(filter=F("x", "array_contains", 1)).order_by("y"),
        [{"fieldPath": "x", "arrayConfig": "CONTAINS"}, field("y")],
    ),
    "in and order": (
        lambda db: rooms(db).where(filter=F("x", "in", [1, 2])).order_by("y"),
        [field("x"), field("y")],
    ),
    "sum of a filtered field": (
        lambda db: rooms(db).where(filter=F("x", "==", 1)).sum("y"),
        [field("x"), field("y")],
    ),
    "a name that needs quotes": (
        lambda db: rooms(db).where(filter=F("`x-y`", "==", 1)).order_by("n"),
        [field("`x-y`"), field("n")],
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_index_is_named(tmp_path: Path, ours: Client, name: str) -> None:
    """
    The error holds the index as the file would have it; pasted in, it is enough.
    """
    make, fields = MISSING[name]

    with pytest.raises(exceptions.FailedPrecondition) as failure:
        make(ours).get()

    text = failure.value.message
    index = json.loads(text[text.index("{") :])
    assert '"indexes"' in text
    assert index == {
        "collectionGroup": "rooms",
        "queryScope": "COLLECTION",
        "fields": fields,
    }


def test_pasting_the_index_in_mends_the_query(tmp_path: Path, project: str) -> None:
    """
    Documents that were there before the index are found by it.
    """
    file = tmp_path / "indexes.json"
    with (
        running(tmp_path / "data", "--indexes", str(file)) as server,
        client(server.address, project) as db,
    ):
        for number in range(5):
            db.document(f"rooms/r{number}").set({"x": number % 2, "y": -number})
        query = rooms(db).where(filter=F("x", "==", 0)).order_by("y")
        with pytest.raises(exceptions.FailedPrecondition) as failure:
            query.get()

        text = failure.value.message
        file.write_text(json.dumps({"indexes": [json.loads(text[text.index("{") :])]}))
        server.stop()
        server.start()

        assert [found.id for found in query.get()] == ["r4", "r2", "r0"]
        file.write_text("{}")
        server.stop()
        server.start()
        with pytest.raises(exceptions.FailedPrecondition):
            query.get()


def test_a_collection_group_needs_its_own_index(ours: Client) -> None:
    """
    Fields are indexed over a group only where the file says so.
    """
    with pytest.raises(exceptions.FailedPrecondition) as failure:
        ours.collection_group("rooms").where(filter=F("n", "==", 1)).get()

    text = failure.value.message
    override = json.loads(text[text.index("{") :])
    wanted = {"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"}
    assert '"fieldOverrides"' in text
    assert wanted in override["indexes"]
    assert {"order": "ASCENDING", "queryScope": "COLLECTION"} in override["indexes"]


def test_an_exempted_field_cannot_be_queried(ours: Client) -> None:
    """
    An override without indexes switches them off, below the field as well.
    """
    for path in ("blob", "blob.part"):
        with pytest.raises(exceptions.FailedPrecondition):
            rooms(ours).where(filter=F(path, "==", 1)).get()


SERVED: dict[str, Callable[[Client], Any]] = {
    "merged composite indexes": lambda db: (
        rooms(db)
        .where(filter=F("state", "==", "live"))
        .where(filter=F("lang", "==", "en"))
        .order_by("n")
    ),
    "merged single fields": lambda db: (
        rooms(db)
        .where(filter=F("state", "==", "live"))
        .where(filter=F("lang", "==", "en"))
    ),
}


@pytest.mark.parametrize("name", SERVED)
def test_indexes_are_merged(ours: Client, name: str) -> None:
    """
    Equalities may be spread over several indexes with the same order.
    """
    for number in range(40):
        lang, state = ("en", "de")[number % 2], ("live", "ended")[number % 3 == 0]
        rooms(ours).document(f"r{number:02}").set(
            {"n": number, "state": state, "lang": lang}
        )

    found = [document.get("n") for document in SERVED[name](ours).stream()]

    expected = [n for n in range(40) if n % 2 == 0 and n % 3]
    assert sorted(found) == expected


def test_no_indexes_file_means_no_composite_index(tmp_path: Path, project: str) -> None:
    """
    An absent file is no licence.
    """
    with (
        running(tmp_path, "--indexes", str(tmp_path / "none.json")) as server,
        client(server.address, project) as db,
    ):
        rooms(db).where(filter=F("x", "==", 1)).get()
        with pytest.raises(exceptions.FailedPrecondition):
            rooms(db).where(filter=F("x", "==", 1)).order_by("y").get()


def test_ttl_fields_expire_documents_late(tmp_path: Path, project: str) -> None:
    """
    What is due goes after the lag, and only that; listeners would hear of it.
    """
    with (
        running(tmp_path, "--indexes", str(INDEXES), "--ttl-lag-s", "0.5") as server,
        client(server.address, project) as db,
    ):
        now = datetime.now(UTC)
        leases = db.collection("halls/h/leases")
        leases.document("due").set({"expires_at": now})
        leases.document("later").set({"expires_at": now + timedelta(hours=1)})
        leases.document("never").set({"expires_at": "no time"})
        db.document("others/due").set({"expires_at": now})

        deadline_s = time.monotonic() + WAIT_S
        while leases.document("due").get().exists:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)

        assert datetime.now(UTC) - now >= timedelta(seconds=0.5)
        assert sorted(found.id for found in leases.stream()) == ["later", "never"]
        assert db.document("others/due").get().exists
