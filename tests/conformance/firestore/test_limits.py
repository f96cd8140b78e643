"""What production refuses is refused, with the same status."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or
from google.cloud.firestore_v1.base_vector_query import DistanceMeasure
from google.cloud.firestore_v1.vector import Vector

from tests.conformance.firestore.servers import Client

F = FieldFilter


def commit(db: Client, *writes: dict[str, Any]) -> Any:
    """Send writes that the client library would not make."""
    return db._firestore_api.commit(
        request={"database": db._database_string, "writes": list(writes)}
    )


def update(db: Client, fields: dict[str, Any], id_: str = "a") -> Any:
    """Return a raw write of fields in their protobuf form."""
    name = db.document(f"rooms/{id_}")._document_path
    return {"update": {"name": name, "fields": fields}}


def set_(data: dict[str, Any], id_: str = "a") -> Callable[[Client], Any]:
    """Return a call that sets a document."""
    return lambda db: db.document(f"rooms/{id_}").set(data)


def raw(fields: dict[str, Any]) -> Callable[[Client], Any]:
    """Return a call that writes raw fields."""
    return lambda db: commit(db, update(db, fields))


def find(filter_: Any) -> Callable[[Client], Any]:
    """Return a call that runs a query."""
    return lambda db: list(db.collection("rooms").where(filter=filter_).stream())


def nested(depth: int) -> dict[str, Any]:
    """Return a map of maps."""
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"k": inner}
    return inner


INVALID: dict[str, Callable[[Client], Any]] = {
    "a document over 1 MiB": set_({"a": "x" * 1_048_576}),
    "many fields over 1 MiB": set_({f"f{n}": "x" * 10_000 for n in range(105)}),
    "a list in a list": raw(
        {"a": {"array_value": {"values": [{"array_value": {"values": []}}]}}}
    ),
    "a reserved field": set_({"__a__": 1}),
    "a reserved nested field": set_({"a": {"__a__": 1}}),
    "an empty field name": raw({"": {"integer_value": 1}}),
    "a field name too long": set_({"f" * 1501: 1}),
    "maps too deep": set_({"a": nested(20)}),
    "a reserved id": set_({}, "__a__"),
    "a dot id": set_({}, ".."),
    "an id too long": set_({}, "i" * 1501),
    "a value without type": raw({"a": {}}),
    "a latitude beyond the pole": raw({"a": {"geo_point_value": {"latitude": 90.5}}}),
    "a time before the year 1": raw(
        {"a": {"timestamp_value": {"seconds": -62_135_596_801}}}
    ),
    "no operation": lambda db: commit(db, {}),
    "a collection as a document": lambda db: commit(
        db, {"delete": f"{db._database_string}/documents/rooms"}
    ),
    "a name that is none": lambda db: commit(db, {"delete": "rooms/a"}),
    "an increment by text": lambda db: commit(
        db,
        {
            **update(db, {}),
            "update_transforms": [
                {"field_path": "n", "increment": {"string_value": "1"}}
            ],
        },
    ),
    "in with 31 values": find(F("n", "in", list(range(31)))),
    "in with no value": find(F("n", "in", [])),
    "not-in with 11 values": find(F("n", "not-in", list(range(11)))),
    "contains any of 31": find(F("n", "array_contains_any", list(range(31)))),
    "not-in and in": find(And([F("n", "not-in", [1]), F("m", "in", [1])])),
    "not-in in an or": find(Or([F("n", "not-in", [1]), F("m", "==", 1)])),
    "not-in and not equal": find(And([F("n", "not-in", [1]), F("m", "!=", 1)])),
    "two not equal": find(And([F("n", "!=", 1), F("m", "!=", 1)])),
    "two contains": find(
        And([F("n", "array_contains", 1), F("m", "array_contains", 1)])
    ),
    "contains and contains any": find(
        And([F("n", "array_contains", 1), F("m", "array_contains_any", [1])])
    ),
    "contains and contains any of what equals nothing": find(
        And([F("n", "array_contains", 1), F("m", "array_contains_any", [float("nan")])])
    ),
    "more than 30 alternatives": find(
        And([F("n", "in", list(range(6))), F("m", "in", list(range(6)))])
    ),
    "alternatives that equal nothing count": find(
        And([F("n", "in", [*range(5), None]), F("m", "in", list(range(6)))])
    ),
    "equal numbers written differently count": find(
        And([F("n", "in", [1, 1.0, 2, 3, 4, 5]), F("m", "in", list(range(6)))])
    ),
    "an id that is no document": lambda db: list(
        db._firestore_api.run_query(
            request={
                "parent": f"{db._database_string}/documents",
                "structured_query": {
                    "from_": [{"collection_id": "rooms"}],
                    "where": {
                        "field_filter": {
                            "field": {"field_path": "__name__"},
                            "op": 5,
                            "value": {"string_value": "a"},
                        }
                    },
                },
            }
        )
    ),
    "an order used twice": lambda db: list(
        db.collection("rooms").order_by("n").order_by("n").stream()
    ),
    "a negative limit": lambda db: list(db.collection("rooms").limit(-1).stream()),
    "a negative offset": lambda db: list(db.collection("rooms").offset(-1).stream()),
    "a sum of a projection": lambda db: (
        db.collection("rooms").select(["n"]).sum("n").get()
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_argument(db: Client, name: str) -> None:
    """
    No state of the data would make these right.
    """
    with pytest.raises(exceptions.InvalidArgument):
        INVALID[name](db)


ALLOWED: dict[str, Callable[[Client], Any]] = {
    "a document of almost 1 MiB": set_({"a": "x" * (1_048_576 - 100)}),
    "maps of 20 levels": set_({"a": nested(19)}),
    "an id of 1500 bytes": set_({}, "i" * 1500),
    "a numeric id": set_({}, "__id12__"),
    "a list in a map in a list": set_({"a": [{"b": [1]}]}),
    "in with 30 values": find(F("n", "in", list(range(30)))),
    "not-in with 10 values": find(F("n", "not-in", list(range(10)))),
    "16 times 2 equal alternatives": find(Or([F("n", "in", [1, 2])] * 16)),
    "30 alternatives": find(
        And([F("n", "in", list(range(6))), F("m", "in", list(range(5)))])
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_the_largest_that_is_allowed(db: Client, name: str) -> None:
    """
    The limits themselves are within the limits.
    """
    ALLOWED[name](db)


STRICTER: dict[str, Callable[[Client], Any]] = {
    "one document twice in a batch write": lambda db: db._firestore_api.batch_write(
        request={
            "database": db._database_string,
            "writes": [update(db, {}), update(db, {})],
        }
    ),
    "501 writes": lambda db: commit(
        db, *(update(db, {}, f"r{number}") for number in range(501))
    ),
    "a document of another database": lambda db: commit(
        db, {"delete": "projects/other/databases/(default)/documents/rooms/a"}
    ),
    "vectors of no dimension": raw(
        {
            "v": {
                "map_value": {
                    "fields": {
                        "__type__": {"string_value": "__vector__"},
                        "value": {"array_value": {"values": []}},
                    }
                }
            }
        }
    ),
}


@pytest.mark.parametrize("name", STRICTER)
def test_what_google_s_emulator_lets_through(ours: Client, name: str) -> None:
    """
    Ours is as strict as production where Google's emulator is not.
    """
    with pytest.raises(exceptions.InvalidArgument):
        STRICTER[name](ours)


def test_500_writes_are_one_commit(ours: Client) -> None:
    """
    The largest commit is applied as a whole.
    """
    commit(ours, *(update(ours, {}, f"r{number}") for number in range(500)))

    assert ours.collection("rooms").count().get()[0][0].value == 500


def test_a_request_that_is_too_large_is_refused_at_once(ours: Client) -> None:
    """
    With a status that the client does not retry for a minute.
    """
    large = {"t": {"string_value": "x" * 1_000_000}}

    with pytest.raises(exceptions.InvalidArgument, match="payload size"):
        commit(ours, *(update(ours, large, f"r{number}") for number in range(12)))


def test_vector_search_is_refused(ours: Client) -> None:
    """
    What is not embedded says so, and does not answer something else.
    """
    query = ours.collection("rooms").find_nearest(
        "v", Vector([1.0]), limit=1, distance_measure=DistanceMeasure.EUCLIDEAN
    )

    with pytest.raises(exceptions.MethodNotImplemented):
        query.get()
