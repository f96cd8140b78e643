"""What a field transform makes of a field's value."""

from collections.abc import Sequence
from typing import Final

from .errors import invalid
from .fields import get_field, parse_field_path, set_field
from .protocol import Message, Value, to_timestamp
from .values import encode, is_number, number

_INT64_MIN: Final = -(1 << 63)
_INT64_MAX: Final = (1 << 63) - 1
_REQUEST_TIME: Final = 1
_US_PER_MS: Final = 1000


def apply_transforms(
    fields: Message, transforms: Sequence[Message], now_us: int
) -> list[Message]:
    """
    Change `fields` by each transform in turn.

    Returns:
        The result of each, as `WriteResult.transform_results` has it.

    Raises:
        StatusError: INVALID_ARGUMENT, no transform or operand of the wrong type.
    """
    results = []
    for transform in transforms:
        path = parse_field_path(transform.field_path)
        current = get_field(fields, path)
        value, result = _apply(current, transform, now_us)
        set_field(fields, path, value)
        results.append(result)
    return results


def _apply(
    current: Message | None, transform: Message, now_us: int
) -> tuple[Message, Message]:
    kind = transform.WhichOneof("transform_type")
    if kind == "set_to_server_value":
        if transform.set_to_server_value != _REQUEST_TIME:
            raise invalid("A server value must be specified.")
        # Milliseconds, as production promises for REQUEST_TIME.
        time = to_timestamp(now_us // _US_PER_MS * _US_PER_MS)
        value = Value(timestamp_value=time)
        return value, value
    if kind in ("increment", "maximum", "minimum"):
        operand = getattr(transform, kind)
        if not is_number(operand):
            raise invalid(f"{kind} requires a number.")
        value = _NUMERIC[kind](current, operand)
        return value, value
    if kind == "append_missing_elements":
        return _union(current, transform.append_missing_elements.values), _NULL
    if kind == "remove_all_from_array":
        return _remove(current, transform.remove_all_from_array.values), _NULL
    raise invalid("A field transform must be set.")


_NULL: Final = Value(null_value=0)


def _increment(current: Message | None, operand: Message) -> Message:
    if current is None or not is_number(current):
        return operand
    total = number(current) + number(operand)
    if isinstance(total, int):
        return Value(integer_value=max(_INT64_MIN, min(_INT64_MAX, total)))
    return Value(double_value=total)


def _maximum(current: Message | None, operand: Message) -> Message:
    if current is None or not is_number(current):
        return operand
    if number(current) != number(current):
        return current
    if number(operand) != number(operand):
        return operand
    return operand if encode(operand) > encode(current) else current


def _minimum(current: Message | None, operand: Message) -> Message:
    if current is None or not is_number(current):
        return operand
    return operand if encode(operand) < encode(current) else current


_NUMERIC: Final = {"increment": _increment, "maximum": _maximum, "minimum": _minimum}


def _union(current: Message | None, operands: Sequence[Message]) -> Message:
    items = list(current.array_value.values) if current is not None else []
    present = {encode(item) for item in items}
    for operand in operands:
        if encode(operand) not in present:
            present.add(encode(operand))
            items.append(operand)
    return _array(items)


def _remove(current: Message | None, operands: Sequence[Message]) -> Message:
    unwanted = {encode(operand) for operand in operands}
    items = current.array_value.values if current is not None else ()
    return _array([item for item in items if encode(item) not in unwanted])


def _array(items: Sequence[Message]) -> Message:
    value = Value()
    value.array_value.SetInParent()
    value.array_value.values.extend(items)
    return value
