"""The bytes of values and names sort exactly as Firestore sorts values and names."""

import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.firestore.paths import END, Path, decode_key
from infra.local.firestore.protocol import Message, Value
from infra.local.firestore.values import AFTER, encode, invert, type_range

TIMELESS = settings(deadline=None)  # other work on the machine is no failure

DATABASE = "projects/demo/databases/(default)"
TEXT = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]), min_size=0, max_size=6
)
IDS = st.one_of(
    TEXT.filter(lambda text: bool(text) and "/" not in text),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: f"__id{number}__"),
)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=False)
NUMBERS = st.one_of(INTEGERS, DOUBLES, st.sampled_from([2**53, 2**53 + 1, 0.0, -0.0]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT, st.binary(max_size=4))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)


def value_of(python: Any) -> Message:
    """Return the protobuf form of a value."""
    match python:
        case None:
            return Value(null_value=0)
        case bool():
            return Value(boolean_value=python)
        case int():
            return Value(integer_value=python)
        case float():
            return Value(double_value=python)
        case str():
            return Value(string_value=python)
        case bytes():
            return Value(bytes_value=python)
        case list():
            value = Value()
            value.array_value.SetInParent()
            value.array_value.values.extend(map(value_of, python))
            return value
    value = Value()
    value.map_value.SetInParent()
    for name, item in python.items():
        value.map_value.fields[name].CopyFrom(value_of(item))
    return value


def rank(python: Any) -> tuple[Any, ...]:
    """Return what sorts as Firestore does, by Python's own comparisons."""
    match python:
        case None:
            return (0,)
        case bool():
            return (1, python)
        case int() | float():
            return (2, python)
        case str():
            return (3, python.encode())
        case bytes():
            return (4, python)
        case list():
            return (5, [rank(item) for item in python])
    pairs = sorted((name.encode(), rank(item)) for name, item in python.items())
    return (6, pairs)


@TIMELESS
@given(VALUES, VALUES)
def test_bytes_sort_as_values(left: Any, right: Any) -> None:
    """
    Of any two values, the lesser has the lesser bytes; equal values have equal bytes.
    """
    first, second = encode(value_of(left)), encode(value_of(right))

    assert (first < second) == (rank(left) < rank(right))
    assert (first == second) == (rank(left) == rank(right))


@TIMELESS
@given(NUMBERS, NUMBERS)
def test_numbers_compare_exactly(left: float, right: float) -> None:
    """
    Integers and doubles compare without rounding either to the other.
    """
    first, second = encode(value_of(left)), encode(value_of(right))

    assert (first < second) == (left < right)
    assert (first == second) == (left == right)


@TIMELESS
@given(VALUES, VALUES)
def test_inverted_bytes_sort_backwards(left: Any, right: Any) -> None:
    """
    Descending indexes are ascending indexes of inverted bytes.
    """
    first, second = encode(value_of(left)), encode(value_of(right))

    assert (invert(first) > invert(second)) == (first < second)
    assert invert(invert(first)) == first


@TIMELESS
@given(VALUES, VALUES)
def test_no_encoding_is_a_prefix_of_another(left: Any, right: Any) -> None:
    """
    So that joined encodings sort part by part, whatever comes behind.
    """
    first, second = encode(value_of(left)), encode(value_of(right))

    assert first == second or not second.startswith(first)


@TIMELESS
@given(VALUES)
def test_values_lie_in_the_range_of_their_type(python: Any) -> None:
    """
    Range filters stay within one type.
    """
    encoded = encode(value_of(python))
    start, end = type_range(encoded)

    assert start <= encoded < end
    assert encoded < AFTER


def test_nan_is_the_least_number() -> None:
    """
    NaN sorts before minus infinity and behind all booleans.
    """
    nan = encode(value_of(float("nan")))

    assert encode(value_of(True)) < nan < encode(value_of(float("-inf")))
    odd_nan = struct.unpack(">d", b"\xff\xf8\x00\x00\x00\x00\x00\x01")[0]
    assert encode(value_of(odd_nan)) == nan


@TIMELESS
@given(st.lists(IDS, max_size=4), st.lists(IDS, max_size=4))
def test_name_keys_keep_and_order_names(left: list[str], right: list[str]) -> None:
    """
    A key gives its path back, sorts segment by segment, and is a prefix below itself.
    """
    first, second = Path(DATABASE, tuple(left)), Path(DATABASE, tuple(right))

    assert decode_key(first.key()) == first
    assert (first.key() + END < second.key() + END) == (_order(left) < _order(right))
    below = right[: len(left)] == left
    assert second.key().startswith(first.key()) == below


def _order(segments: list[str]) -> list[tuple[int, Any]]:
    ordered: list[tuple[int, Any]] = []
    for segment in segments:
        inner = segment[4:-2]
        if segment.startswith("__id") and segment.endswith("__") and _is_number(inner):
            ordered.append((0, int(inner)))
        else:
            ordered.append((1, segment.encode()))
    return ordered


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
