"""Combinations of filters that production refuses, with production's words."""

from collections import Counter
from collections.abc import Collection
from typing import Final

from .errors import invalid
from .fields import FieldPath
from .filters import (
    NEGATIONS,
    RANGES,
    SINGLE,
    Filter,
    Op,
    Term,
    terms,
)

MAX_DISJUNCTS: Final = 30
MAX_INEQUALITY_FIELDS: Final = 10
_MAX_EXPANDED: Final = 1_000
_Literal = tuple[FieldPath, Op, tuple[bytes, ...]]


def check_filter(filter_: Filter | None) -> None:
    """
    Refuse what no index could serve in production.

    Raises:
        StatusError: INVALID_ARGUMENT, with the rule that is broken.
    """
    if filter_ is None:
        return
    every = list(terms(filter_))
    alternatives = _alternatives(filter_)
    _check_count(alternatives)
    _check_negations(every, alternatives)
    inequality_fields = {t.path for t in every if t.op in RANGES | NEGATIONS}
    if len(inequality_fields) > MAX_INEQUALITY_FIELDS:
        raise invalid("Too many properties with inequality filters (at most 10).")
    for conjunction in alternatives:
        if sum(op is Op.ARRAY_CONTAINS for _, op, _ in conjunction) > 1:
            raise invalid(
                "A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction."
            )


def _check_negations(every: list[Term], alternatives: Collection[object]) -> None:
    ops = Counter(term.op for term in every)
    if sum(ops[op] for op in NEGATIONS) > 1:
        raise invalid(
            "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' "
            "filter allowed per query."
        )
    if not ops[Op.NOT_IN]:
        return
    for op in SINGLE:
        if ops[op]:
            raise invalid(
                f"'NOT_IN' cannot be used in the same query with '{op.name}'."
            )
    if len(alternatives) > 1:
        raise invalid("'NOT_IN' cannot be used in the same query with an 'OR' filter.")


def _alternatives(filter_: Filter) -> set[frozenset[_Literal]]:
    """
    Return the disjunctive normal form of what the client wrote.

    Equal alternatives are one; those that can match nothing count as well.

    Raises:
        StatusError: INVALID_ARGUMENT, it is large beyond all bounds.
    """
    if isinstance(filter_, Term):
        op = SINGLE.get(filter_.op)
        if op is None:
            return {frozenset([(filter_.path, filter_.op, filter_.written)])}
        return {
            frozenset([(filter_.path, op, (operand,))]) for operand in filter_.written
        }
    parts = map(_alternatives, filter_.parts)
    if not filter_.conjunctive:
        return set().union(*parts)
    joined: set[frozenset[_Literal]] = {frozenset()}
    for part in parts:
        joined = {left | right for left in joined for right in part}
        if len(joined) > _MAX_EXPANDED:  # thirty ANDed INs would be 30**30
            _check_count(joined)
    return joined


def _check_count(alternatives: Collection[object]) -> None:
    if len(alternatives) > MAX_DISJUNCTS:
        raise invalid(
            "Too many disjunctions after normalization. Result had"
            f" {len(alternatives)} disjunctions which is more than the maximum of"
            f" {MAX_DISJUNCTS}"
        )
