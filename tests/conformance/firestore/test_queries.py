"""Queries: filters, orders, cursors, limits and projections."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or
from google.cloud.firestore_v1.field_path import FieldPath

from tests.conformance.firestore.servers import Client

F = FieldFilter
ROOMS: dict[str, dict[str, Any]] = {
    "a": {"n": 1, "state": "live", "lang": "de", "tags": ["x", "y"], "m": {"k": 1}},
    "b": {"n": 2, "state": "live", "lang": "en", "tags": ["y"], "m": {"k": 2}},
    "c": {"n": 3, "state": "ended", "lang": "de", "tags": [], "m": {}},
    "d": {"n": 3, "state": "live", "lang": "en", "tags": ["x", "z"]},
    "e": {"n": None, "state": "ended", "lang": "fr"},
    "f": {"n": "3", "state": "ended", "tags": "x"},
    "g": {"n": float("nan"), "lang": "fr"},
    "h": {"state": "live", "lang": "de"},
    "i": {"n": 5.5, "state": "live", "lang": "en", "tags": [None, 1]},
}
Make = Callable[[Any], Any]


@pytest.fixture
def rooms(db: Client) -> Any:
    """The collection of the documents above."""
    batch = db.batch()
    for id_, data in ROOMS.items():
        batch.set(db.document(f"rooms/{id_}"), data)
    batch.commit()
    return db.collection("rooms")


def where(*arguments: Any) -> Make:
    """Return a maker of the query with one filter."""
    return lambda rooms: rooms.where(filter=F(*arguments))


def both(*filters: Any) -> Make:
    """Return a maker of the query with filters that must all hold."""
    return lambda rooms: rooms.where(filter=And(list(filters)))


def either(*filters: Any) -> Make:
    """Return a maker of the query with filters of which one must hold."""
    return lambda rooms: rooms.where(filter=Or(list(filters)))


FILTERS: dict[str, tuple[Make, str]] = {
    "equal": (where("state", "==", "ended"), "cef"),
    "equal null": (where("n", "==", None), "e"),
    "equal NaN": (where("n", "==", float("nan")), "g"),
    "equal list": (where("tags", "==", ["y"]), "b"),
    "equal map": (where("m", "==", {"k": 2}), "b"),
    "equal in a map": (where("m.k", "==", 1), "a"),
    "less": (where("n", "<", 3), "ab"),
    "less or equal": (where("n", "<=", 2), "ab"),
    "greater": (where("n", ">", 2), "cdi"),
    "greater or equal": (where("n", ">=", 3), "cdi"),
    "greater than a string": (where("n", ">", ""), "f"),
    "not equal": (where("n", "!=", 3), "gabif"),
    "not null": (where("n", "!=", None), "gabcdif"),
    "not NaN": (where("n", "!=", float("nan")), "abcdif"),
    "in": (where("n", "in", [1, 3, 9]), "acd"),
    "in one": (where("n", "in", [2]), "b"),
    "in with null": (where("n", "in", [1, None]), "a"),
    "not in": (where("n", "not-in", [1, 3]), "gbif"),
    "not in with null": (where("n", "not-in", [1, None]), ""),
    "contains": (where("tags", "array_contains", "x"), "ad"),
    "contains any": (where("tags", "array_contains_any", ["x", "y"]), "abd"),
    "contains any with null": (where("tags", "array_contains_any", [None, "z"]), "d"),
    "two equalities": (both(F("state", "==", "live"), F("lang", "==", "en")), "bdi"),
    "three equalities": (
        both(F("state", "==", "live"), F("lang", "==", "en"), F("n", "==", 3)),
        "d",
    ),
    "contradiction": (both(F("n", "==", 1), F("n", "==", 2)), ""),
    "range": (both(F("n", ">", 1), F("n", "<=", 3)), "bcd"),
    "equality and range": (both(F("state", "==", "live"), F("n", ">", 1)), "bdi"),
    "in and range": (both(F("state", "in", ["live", "ended"]), F("n", ">", 2)), "cdi"),
    "in and in": (
        both(F("state", "in", ["live", "ended"]), F("lang", "in", ["de", "fr"])),
        "aceh",
    ),
    "contains and equality": (
        both(F("tags", "array_contains", "x"), F("state", "==", "live")),
        "ad",
    ),
    "ranges of two fields": (both(F("n", ">=", 2), F("lang", ">", "de")), "bdi"),
    "or": (either(F("n", "==", 1), F("lang", "==", "fr")), "aeg"),
    "or of the same": (either(F("n", "==", 1), F("n", "==", 1)), "a"),
    "or with overlap": (either(F("state", "==", "ended"), F("n", "==", 3)), "cdef"),
    "or of ranges": (either(F("n", "<", 2), F("n", ">", 3)), "ai"),
    "and of ors": (
        both(
            Or([F("state", "==", "live"), F("state", "==", "ended")]),
            Or([F("lang", "==", "en"), F("lang", "==", "fr")]),
        ),
        "bdei",
    ),
    "or of ands": (
        either(
            And([F("state", "==", "live"), F("lang", "==", "de")]),
            And([F("state", "==", "ended"), F("lang", "==", "fr")]),
        ),
        "aeh",
    ),
    "by id": (
        lambda rooms: rooms.where(
            filter=F(FieldPath.document_id(), "==", rooms.document("c"))
        ),
        "c",
    ),
    "by ids": (
        lambda rooms: rooms.where(
            filter=F(
                FieldPath.document_id(),
                "in",
                [rooms.document("d"), rooms.document("a"), rooms.document("zz")],
            )
        ),
        "ad",
    ),
    "after an id": (
        lambda rooms: rooms.where(
            filter=F(FieldPath.document_id(), ">", rooms.document("g"))
        ),
        "hi",
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_finds_what_it_says(rooms: Any, name: str) -> None:
    """
    Results are complete, without repeats, and in the implied order.
    """
    make, expected = FILTERS[name]

    assert "".join(found.id for found in make(rooms).stream()) == expected


@pytest.mark.parametrize("name", FILTERS)
def test_a_count_counts_what_the_query_finds(rooms: Any, name: str) -> None:
    """
    Counting takes other paths than listing and must agree with it.
    """
    make, expected = FILTERS[name]

    assert make(rooms).count().get()[0][0].value == len(expected)


def by_n(rooms: Any) -> Any:
    """Return the query in order of n."""
    return rooms.order_by("n")


ORDERS: dict[str, tuple[Make, str]] = {
    "by a field": (by_n, "egabcdif"),
    "backwards": (lambda r: r.order_by("n", direction="DESCENDING"), "fidcbage"),
    "by two fields": (lambda r: r.order_by("n").order_by("lang"), "egabcdi"),
    "by n down, id up": (
        lambda r: r.order_by("n", direction="DESCENDING").order_by("__name__"),
        "ficdbage",
    ),
    "by id": (lambda r: r.order_by("__name__"), "abcdefghi"),
    "limit": (lambda r: by_n(r).limit(3), "ega"),
    "limit beyond": (lambda r: by_n(r).limit(100), "egabcdif"),
    "offset": (lambda r: by_n(r).offset(6), "if"),
    "offset beyond": (lambda r: by_n(r).offset(60), ""),
    "offset and limit": (lambda r: by_n(r).offset(2).limit(2), "ab"),
    "limit to last": (lambda r: by_n(r).limit_to_last(2), "if"),
    "limit of an or": (
        lambda r: either(F("n", "==", 3), F("n", "==", 1), F("lang", "==", "fr"))(
            r
        ).limit(3),
        "acd",
    ),
    "offset of an or": (
        lambda r: either(F("n", "==", 3), F("n", "==", 1))(r).offset(1),
        "cd",
    ),
    "start at": (lambda r: by_n(r).start_at({"n": 3}), "cdif"),
    "start after": (lambda r: by_n(r).start_after({"n": 3}), "if"),
    "end at": (lambda r: by_n(r).end_at({"n": 3}), "egabcd"),
    "end before": (lambda r: by_n(r).end_before({"n": 3}), "egab"),
    "between": (lambda r: by_n(r).start_after({"n": 1}).end_at({"n": 3}), "bcd"),
    "start backwards": (
        lambda r: r.order_by("n", direction="DESCENDING").start_at({"n": 3}),
        "dcbage",
    ),
    "end backwards": (
        lambda r: r.order_by("n", direction="DESCENDING").end_before({"n": 3}),
        "fi",
    ),
    "cursor of two values": (
        lambda r: r.order_by("n").order_by("lang").start_after({"n": 3, "lang": "de"}),
        "di",
    ),
    "cursor with a filter": (
        lambda r: (
            r.where(filter=F("state", "==", "live")).order_by("n").start_after({"n": 1})
        ),
        "bdi",
    ),
    "cursor on an in": (
        lambda r: (
            r.where(filter=F("state", "in", ["live", "ended"]))
            .order_by("n")
            .start_at({"n": 2})
            .limit(3)
        ),
        "bcd",
    ),
    "filter and other order": (
        lambda r: r.where(filter=F("state", "==", "live")).order_by(
            "n", direction="DESCENDING"
        ),
        "idba",
    ),
    "contains and order": (
        lambda r: r.where(filter=F("tags", "array_contains", "x")).order_by("n"),
        "ad",
    ),
    "order by an equal field": (
        lambda r: r.where(filter=F("state", "==", "ended")).order_by("state"),
        "cef",
    ),
    "id cursor": (
        lambda r: r.order_by("__name__").start_after({"__name__": "c"}).limit(2),
        "de",
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_order_cursors_and_limits(rooms: Any, name: str) -> None:
    """
    A page is exactly the documents between its cursors, in order.
    """
    make, expected = ORDERS[name]

    assert "".join(found.id for found in make(rooms).get()) == expected


@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_by_snapshot_cover_all_once(rooms: Any, size: int) -> None:
    """
    Each page that starts after the last document of the one before continues it.
    """
    query = rooms.order_by("n").limit(size)
    seen = ""
    page = list(query.stream())
    while page:
        seen += "".join(found.id for found in page)
        page = list(query.start_after(page[-1]).stream())

    assert seen == "egabcdif"


def test_a_projection_returns_only_its_fields(rooms: Any) -> None:
    """
    Fields that are not selected are not sent; nested paths are.
    """
    found = next(rooms.select(["n", "m.k"]).limit(1).stream())

    assert found.to_dict() == {"n": 1, "m": {"k": 1}}
    assert found.create_time is not None


def test_a_projection_on_the_name_returns_no_fields(rooms: Any) -> None:
    """
    Selecting nothing but the id gives empty documents.
    """
    found = rooms.select([FieldPath.document_id()]).stream()

    assert [document.to_dict() for document in found] == [{}] * len(ROOMS)


@pytest.mark.parametrize(
    "values", [[[], [0], [b"\xff"]], [b"", b"\xff", b"\xff\xff"], [{}, {"a": 1}]]
)
@pytest.mark.parametrize("fields", [("n",), ("n", "lang")])
def test_least_and_greatest_values_are_within_a_range(
    db: Client, values: list[Any], fields: tuple[str, ...]
) -> None:
    """
    Empty lists, maps and bytes of ones are found from both ends, in both directions.
    """
    rooms = db.collection("rooms")
    for number, value in enumerate(values):
        rooms.document(f"r{number}").set({"n": value, "lang": "en"})

    for direction, operator, bound in (
        ("ASCENDING", ">=", values[0]),
        ("ASCENDING", "<=", values[-1]),
        ("DESCENDING", ">=", values[0]),
        ("DESCENDING", "<=", values[-1]),
    ):
        query = rooms.where(filter=F("n", operator, bound))
        for name in fields:
            query = query.order_by(name, direction=direction)
        assert len(query.get()) == len(values), (direction, operator)


@pytest.fixture
def people(db: Client) -> Client:
    """People in two halls, at the root, and below another person."""
    for path, data in {
        "halls/h1/people/a": {"uid": "a", "state": "on", "n": 3},
        "halls/h1/people/b": {"uid": "b", "state": "on", "n": 1},
        "halls/h2/people/a": {"uid": "a", "state": "off", "n": 2},
        "people/z": {"uid": "z", "state": "on", "n": 2},
        "people/z/people/y": {"uid": "a", "state": "on", "n": 9},
        "halls/h1/other/a": {"uid": "a", "state": "on", "n": 0},
    }.items():
        db.document(path).set(data)
    return db


def test_a_collection_group_spans_all_parents(people: Client) -> None:
    """
    Documents of all collections with one id come in order of their full names.
    """
    found = people.collection_group("people").stream()

    assert [document.reference.path for document in found] == [
        "halls/h1/people/a",
        "halls/h1/people/b",
        "halls/h2/people/a",
        "people/z",
        "people/z/people/y",
    ]


def test_names_cannot_be_read_backwards(people: Client) -> None:
    """
    There is no descending index of names, in collections or in groups.
    """
    for query in (people.collection("people"), people.collection_group("people")):
        with pytest.raises(exceptions.FailedPrecondition, match="descending"):
            query.order_by("__name__", direction="DESCENDING").get()


def test_a_collection_group_can_be_filtered(people: Client) -> None:
    """
    With an index of group scope, equality works over the group.
    """
    query = people.collection_group("people").where(filter=F("uid", "==", "a"))

    assert [document.reference.path for document in query.stream()] == [
        "halls/h1/people/a",
        "halls/h2/people/a",
        "people/z/people/y",
    ]


def test_a_collection_group_can_be_ordered(people: Client) -> None:
    """
    With a composite index of group scope, a filter and an order work together.
    """
    query = (
        people.collection_group("people")
        .where(filter=F("state", "==", "on"))
        .order_by("n")
    )

    assert [document.get("n") for document in query.stream()] == [1, 2, 3, 9]
    assert [document.get("n") for document in query.offset(1).limit(2).get()] == [2, 3]


def test_a_collection_query_stays_in_its_collection(people: Client) -> None:
    """
    Neither namesakes elsewhere nor documents below are found.
    """
    found = people.collection("people").stream()

    assert [document.reference.path for document in found] == ["people/z"]


def test_an_empty_collection_has_no_results(db: Client) -> None:
    """
    A collection that does not exist is empty.
    """
    assert list(db.collection("nowhere").stream()) == []
    assert db.collection("nowhere").count().get()[0][0].value == 0


def test_partitions_cover_a_collection_group_or_are_refused(
    ours: Client,
) -> None:
    """
    PartitionQuery is not embedded; the client hears so at once.
    """
    with pytest.raises(Exception, match=r"Method not found|unimplemented|501"):
        list(ours.collection_group("people").get_partitions(2))
