"""Filters of a query: reading them, matching documents, and their normal form."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import product
from typing import Final, TypeAlias

from .errors import invalid
from .fields import DOCUMENT_NAME, FieldPath, get_field, parse_field_path
from .paths import END, document_path
from .protocol import Message, Value
from .values import NAN, NULL, encode, type_range


class Op(IntEnum):
    """Operators, numbered as in `StructuredQuery.FieldFilter.Operator`."""

    LESS_THAN = 1
    LESS_THAN_OR_EQUAL = 2
    GREATER_THAN = 3
    GREATER_THAN_OR_EQUAL = 4
    EQUAL = 5
    NOT_EQUAL = 6
    ARRAY_CONTAINS = 7
    IN = 8
    ARRAY_CONTAINS_ANY = 9
    NOT_IN = 10


RANGES: Final = frozenset(
    (Op.LESS_THAN, Op.LESS_THAN_OR_EQUAL, Op.GREATER_THAN, Op.GREATER_THAN_OR_EQUAL)
)
NEGATIONS: Final = frozenset((Op.NOT_EQUAL, Op.NOT_IN))
INEQUALITIES: Final = RANGES | NEGATIONS
# What each alternative of a list of them is by itself.
SINGLE: Final = {Op.IN: Op.EQUAL, Op.ARRAY_CONTAINS_ANY: Op.ARRAY_CONTAINS}
NAME: Final[FieldPath] = (DOCUMENT_NAME,)
_AND: Final = 1
_UNARY: Final = {
    2: (Op.EQUAL, Value(double_value=float("nan"))),
    3: (Op.EQUAL, Value(null_value=0)),
    4: (Op.NOT_EQUAL, Value(double_value=float("nan"))),
    5: (Op.NOT_EQUAL, Value(null_value=0)),
}


@dataclass(frozen=True, slots=True)
class Term:
    """
    One comparison of one field.

    Args:
        values: Encoded operands, see `values`; name components where `path` is `NAME`.
            Exactly one but for IN, NOT_IN and ARRAY_CONTAINS_ANY, which may have none.
        written: Operands as the client wrote them, also those that match nothing.
    """

    path: FieldPath
    op: Op
    values: tuple[bytes, ...]
    written: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """Several filters, all (AND) or any (OR) of which must hold."""

    conjunctive: bool
    parts: tuple["Filter", ...]


Filter: TypeAlias = Term | Junction
Predicate: TypeAlias = Callable[[bytes, Message], bool]  # of name component and fields


def parse_filter(message: Message) -> Filter:
    """
    Read a `StructuredQuery.Filter`.

    Raises:
        StatusError: INVALID_ARGUMENT, an operator or operand is not allowed.
    """
    kind = message.WhichOneof("filter_type")
    if kind == "composite_filter":
        composite = message.composite_filter
        parts = tuple(parse_filter(part) for part in composite.filters)
        if composite.op not in (1, 2):
            raise invalid("A composite filter requires an operator.")
        return Junction(composite.op == _AND or not parts, parts)
    if kind == "unary_filter":
        unary = message.unary_filter
        if unary.op not in _UNARY:
            raise invalid("A unary filter requires an operator.")
        op, value = _UNARY[unary.op]
        path = parse_field_path(unary.field.field_path)
        return Term(path, op, (encode(value),), (_written(value),))
    if kind == "field_filter":
        return _parse_term(message.field_filter)
    raise invalid("A filter must be set.")


def _parse_term(message: Message) -> Term:
    if message.op not in set(Op):
        raise invalid("A field filter requires an operator.")
    path, op = parse_field_path(message.field.field_path), Op(message.op)
    operands = [message.value]
    if op in (Op.IN, Op.NOT_IN, Op.ARRAY_CONTAINS_ANY):
        operands = _operands(op, message.value)
    written = tuple(dict.fromkeys(map(_written, operands)))
    if path == NAME:
        if op in (Op.ARRAY_CONTAINS, Op.ARRAY_CONTAINS_ANY):
            raise invalid(f"{op.name} is not supported on {DOCUMENT_NAME}.")
        return Term(path, op, tuple(map(name_operand, operands)), written)
    values = dict.fromkeys(encode(value) for value in operands)
    for unequal in _NEVER_LISTED.get(op, ()):
        values.pop(unequal, None)
    return Term(path, op, tuple(values), written)


def _written(value: Message) -> bytes:
    written: bytes = value.SerializeToString(deterministic=True)
    return written


# NaN equals nothing, itself included, and lists of alternatives find no nulls.
_NEVER_LISTED: Final = {
    Op.IN: (NAN, NULL),
    Op.NOT_IN: (NAN,),
    Op.ARRAY_CONTAINS_ANY: (NAN, NULL),
}


def _operands(op: Op, value: Message) -> list[Message]:
    if not value.HasField("array_value") or not value.array_value.values:
        raise invalid(f"'{op.name}' requires a non-empty ArrayValue.")
    limit = 10 if op is Op.NOT_IN else 30
    values = list(value.array_value.values)
    if len(values) > limit:
        raise invalid(f"'{op.name}' supports up to {limit} comparison values.")
    return values


def name_operand(value: Message) -> bytes:
    """
    Return the name component that documents' names are compared with.

    Raises:
        StatusError: INVALID_ARGUMENT, not a reference to a document.
    """
    if not value.HasField("reference_value"):
        raise invalid("__key__ filter value must be a Key")
    return document_path(value.reference_value).key() + END


def terms(filter_: Filter | None) -> Iterator[Term]:
    """Yield every comparison, wherever it is nested."""
    if isinstance(filter_, Term):
        yield filter_
    elif filter_ is not None:
        for part in filter_.parts:
            yield from terms(part)


def disjuncts(filter_: Filter | None) -> list[tuple[Term, ...]]:
    """
    Return the disjunctive normal form: any list of terms, all of which hold.

    IN and ARRAY_CONTAINS_ANY become one alternative for each operand.
    """
    if filter_ is None:
        return [()]
    if isinstance(filter_, Junction):
        parts = [disjuncts(part) for part in filter_.parts]
        if not filter_.conjunctive:
            return list(dict.fromkeys(item for part in parts for item in part))
        joined = (sum(choice, ()) for choice in product(*parts))
        return list(dict.fromkeys(tuple(dict.fromkeys(item)) for item in joined))
    if filter_.op in SINGLE:
        path, op = filter_.path, SINGLE[filter_.op]
        return [(Term(path, op, (value,), ()),) for value in filter_.values]
    return [(filter_,)]


def compile_filter(filter_: Filter | None) -> Predicate:
    """Return the function that tells whether a document matches."""
    if filter_ is None:
        return lambda name, fields: True
    if isinstance(filter_, Term):
        return _compile_term(filter_)
    parts = [compile_filter(part) for part in filter_.parts]
    if filter_.conjunctive:
        return lambda name, fields: all(part(name, fields) for part in parts)
    return lambda name, fields: any(part(name, fields) for part in parts)


def _compile_term(term: Term) -> Predicate:
    if term.path == NAME:
        compare = _name_test(term)
        return lambda name, fields: compare(name)
    path, values = term.path, frozenset(term.values)
    if term.op in (Op.ARRAY_CONTAINS, Op.ARRAY_CONTAINS_ANY):
        return lambda name, fields: _contains(get_field(fields, path), values)
    test = _value_test(term)

    def matches(name: bytes, fields: Message) -> bool:
        value = get_field(fields, path)
        return value is not None and test(encode(value))

    return matches


def _contains(value: Message | None, wanted: frozenset[bytes]) -> bool:
    return value is not None and any(
        encode(item) in wanted for item in value.array_value.values
    )


def _value_test(term: Term) -> Callable[[bytes], bool]:
    values = frozenset(term.values)
    if term.op in (Op.EQUAL, Op.IN):
        return lambda encoded: encoded in values
    if term.op in NEGATIONS:
        if term.op is Op.NOT_IN and NULL in values:
            return lambda encoded: False
        return lambda encoded: encoded != NULL and encoded not in values
    first = term.values[0]
    start, end = type_range(first)
    compare = _COMPARISONS[term.op]
    return lambda encoded: start <= encoded < end and compare(encoded, first)


def _name_test(term: Term) -> Callable[[bytes], bool]:
    first, values = term.values[0], frozenset(term.values)
    if term.op in (Op.EQUAL, Op.IN):
        return lambda name: name in values
    if term.op in NEGATIONS:
        return lambda name: name not in values
    compare = _COMPARISONS[term.op]
    return lambda name: compare(name, first)


_COMPARISONS: Final[dict[Op, Callable[[bytes, bytes], bool]]] = {
    Op.LESS_THAN: lambda left, right: left < right,
    Op.LESS_THAN_OR_EQUAL: lambda left, right: left <= right,
    Op.GREATER_THAN: lambda left, right: left > right,
    Op.GREATER_THAN_OR_EQUAL: lambda left, right: left >= right,
}
