"""Every type of value is kept, compared and ordered as Firestore says."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.vector import Vector

from tests.conformance.firestore.servers import Client

KEPT: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "least integer": -(2**63),
    "greatest integer": 2**63 - 1,
    "double": 1.5,
    "infinity": float("inf"),
    "tiny double": 5e-324,
    "empty string": "",
    "string": "Grüße, 世界 🎙",
    "string with NUL": "a\x00b",
    "bytes": b"\x00\xff",
    "time": datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC),
    "time before 1970": datetime(1815, 12, 10, tzinfo=UTC),
    "point": firestore.GeoPoint(-89.5, 179.25),
    "empty list": [],
    "list": [1, "two", None, {"three": [3]}],
    "empty map": {},
    "map": {"a": {"b": {"c": 1}}, "d.e": 2, "`": 3},
    "vector": Vector([1.0, -2.5]),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_value_comes_back_as_it_was_stored(db: Client, name: str) -> None:
    """
    What a document held, it gives back: same type, same value.
    """
    document = db.document("rooms/a")

    document.set({"value": KEPT[name]})

    found = document.get().to_dict()["value"]
    assert found == KEPT[name]
    assert type(found) is type(KEPT[name]) or isinstance(found, datetime)


def test_a_reference_comes_back(db: Client) -> None:
    """
    A reference is a reference, not a string.
    """
    other = db.document("rooms/other")

    db.document("rooms/a").set({"value": other})

    assert db.document("rooms/a").get().get("value") == other


def test_nan_comes_back(db: Client) -> None:
    """
    NaN is stored, although it equals nothing.
    """
    db.document("rooms/a").set({"value": float("nan")})

    found = db.document("rooms/a").get().get("value")
    assert found != found


def test_times_are_kept_to_the_microsecond(db: Client) -> None:
    """
    Nanoseconds below a microsecond are cut off, not rounded.
    """
    name = db.document("rooms/a")._document_path
    time = {"seconds": 1, "nanos": 123_456_999}
    write = {"update": {"name": name, "fields": {"t": {"timestamp_value": time}}}}

    db._firestore_api.commit(
        request={"database": db._database_string, "writes": [write]}
    )

    assert db.document("rooms/a").get().get("t").microsecond == 123_456
    assert db.document("rooms/a").get().get("t").nanosecond == 0


def ordered(db: Client) -> list[Any]:
    """Return one value of each kind and size, in Firestore's order."""
    return [
        None, False, True, float("nan"), float("-inf"), -(2**63), -1.5, -1, 0, 5e-324,
        1, 1.5, 2**53, 2**53 + 1, 2**63 - 1, float("inf"),
        datetime(1815, 12, 10, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        "", "\x00", "a", "a\x00", "aa", "b", "é", "世", "🎙",
        b"", b"\x00", b"\x00\x01", b"a", b"\xff",
        db.document("rooms/__id-5__"), db.document("rooms/__id7__"),
        db.document("rooms/a"), db.document("rooms/a/people/b"), db.document("rooms/b"),
        firestore.GeoPoint(-1, 5), firestore.GeoPoint(0, -5), firestore.GeoPoint(0, 5),
        [], [None], [1], [1, 1], [1, 2], ["a"],
        Vector([1.0]), Vector([2.0]), Vector([0.0, 0.0]),
        {}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2}, {"b": 0},
    ]  # fmt: skip


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_values_are_ordered_by_type_then_value(db: Client, direction: str) -> None:
    """
    One query over values of all types returns them in the documented order.
    """
    values = ordered(db)
    batch = db.batch()
    for number, value in enumerate(values):
        batch.set(db.document(f"rooms/r{number:02}"), {"n": number, "value": value})
    batch.commit()

    found = db.collection("rooms").order_by("value", direction=direction).stream()

    numbers = [document.get("n") for document in found]
    expected = list(range(len(values)))
    assert numbers == (expected if direction == "ASCENDING" else expected[::-1])


def test_document_ids_are_ordered_with_numeric_ids_first(db: Client) -> None:
    """
    `__id7__` sorts as the number 7, before all names; names sort by their bytes.
    """
    ids = ["__id-3__", "__id7__", "__id10__", "A", "B", "a", "a-", "aa", "é"]
    for id_ in reversed(ids):
        db.document(f"rooms/{id_}").set({})

    assert [found.id for found in db.collection("rooms").stream()] == ids


@pytest.mark.parametrize(
    ("stored", "asked"), [(1, 1.0), (1.0, 1), (0.0, -0.0), (2**53, float(2**53))]
)
def test_equal_numbers_of_both_types_are_equal(
    db: Client, stored: float, asked: float
) -> None:
    """
    Integers and doubles are compared by value.
    """
    db.document("rooms/a").set({"n": stored})

    query = db.collection("rooms").where(filter=FieldFilter("n", "==", asked))

    assert [found.id for found in query.stream()] == ["a"]


def test_close_numbers_are_told_apart_exactly(db: Client) -> None:
    """
    2**53 + 1 is not 2**53, whichever of them is the double.
    """
    db.document("rooms/a").set({"n": 2**53 + 1})

    query = db.collection("rooms").where(filter=FieldFilter("n", "==", float(2**53)))

    assert not list(query.stream())


PAIRS = list(itertools.pairwise([[], [0], [0, 0], [1], ["a"], ["a", 0]]))


@pytest.mark.parametrize(("less", "greater"), PAIRS, ids=repr)
def test_a_shorter_list_comes_before_a_longer_one(
    db: Client, less: list[Any], greater: list[Any]
) -> None:
    """
    Lists are compared element by element, then by length.
    """
    db.document("rooms/a").set({"v": greater})
    db.document("rooms/b").set({"v": less})

    found = db.collection("rooms").where(filter=FieldFilter("v", "<", greater)).stream()

    assert [document.id for document in found] == ["b"]
