"""What production refuses to store, whatever the client library let through."""

import re
from collections.abc import Sequence
from typing import Final

from .errors import invalid
from .paths import Path
from .protocol import Message
from .values import is_vector

MAX_DOCUMENT_BYTES: Final = 1_048_576
MAX_WRITES_PER_COMMIT: Final = 500
MAX_TRANSFORMS_PER_DOCUMENT: Final = 500
MAX_REQUEST_BYTES: Final = 10 * 1024 * 1024
MAX_DEPTH: Final = 20
MAX_VECTOR_DIMENSION: Final = 2048
_MAX_FIELD_NAME_BYTES: Final = 1500
_DOCUMENT_OVERHEAD_BYTES: Final = 32
_NAME_OVERHEAD_BYTES: Final = 16
_FIXED_BYTES: Final = {
    "null_value": 1,
    "boolean_value": 1,
    "integer_value": 8,
    "double_value": 8,
    "timestamp_value": 8,
    "geo_point_value": 16,
}
_RESERVED: Final = re.compile(r"__.*__", re.DOTALL)
_MIN_TIMESTAMP_S: Final = -62_135_596_800  # 0001-01-01
_MAX_TIMESTAMP_S: Final = 253_402_300_799  # 9999-12-31


def check_document(path: Path, fields: Message) -> None:
    """
    Refuse fields that may not be stored.

    Raises:
        StatusError: INVALID_ARGUMENT, naming the rule.
    """
    size_bytes = document_bytes(path, fields)
    if size_bytes > MAX_DOCUMENT_BYTES:
        raise invalid(
            f'Document "{path.name}" cannot be written because its size '
            f"({size_bytes:,} bytes) exceeds the maximum allowed size of "
            f"{MAX_DOCUMENT_BYTES:,} bytes."
        )


def document_bytes(path: Path, fields: Message) -> int:
    """
    Return the size of a document as Google bills it.

    Raises:
        StatusError: INVALID_ARGUMENT, a value or field name is not allowed.
    """
    return path_bytes(path.segments) + _map_bytes(fields, 1) + _DOCUMENT_OVERHEAD_BYTES


def path_bytes(segments: Sequence[str]) -> int:
    """Return the size of a document name as Google bills it."""
    return sum(len(part.encode()) + 1 for part in segments) + _NAME_OVERHEAD_BYTES


def _map_bytes(fields: Message, depth: int) -> int:
    if depth > MAX_DEPTH + 1:
        raise invalid(f"Property contains a map nested deeper than {MAX_DEPTH} levels.")
    total = 0
    for name, value in fields.items():
        name_bytes = len(name.encode())
        check_field_name(name, name_bytes)
        total += name_bytes + 1 + _value_bytes(name, value, depth)
    return total


def check_field_name(name: str, name_bytes: int) -> None:
    """
    Refuse names that production keeps for itself or cannot index.

    Raises:
        StatusError: INVALID_ARGUMENT.
    """
    if not name:
        raise invalid("Document fields must not be empty.")
    if name_bytes > _MAX_FIELD_NAME_BYTES:
        raise invalid(
            f'Property name "{name[:80]}…" is longer than '
            f"{_MAX_FIELD_NAME_BYTES} bytes."
        )
    if name[0] == "_" and _RESERVED.fullmatch(name):
        raise invalid(f'Property name "{name}" is reserved.')


def _value_bytes(name: str, value: Message, depth: int) -> int:
    kind = value.WhichOneof("value_type")
    fixed = _FIXED_BYTES.get(kind)
    if fixed is not None:
        if kind == "timestamp_value":
            _check_timestamp(name, value.timestamp_value)
        elif kind == "geo_point_value":
            _check_geo_point(value.geo_point_value)
        return fixed
    if kind == "string_value":
        return len(value.string_value.encode()) + 1
    if kind == "bytes_value":
        return len(value.bytes_value)
    if kind == "reference_value":
        return path_bytes(Path.parse(value.reference_value).segments)
    if kind == "array_value":
        return _array_bytes(name, value.array_value.values, depth)
    if kind == "map_value":
        if is_vector(value.map_value.fields):
            return _vector_bytes(value.map_value.fields)
        return _map_bytes(value.map_value.fields, depth + 1)
    raise invalid(f'Property "{name}" has a value of no known type.')


def _array_bytes(name: str, items: Sequence[Message], depth: int) -> int:
    total = 0
    for item in items:
        if item.HasField("array_value"):
            raise invalid(f"Property {name} contains an invalid nested entity.")
        total += _value_bytes(name, item, depth)
    return total


def _vector_bytes(fields: Message) -> int:
    items = fields["value"].array_value.values
    if not 1 <= len(items) <= MAX_VECTOR_DIMENSION:
        raise invalid(f"A vector must have 1 to {MAX_VECTOR_DIMENSION} dimensions.")
    if any(not item.HasField("double_value") for item in items):
        raise invalid("A vector must contain doubles only.")
    return len("__type__") + len("__vector__") + len("value") + 8 * len(items) + 3


def _check_timestamp(name: str, timestamp: Message) -> None:
    in_range = _MIN_TIMESTAMP_S <= timestamp.seconds <= _MAX_TIMESTAMP_S
    if not in_range or not 0 <= timestamp.nanos < 1_000_000_000:
        raise invalid(f'Property "{name}" has a timestamp out of range.')


def _check_geo_point(point: Message) -> None:
    if not -90 <= point.latitude <= 90:
        raise invalid("Latitude must be in [-90, 90].")
    if not -180 <= point.longitude <= 180:
        raise invalid("Longitude must be in [-180, 180].")
