"""
Which indexes serve one alternative of a query.

Production's rule: filters on equality alone merge single-field indexes; one ordered
field needs its own index; anything more needs composite indexes, each of some
equality fields followed by exactly the order of the query.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import precondition_failed
from .filters import NAME, Op, Term
from .indexes import (
    BY_NAME,
    BY_NAME_IN_GROUP,
    Catalog,
    Definition,
    IndexField,
    Mode,
    Scope,
    single_field,
)
from .missing_index import missing_composite, missing_single
from .paths import Path
from .queries import Order, Query


@dataclass(frozen=True, slots=True)
class Source:
    """One index, restricted to entries whose value starts with `prefix`."""

    bucket: int
    prefix: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """Indexes to read together, all in the same direction."""

    sources: tuple[Source, ...]
    backwards: bool


def by_name(query: Query) -> Source:
    """Return the index of all documents in the query's scope."""
    definition = BY_NAME_IN_GROUP if query.descendants else BY_NAME
    return Source(definition.bucket(_collection(query)), b"")


def choose(
    query: Query, catalog: Catalog, equals: Sequence[Term], orders: Sequence[Order]
) -> Choice:
    """
    Find the indexes for `equals` (EQUAL and ARRAY_CONTAINS) in the order `orders`.

    Args:
        orders: Without fields that `equals` fixes; ends with the document name.

    Raises:
        StatusError: FAILED_PRECONDITION, an index is missing.
    """
    chooser = _Chooser(catalog, _collection(query), _scope(query))
    *ordered, last = orders
    if not ordered:
        check_direction(last, equals)
        sources = tuple(chooser.equality(term) for term in equals)
        return Choice(sources or (by_name(query),), last.descending)
    if not equals and len(ordered) == 1 and ordered[0].descending == last.descending:
        return Choice((chooser.ordered(ordered[0]),), last.descending)
    return Choice(chooser.composites(equals, orders), backwards=False)


def check_direction(name: Order, equals: Sequence[Term]) -> None:
    """
    Refuse to read documents by name alone from the last to the first.

    Raises:
        StatusError: FAILED_PRECONDITION, as production has no index for that.
    """
    if name.descending and all(term.path == NAME for term in equals):
        raise precondition_failed("Firestore does not support descending key scans")


def _collection(query: Query) -> Path:
    return query.parent.child(query.collection_id or "")


def _scope(query: Query) -> Scope:
    return Scope.GROUP if query.descendants else Scope.COLLECTION


@dataclass(frozen=True, slots=True)
class _Chooser:
    catalog: Catalog
    collection: Path
    scope: Scope

    def equality(self, term: Term) -> Source:
        mode = Mode.ASCENDING if term.op is Op.EQUAL else Mode.CONTAINS
        return Source(self._single(term.path, mode), term.values[0])

    def ordered(self, order: Order) -> Source:
        mode = Mode.DESCENDING if order.descending else Mode.ASCENDING
        return Source(self._single(order.path, mode), b"")

    def _single(self, path: tuple[str, ...], mode: Mode) -> int:
        collection_id = self.collection.segments[-1]
        if not self.catalog.has_single(collection_id, path, mode, self.scope):
            raise missing_single(self.catalog, collection_id, path, mode, self.scope)
        return single_field(path, mode, self.scope).bucket(self.collection)

    def composites(
        self, equals: Sequence[Term], orders: Sequence[Order]
    ) -> tuple[Source, ...]:
        """Cover `equals` with as few composite indexes as a greedy choice finds."""
        wanted = {_part(term): term.values[0] for term in equals}
        uncovered = set(wanted)
        sources: list[Source] = []
        collection_id = self.collection.segments[-1]
        known = self.catalog.composites.get((collection_id, self.scope), ())
        for definition in sorted(known, key=lambda item: -len(item.fields)):
            leading = _leading(definition, orders)
            if leading is None:
                continue
            covered = {_field_part(item) for item in leading}
            if not covered <= wanted.keys() or (sources and not covered & uncovered):
                continue
            prefix = b"".join(
                item.component(wanted[_field_part(item)]) for item in leading
            )
            sources.append(Source(definition.bucket(self.collection), prefix))
            uncovered -= covered
            if not uncovered:
                return tuple(sources)
        raise missing_composite(collection_id, self.scope, equals, orders)


def _part(term: Term) -> tuple[tuple[str, ...], bool]:
    return term.path, term.op is Op.ARRAY_CONTAINS


def _field_part(item: IndexField) -> tuple[tuple[str, ...], bool]:
    return item.path, item.mode is Mode.CONTAINS


def _leading(
    definition: Definition, orders: Sequence[Order]
) -> tuple[IndexField, ...] | None:
    """Return the fields before those of `orders`, or None if it orders otherwise."""
    ordered = tuple(
        IndexField(order.path, Mode.DESCENDING if order.descending else Mode.ASCENDING)
        for order in orders[:-1]
    )
    if definition.name_descending != orders[-1].descending:
        return None
    count = len(definition.fields) - len(ordered)
    if count < 0 or definition.fields[count:] != ordered:
        return None
    return definition.fields[:count]
