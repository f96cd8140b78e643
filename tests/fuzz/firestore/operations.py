"""Random Firestore operations, made from a seed and run against any server."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import (
    And,
    BaseFilter,
    FieldFilter,
    Or,
)

from tests.conformance.firestore.servers import Client
from tests.fuzz.firestore.comparing import comparable

FIELDS: Final = ("a", "b", "c")
COLLECTIONS: Final = ("rooms", "rooms/r1/rooms", "halls/h1/rooms")
IDS: Final = ("r1", "r2", "r3", "r4", "__id7__", "__id-3__", "é", "z z")
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
SCALARS: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 1.0, 1.5, -0.5, 2**53 + 1, float(2**53), -(2**63),
    2**63 - 1, float("inf"), float("-inf"), float("nan"), -0.0, "", "a", "ab", "b", "é",
    "a\x00b", b"", b"a", b"\xff", EPOCH, EPOCH + timedelta(microseconds=1),
    firestore.GeoPoint(1.0, 2.0), firestore.GeoPoint(-1.0, 2.0),
)  # fmt: skip
DIRECTIONS: Final = ("ASCENDING", "DESCENDING")


@dataclass(frozen=True, slots=True)
class Operation:
    """A call to make; `run` gives a result that can be compared between servers."""

    name: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name}{self.arguments!r}"


def index_file() -> dict[str, Any]:
    """Return an indexes file that serves every query that `queries` makes."""
    heads = [()] + [
        tuple(zip(chosen, modes, strict=True))
        for size in (1, 2)
        for chosen in itertools.combinations(FIELDS, size)
        for modes in itertools.product(("ASCENDING", "CONTAINS"), repeat=size)
        if modes.count("CONTAINS") < 2
    ]
    indexes = []
    for head, size in itertools.product(heads, (1, 2, 3)):
        left = [name for name in FIELDS if name not in {field for field, _ in head}]
        also = [field for field, mode in head if mode == "CONTAINS"]
        for chosen in itertools.permutations([*left, *also], size):
            for modes in itertools.product(DIRECTIONS, repeat=size):
                fields = [*head, *zip(chosen, modes, strict=True)]
                if len(fields) > 1:
                    indexes.append(fields)
    return {
        "indexes": [
            {
                "collectionGroup": "rooms",
                "queryScope": "COLLECTION",
                "fields": [
                    {
                        "fieldPath": field,
                        "arrayConfig" if mode == "CONTAINS" else "order": mode,
                    }
                    for field, mode in fields
                ],
            }
            for fields in indexes
        ],
    }


class Source:
    """
    Makes operations.

    Args:
        seed: Equal seeds make equal operations.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def __iter__(self) -> Iterator[Operation]:
        makers = (self._write, self._write, self._query, self._query, self._aggregate)
        while True:
            yield self._random.choice(makers)()

    def _scalar(self) -> Any:
        return self._random.choice(SCALARS)

    def _value(self) -> Any:
        kind = self._random.random()
        if kind < 0.7:
            return self._scalar()
        if kind < 0.88:
            return [self._scalar() for _ in range(self._random.randrange(4))]
        return {
            name: self._scalar() for name in self._random.sample(("k", "l", "é"), 2)
        }

    def document(self) -> tuple[str, str]:
        """Return a collection and an id in it."""
        return self._random.choice(COLLECTIONS), self._random.choice(IDS)

    def _data(self) -> dict[str, Any]:
        names = self._random.sample(FIELDS, self._random.randrange(4))
        return {name: self._value() for name in names}

    def _write(self) -> Operation:
        kind = self._random.choice(
            ("set", "set", "set", "merge", "create", "update", "delete", "transform")
        )
        if kind == "delete":
            return Operation(kind, (*self.document(), self._random.random() < 0.3))
        if kind == "transform":
            name, transform = self._random.choice(FIELDS), self._transform()
            return Operation(kind, (*self.document(), name, transform))
        data = self._data()
        if kind == "update":
            path = f"{self._random.choice(FIELDS)}.k"
            data = self._random.choice((data or {"a": 1}, {path: self._scalar()}))
        return Operation(kind, (*self.document(), data))

    def _transform(self) -> tuple[str, Any]:
        kind = self._random.choice(
            ("Increment", "Maximum", "Minimum", "ArrayUnion", "ArrayRemove")
        )
        if kind.startswith("Array"):
            return kind, [self._scalar() for _ in range(self._random.randrange(1, 3))]
        numbers = (1, -1, 1.5, 2**62, float("inf"), float("nan"), 0, 0.0, -0.0, 1.0)
        return kind, self._random.choice(numbers)

    def _filter(self) -> tuple[Any, ...]:
        op = self._random.choice(
            ("==", "==", "==", "<", "<=", ">", ">=", "!=", "in", "not-in",
             "array_contains", "array_contains_any")
        )  # fmt: skip
        value: Any = self._value()
        if op in ("in", "not-in", "array_contains_any"):
            value = [self._scalar() for _ in range(self._random.randrange(1, 4))]
        return self._random.choice(FIELDS), op, value

    def _where(self) -> tuple[Any, ...] | None:
        kind = self._random.random()
        if kind < 0.15:
            return None
        if kind < 0.6:
            return self._filter()
        parts = tuple(self._filter() for _ in range(2))
        return ("and" if kind < 0.85 else "or", *parts)

    def query_parts(self) -> tuple[Any, ...]:
        """Return what `build` makes a query of."""
        orders = tuple(
            (name, self._random.choice(DIRECTIONS))
            for name in self._random.sample(
                FIELDS, self._random.choice((0, 0, 1, 1, 2))
            )
        )
        cursors = []
        if orders:
            for name in ("start_at", "start_after", "end_at", "end_before"):
                if self._random.random() < 0.15:
                    count = self._random.randrange(1, len(orders) + 1)
                    values = {field: self._value() for field, _ in orders[:count]}
                    cursors.append((name, values))
        limit = self._random.choice((None, None, 1, 2, 5))
        offset = self._random.choice((0, 0, 0, 1, 3))
        fields = self._random.choice((None, None, ("a",), ()))
        collection = self._random.choice(COLLECTIONS)
        return (
            collection,
            self._where(),
            orders,
            tuple(cursors),
            limit,
            offset,
            fields,
        )

    def _query(self) -> Operation:
        if self._random.random() < 0.05:
            return Operation("group", ())
        return Operation("query", self.query_parts())

    def _aggregate(self) -> Operation:
        field = self._random.choice(FIELDS)
        kind = self._random.choice(("count", "sum", "avg", "all"))
        return Operation("aggregate", (*self.query_parts(), kind, field))


