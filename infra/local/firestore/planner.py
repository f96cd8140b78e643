"""From a query to range scans of indexes, one for each alternative of its filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .fields import FieldPath
from .filters import INEQUALITIES, NAME, RANGES, Op, Term, disjuncts
from .index_choice import Source, by_name, check_direction, choose
from .indexes import Catalog
from .queries import Bound, Order, Query
from .values import AFTER, invert, type_range

Position = tuple[bytes, bytes]  # value and name, as index entries have them


@dataclass(frozen=True, slots=True)
class Scan:
    """
    One range of one index, read in order.

    Args:
        source: Where to read.
        joins: Other indexes that must have an entry with the same rest of value
            and the same name.
        lower: First position wanted.
        upper: First position no longer wanted.
        backwards: Whether to read from `upper` to `lower`.
        exact: Whether every entry in the range is a result; else each document is
            matched against the query.
    """

    source: Source
    joins: tuple[Source, ...]
    lower: Position
    upper: Position
    backwards: bool
    exact: bool


def plan(query: Query, catalog: Catalog) -> list[Scan]:
    """
    Return the scans whose union, merged by the query's order, is its result.

    Raises:
        StatusError: FAILED_PRECONDITION, an index is missing; the text names it in
            the form of the indexes file.
    """
    return [_plan_one(query, catalog, terms) for terms in disjuncts(query.filter)]


def _plan_one(query: Query, catalog: Catalog, conjunction: Sequence[Term]) -> Scan:
    equals = [t for t in conjunction if t.op in (Op.EQUAL, Op.ARRAY_CONTAINS)]
    named = [term.values[0] for term in equals if term.path == NAME]
    if named:
        check_direction(query.orders[-1], equals)
        lower, upper = (b"", named[0]), (b"", named[0] + AFTER)
        return Scan(by_name(query), (), lower, upper, False, exact=False)
    fixed = {term.path: term.values[0] for term in equals if term.op is Op.EQUAL}
    orders = [order for order in query.orders if order.path not in fixed]
    choice = choose(query, catalog, equals, orders)
    limits = _cursor_limits(query, fixed)
    applied = [t for t in conjunction if limits.narrow(t, orders[0])]
    lower, upper = limits.positions(choice.sources[0].prefix, choice.backwards)
    unapplied = sum(term.op in INEQUALITIES for term in conjunction) - len(applied)
    contradictory = len(fixed) < sum(term.op is Op.EQUAL for term in equals)
    below = query.descendants and query.parent.segments
    return Scan(
        source=choice.sources[0],
        joins=choice.sources[1:],
        lower=lower,
        upper=upper,
        backwards=choice.backwards,
        exact=not (unapplied or contradictory or below or query.required),
    )


def _cursor_limits(query: Query, fixed: Mapping[FieldPath, bytes]) -> "_Limits":
    limits = _Limits()
    if query.start is not None:
        limits.start_at(_reduced(query, query.start, fixed))
    if query.end is not None:
        limits.end_at(_reduced(query, query.end, fixed))
    return limits


@dataclass(frozen=True, slots=True)
class _Edge:
    """A position in the query's order; `name` is None where only `value` counts."""

    value: bytes
    name: bytes | None
    inclusive: bool  # whether what equals the position is inside

    def inverted(self) -> "_Edge":
        name = None if self.name is None else invert(self.name)
        return _Edge(invert(self.value), name, self.inclusive)

    def lower(self, prefix: bytes) -> Position:
        behind = b"" if self.inclusive else AFTER
        if self.name is None:
            return prefix + self.value + behind, b""
        return prefix + self.value, self.name + behind

    def upper(self, prefix: bytes) -> Position:
        behind = AFTER if self.inclusive else b""
        if self.name is None:
            return prefix + self.value + behind, b""
        return prefix + self.value, self.name + behind


def _reduced(query: Query, bound: Bound, fixed: Mapping[FieldPath, bytes]) -> _Edge:
    """
    Take out of a cursor what equality filters fix, as no index orders by it.

    The result is inclusive where the cursor lies before what equals it.
    """
    values: list[bytes] = []
    name = None
    before = bound.before
    for order, component in zip(query.orders, bound.components, strict=False):
        if order.path == NAME:
            name = component
        elif order.path not in fixed:
            values.append(component)
        elif component != (there := order.component(fixed[order.path])):
            before = component < there
            break
    return _Edge(b"".join(values), name, before)


@dataclass(frozen=True, slots=True)
class _TypeRange:
    """First bytes, from `start` up to but not `end`, that an operand compares with."""

    start: bytes
    end: bytes
    descending: bool

    def stored(self, backwards: bool) -> tuple[bytes, bytes]:
        """Return the range as the index has it, whose entries may be inverted."""
        if self.descending == backwards:
            return self.start, self.end
        return bytes([256 - self.end[0]]), bytes([256 - self.start[0]])


@dataclass(slots=True)
class _Limits:
    """Edges of one range, in the query's order."""

    lowers: list[_Edge] = field(default_factory=list)
    uppers: list[_Edge] = field(default_factory=list)
    types: list["_TypeRange"] = field(default_factory=list)

    def start_at(self, edge: _Edge) -> None:
        self.lowers.append(edge)

    def end_at(self, edge: _Edge) -> None:
        # A cursor before what equals it leaves that outside at the end.
        self.uppers.append(_Edge(edge.value, edge.name, not edge.inclusive))

    def narrow(self, term: Term, order: Order) -> bool:
        """Apply a comparison of the first ordered field; say whether it was one."""
        if term.op not in RANGES or term.path != order.path:
            return False
        operand = term.values[0]
        inclusive = term.op in (Op.LESS_THAN_OR_EQUAL, Op.GREATER_THAN_OR_EQUAL)
        upwards = term.op in (Op.GREATER_THAN, Op.GREATER_THAN_OR_EQUAL)
        if term.path == NAME:
            edge = _Edge(b"", operand, inclusive)
            lowers, uppers = ([edge], []) if upwards else ([], [edge])
        else:
            edge = _Edge(operand, None, inclusive)
            lowers, uppers = ([edge], []) if upwards else ([], [edge])
            self.types.append(_TypeRange(*type_range(operand), order.descending))
        if order.descending:
            lowers, uppers = _inverted(uppers), _inverted(lowers)
        self.lowers += lowers
        self.uppers += uppers
        return True

    def positions(self, prefix: bytes, backwards: bool) -> tuple[Position, Position]:
        """Return the tightest range, in the order of the index."""
        lowers, uppers = self.lowers, self.uppers
        if backwards:
            lowers, uppers = _inverted(uppers), _inverted(lowers)
        types = [item.stored(backwards) for item in self.types]
        firsts = [prefix, *(prefix + start for start, _ in types)]
        ends = [prefix + AFTER, *(prefix + end for _, end in types)]
        return (
            max([(max(firsts), b""), *(edge.lower(prefix) for edge in lowers)]),
            min([(min(ends), b""), *(edge.upper(prefix) for edge in uppers)]),
        )


def _inverted(edges: Sequence[_Edge]) -> list[_Edge]:
    return [edge.inverted() for edge in edges]
