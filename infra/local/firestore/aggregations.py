"""Count, sum and average over the results of a query."""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .documents import StoredDocument
from .errors import invalid
from .execution import QueryRunner
from .fields import FieldPath, get_field, parse_field_path
from .limits import check_field_name
from .protocol import Message, Value
from .queries import Order, Query
from .values import is_number, number

MAX_AGGREGATIONS: Final = 5
_INT64_MAX: Final = (1 << 63) - 1
_INT64_MIN: Final = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Aggregation:
    """
    One asked-for number.

    Args:
        kind: "count", "sum" or "avg".
        path: Field to add up; None for a count.
        up_to: Where a count may stop; None counts all.
    """

    alias: str
    kind: str
    path: FieldPath | None
    up_to: int | None


def parse_aggregations(messages: Sequence[Message]) -> list[Aggregation]:
    """
    Read the aggregations of a `StructuredAggregationQuery`.

    Raises:
        StatusError: INVALID_ARGUMENT, none, too many, or one that is malformed.
    """
    if not 1 <= len(messages) <= MAX_AGGREGATIONS:
        raise invalid(f"1 to {MAX_AGGREGATIONS} aggregations are allowed in a query.")
    found: list[Aggregation] = []
    for position, message in enumerate(messages, start=1):
        aggregation = _parse(message, message.alias or f"field_{position}")
        check_field_name(aggregation.alias, len(aggregation.alias.encode()))
        if any(aggregation.alias == other.alias for other in found):
            raise invalid(f'Aggregation alias "{aggregation.alias}" is used twice.')
        found.append(aggregation)
    return found


def _parse(message: Message, alias: str) -> Aggregation:
    kind = message.WhichOneof("operator")
    if kind == "count":
        up_to = message.count.up_to.value if message.count.HasField("up_to") else None
        if up_to is not None and up_to <= 0:
            raise invalid("COUNT up_to must be greater than zero.")
        return Aggregation(alias, kind, None, up_to)
    if kind in ("sum", "avg"):
        path = parse_field_path(getattr(message, kind).field.field_path)
        return Aggregation(alias, kind, path, None)
    raise invalid("An aggregation must have an operator.")


def aggregate(
    runner: QueryRunner,
    query: Query,
    aggregations: Sequence[Aggregation],
    connection: sqlite3.Connection,
    *,
    at: int | None,
) -> tuple[dict[str, Message], int]:
    """
    Return the values by alias, and how many index entries they took.

    Raises:
        StatusError: FAILED_PRECONDITION, an index is missing.
    """
    if at is None and all(item.kind == "count" for item in aggregations):
        limits = [item.up_to for item in aggregations]
        bound = None if None in limits else max(limit or 0 for limit in limits)
        total = runner.count(query, connection, up_to=bound)
        if total is not None:
            return {item.alias: _count(item, total) for item in aggregations}, total
    query = _over_fields(query, [item.path for item in aggregations if item.path])
    documents = list(runner.results(query, connection, at=at))
    values = {item.alias: _value(item, documents) for item in aggregations}
    return values, len(documents)


def _over_fields(query: Query, paths: Sequence[FieldPath]) -> Query:
    """
    Return the query over documents that have every aggregated field.

    The fields are read from an index, so they also order what a limit leaves.
    """
    *orders, name = query.orders
    missing = set(paths) - {order.path for order in orders}
    if not missing:
        return query
    if query.start is not None or query.end is not None:
        return replace(query, required=tuple(missing))  # a cursor may hold the name
    added = [Order(path, name.descending) for path in sorted(missing)]
    return replace(query, orders=(*orders, *added, name))


def _count(aggregation: Aggregation, total: int) -> Message:
    if aggregation.up_to is not None:
        total = min(total, aggregation.up_to)
    return Value(integer_value=total)


def _value(aggregation: Aggregation, documents: Sequence[StoredDocument]) -> Message:
    if aggregation.path is None:
        return _count(aggregation, len(documents))
    values = (get_field(document.fields, aggregation.path) for document in documents)
    numbers = [number(value) for value in values if is_number(value)]
    total = _sum(numbers)
    if aggregation.kind == "sum":
        if isinstance(total, int):
            return Value(integer_value=total)
        return Value(double_value=total)
    if not numbers:
        return Value(null_value=0)
    return Value(double_value=float(total) / len(numbers))


def _sum(numbers: Sequence[int | float]) -> int | float:
    """Return an integer where all are and it fits in 64 bits, else a double."""
    if all(isinstance(item, int) for item in numbers):
        total = sum(numbers)
        return total if _INT64_MIN <= total <= _INT64_MAX else float(total)
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # infinities of both signs, or beyond range
        return sum(float(item) for item in numbers)
