"""A structured query in the terms of this server: scope, filter, order, bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import grpc

from .documents import StoredDocument
from .errors import StatusError, invalid
from .fields import FieldPath, format_field_path, get_field, parse_field_path
from .filters import (
    INEQUALITIES,
    NAME,
    Filter,
    Predicate,
    compile_filter,
    name_operand,
    parse_filter,
    terms,
)
from .paths import Path, check_id
from .protocol import Message
from .query_rules import check_filter
from .values import encode, invert

_DESCENDING: Final = 2


@dataclass(frozen=True, slots=True)
class Order:
    """One component of the sort order."""

    path: FieldPath
    descending: bool

    def component(self, encoded: bytes) -> bytes:
        """Return `encoded` as it stands in sort keys of this order."""
        return invert(encoded) if self.descending else encoded


@dataclass(frozen=True, slots=True)
class Bound:
    """
    A cursor: a position between documents.

    Args:
        components: Of the first orders of the query, as `Order.component` makes them.
        before: Whether the position is before documents that equal it, or after.
    """

    components: tuple[bytes, ...]
    before: bool

    def precedes(self, components: Sequence[bytes]) -> bool:
        """Return whether the position is before a document with these components."""
        there = tuple(components[: len(self.components)])
        return self.components < there or (self.before and self.components == there)


@dataclass(frozen=True)
class Query:
    """
    What RunQuery, RunAggregationQuery and Listen ask for, made explicit.

    Args:
        parent: Document, or root, below which to look.
        collection_id: None asks for documents of every collection.
        descendants: Whether to look at any depth or directly below `parent`.
        orders: Ends with the document name, always.
        projection: Fields to return; None for all.
        required: Fields that a result must have, whatever their value.
    """

    parent: Path
    collection_id: str | None
    descendants: bool
    filter: Filter | None
    orders: tuple[Order, ...]
    start: Bound | None = None
    end: Bound | None = None
    offset: int = 0
    limit: int | None = None
    projection: tuple[FieldPath, ...] | None = None
    required: tuple[FieldPath, ...] = ()

    @cached_property
    def _predicate(self) -> Predicate:
        return compile_filter(self.filter)

    def in_scope(self, path: Path) -> bool:
        """Return whether a document with this name is looked at."""
        base, segments = self.parent, path.segments
        depth = len(base.segments)
        if path.database != base.database or segments[:depth] != base.segments:
            return False
        if len(segments) == depth:
            return False
        if self.collection_id is not None and segments[-2] != self.collection_id:
            return False
        return self.descendants or len(segments) == depth + 2

    def components(self, document: StoredDocument) -> tuple[bytes, ...] | None:
        """Return the sort key in parts; None where an ordering field is missing."""
        found = []
        for order in self.orders:
            if order.path == NAME:
                found.append(order.component(document.name_component))
                continue
            value = get_field(document.fields, order.path)
            if value is None:
                return None
            found.append(order.component(encode(value)))
        return tuple(found)

    def position(self, document: StoredDocument) -> tuple[bytes, ...] | None:
        """Return the sort key if the document is in scope and matches, else None."""
        if not self.in_scope(document.path):
            return None
        if not self._predicate(document.name_component, document.fields):
            return None
        if any(get_field(document.fields, path) is None for path in self.required):
            return None
        components = self.components(document)
        if components is None:
            return None
        if self.start is not None and not self.start.precedes(components):
            return None
        if self.end is not None and self.end.precedes(components):
            return None
        return components


def parse_query(parent: str, message: Message) -> Query:
    """
    Read a `StructuredQuery` below the document or root named `parent`.

    Raises:
        StatusError: INVALID_ARGUMENT, production would refuse it as well.
    """
    base = Path.parse(parent)
    if len(base.segments) % 2:
        raise invalid(f'Parent "{parent}" is not a document or the root.')
    if message.HasField("find_nearest"):
        raise StatusError(
            grpc.StatusCode.UNIMPLEMENTED, "Vector search is not embedded."
        )
    collection_id, descendants = _selector(message)
    filter_ = parse_filter(message.where) if message.HasField("where") else None
    check_filter(filter_)
    orders = _orders(message, filter_)
    if collection_id is None:
        _check_kindless(filter_, orders)
    return Query(
        parent=base,
        collection_id=collection_id,
        descendants=descendants,
        filter=filter_,
        orders=orders,
        start=_bound(message, "start_at", orders),
        end=_bound(message, "end_at", orders),
        offset=_not_negative(message.offset, "offset"),
        limit=_limit(message),
        projection=_projection(message),
    )


def _selector(message: Message) -> tuple[str | None, bool]:
    if not message.from_:
        return None, False
    if len(message.from_) > 1:
        raise invalid("A query cannot have more than one collection selector.")
    (selector,) = message.from_
    if selector.collection_id:
        check_id(selector.collection_id)
    return selector.collection_id or None, selector.all_descendants


def _check_kindless(filter_: Filter | None, orders: Sequence[Order]) -> None:
    for path in (*(term.path for term in terms(filter_)), *(o.path for o in orders)):
        if path != NAME:
            raise invalid(f"kind is required for filter: {format_field_path(path)}")


def _orders(message: Message, filter_: Filter | None) -> tuple[Order, ...]:
    orders: list[Order] = []
    for item in message.order_by:
        path = parse_field_path(item.field.field_path)
        if any(order.path == path for order in orders):
            raise invalid(
                "order by clause cannot contain duplicate fields "
                f"{format_field_path(path)}"
            )
        orders.append(Order(path, item.direction == _DESCENDING))
    named = [order.path for order in orders]
    if NAME in named:
        return tuple(orders[: named.index(NAME) + 1])
    descending = bool(orders) and orders[-1].descending
    implied = {term.path for term in terms(filter_) if term.op in INEQUALITIES}
    # As production does: filtered fields in lexicographic order, the name last.
    for path in sorted(implied - set(named) - {NAME}):
        orders.append(Order(path, descending))
    return (*orders, Order(NAME, descending))


def _bound(message: Message, name: str, orders: Sequence[Order]) -> Bound | None:
    if not message.HasField(name):
        return None
    cursor = getattr(message, name)
    if len(cursor.values) > len(orders):
        raise invalid("Cursor has too many values.")
    components = []
    for order, value in zip(orders, cursor.values, strict=False):
        encoded = name_operand(value) if order.path == NAME else encode(value)
        components.append(order.component(encoded))
    return Bound(tuple(components), cursor.before)


def _limit(message: Message) -> int | None:
    if not message.HasField("limit"):
        return None
    return _not_negative(message.limit.value, "limit")


def _not_negative(number: int, name: str) -> int:
    if number < 0:
        raise invalid(f"{name} is negative")
    return number


def _projection(message: Message) -> tuple[FieldPath, ...] | None:
    if not message.HasField("select"):
        return None
    paths = [parse_field_path(field.field_path) for field in message.select.fields]
    return tuple(path for path in paths if path != NAME)
