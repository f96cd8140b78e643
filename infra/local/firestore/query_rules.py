"""Combinations of filters that production refuses, with production's words."""

from collections import Counter
from dataclasses import replace
from typing import Final

from .errors import invalid
from .filters import (
    NEGATIONS,
    RANGES,
    Filter,
    Junction,
    Op,
    Term,
    disjuncts,
    terms,
)

MAX_DISJUNCTS: Final = 30
MAX_INEQUALITY_FIELDS: Final = 10
_DISJUNCTIVE: Final = frozenset((Op.IN, Op.ARRAY_CONTAINS_ANY))


def check_filter(filter_: Filter | None) -> None:
    """
    Refuse what no index could serve in production.

    Raises:
        StatusError: INVALID_ARGUMENT, with the rule that is broken.
    """
    if filter_ is None:
        return
    every = list(terms(filter_))
    _check_negations(filter_, every)
    if _count_disjuncts(filter_) > MAX_DISJUNCTS:
        raise invalid(
            "Too many disjunctions after normalization: "
            f"{_count_disjuncts(filter_)} > {MAX_DISJUNCTS}"
        )
    inequality_fields = {t.path for t in every if t.op in RANGES | NEGATIONS}
    if len(inequality_fields) > MAX_INEQUALITY_FIELDS:
        raise invalid("Too many properties with inequality filters (at most 10).")
    for conjunction in disjuncts(_as_written(filter_)):
        ops = Counter(term.op for term in conjunction)
        if ops[Op.ARRAY_CONTAINS] > 1:
            raise invalid(
                "A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction."
            )


def _check_negations(filter_: Filter, every: list[Term]) -> None:
    ops = Counter(term.op for term in every)
    if sum(ops[op] for op in NEGATIONS) > 1:
        raise invalid(
            "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' "
            "filter allowed per query."
        )
    if not ops[Op.NOT_IN]:
        return
    for op in _DISJUNCTIVE:
        if ops[op]:
            raise invalid(
                f"'NOT_IN' cannot be used in the same query with '{op.name}'."
            )
    if len(disjuncts(filter_)) > 1:
        raise invalid("'NOT_IN' cannot be used in the same query with an 'OR' filter.")


def _as_written(filter_: Filter) -> Filter:
    # Alternatives that can match nothing were dropped; the rules count them still.
    if isinstance(filter_, Term):
        return filter_ if filter_.values else replace(filter_, values=(b"",))
    return Junction(filter_.conjunctive, tuple(map(_as_written, filter_.parts)))


def _count_disjuncts(filter_: Filter) -> int:
    # Counted without expanding: thirty ANDed INs would be 30**30 alternatives.
    if isinstance(filter_, Term):
        return len(filter_.values) if filter_.op in _DISJUNCTIVE else 1
    counts = [_count_disjuncts(part) for part in filter_.parts]
    if not filter_.conjunctive:
        return sum(counts)
    product = 1
    for count in counts:
        product *= count
    return product