def run(client: Client, operation: Operation) -> Any:
    """Make the call; return its result, or the name of its error."""
    try:
        return _CALLS[operation.name](client, *operation.arguments)
    except GoogleAPICallError as error:
        return f"error {type(error).__name__}"
    except ValueError as error:  # the client library itself refuses
        return f"refused {error}"


def _set(client: Client, path: str, id_: str, data: dict[str, Any]) -> Any:
    client.collection(path).document(id_).set(data)
    return _read(client, path, id_)


def _merge(client: Client, path: str, id_: str, data: dict[str, Any]) -> Any:
    client.collection(path).document(id_).set(data, merge=True)
    return _read(client, path, id_)


def _create(client: Client, path: str, id_: str, data: dict[str, Any]) -> Any:
    client.collection(path).document(id_).create(data)
    return _read(client, path, id_)


def _update(client: Client, path: str, id_: str, data: dict[str, Any]) -> Any:
    client.collection(path).document(id_).update(data)
    return _read(client, path, id_)


def _delete(client: Client, path: str, id_: str, must_exist: bool) -> Any:
    option = client.write_option(exists=True) if must_exist else None
    client.collection(path).document(id_).delete(option)
    return _read(client, path, id_)


def _transform(
    client: Client,
    path: str,
    id_: str,
    field: str,
    transform: tuple[str, Any],
) -> Any:
    kind, operand = transform
    value = getattr(firestore, kind)(operand)
    client.collection(path).document(id_).set({field: value}, merge=True)
    return _read(client, path, id_)


def _read(client: Client, path: str, id_: str) -> Any:
    return comparable(client.collection(path).document(id_).get().to_dict())


def build(
    client: Client,
    path: str,
    where: tuple[Any, ...] | None,
    orders: tuple[tuple[str, str], ...],
    cursors: tuple[tuple[str, dict[str, Any]], ...],
    limit: int | None,
    offset: int,
    fields: tuple[str, ...] | None,
) -> Any:
    """Return the client's query of `Source.query_parts`."""
    query = client.collection(path)
    if where is not None:
        query = query.where(filter=_condition(where))
    for field, direction in orders:
        query = query.order_by(field, direction=direction)
    for name, values in cursors:
        query = getattr(query, name)(values)
    if limit is not None:
        query = query.limit(limit)
    if offset:
        query = query.offset(offset)
    return query if fields is None else query.select(fields)


def _condition(where: tuple[Any, ...]) -> BaseFilter:
    if where[0] in ("and", "or"):
        parts = [_condition(part) for part in where[1:]]
        return And(parts) if where[0] == "and" else Or(parts)
    return FieldFilter(*where)


def _query(client: Client, *parts: Any) -> Any:
    query = build(client, *parts)
    return [(found.id, comparable(found.to_dict())) for found in query.stream()]


def _group(client: Client) -> Any:
    found = client.collection_group("rooms").stream()
    return [document.reference.path for document in found]


def _aggregate(client: Client, *parts: Any) -> Any:
    *query_parts, kind, field = parts
    query = build(client, *query_parts)
    if kind == "count":
        asked = query.count("count")
    elif kind == "all":
        asked = query.count("count").sum(field, "sum").avg(field, "avg")
    else:
        asked = getattr(query, kind)(field, kind)
    return sorted((item.alias, comparable(item.value)) for item in asked.get()[0])


_CALLS: Final[dict[str, Callable[..., Any]]] = {
    "set": _set,
    "merge": _merge,
    "create": _create,
    "update": _update,
    "delete": _delete,
    "transform": _transform,
    "query": _query,
    "group": _group,
    "aggregate": _aggregate,
}
