"""
Firestore values as bytes whose order is the order of the values.

Numbers compare across integer and double exactly; equal values of both kinds have
equal bytes.  No encoding is a prefix of another, so encodings can be joined (maps,
arrays, index keys) and inverted for descending order.
"""

import math
import struct
from collections.abc import Callable
from typing import Final

from .paths import END, Path, escape
from .protocol import Message, from_timestamp

# First bytes, in the order of types that Firestore documents.
NULL: Final = b"\x10"
FALSE: Final = b"\x18"
TRUE: Final = b"\x19"
NAN: Final = b"\x20"
NUMBER: Final = b"\x21"
TIMESTAMP: Final = b"\x28"
STRING: Final = b"\x30"
BYTES: Final = b"\x38"
REFERENCE: Final = b"\x40"
GEO_POINT: Final = b"\x48"
ARRAY: Final = b"\x50"
VECTOR: Final = b"\x58"
MAP: Final = b"\x60"

AFTER: Final = b"\xff"  # above every first byte, inverted ones included
_TYPE_END: Final = {
    NULL: b"\x11",
    FALSE: b"\x1a",
    TRUE: b"\x1a",
    NAN: b"\x22",
    NUMBER: b"\x22",
}
_TYPE_START: Final = {TRUE: FALSE}
_INVERTED: Final = bytes(255 - byte for byte in range(256))
_INT64_OFFSET: Final = 1 << 63
_VECTOR_TYPE: Final = "__vector__"


def encode(value: Message) -> bytes:
    """Return the ordered bytes of a `google.firestore.v1.Value`."""
    kind = value.WhichOneof("value_type")
    return _ENCODERS[kind](value) if kind else NULL


def invert(encoded: bytes) -> bytes:
    """Return bytes that sort in the opposite order; its own inverse."""
    return encoded.translate(_INVERTED)


def type_range(encoded: bytes) -> tuple[bytes, bytes]:
    """Return [start, end) of all values comparable with `encoded`'s value."""
    first = encoded[:1]
    end = _TYPE_END.get(first) or bytes([first[0] + 1])
    return _TYPE_START.get(first, first), end


def is_number(value: Message) -> bool:
    """Return whether `value` is an integer or a double."""
    return value.WhichOneof("value_type") in ("integer_value", "double_value")


def number(value: Message) -> int | float:
    """Return the number in `value`, which must be one."""
    result: int | float = getattr(value, value.WhichOneof("value_type"))
    return result


def is_vector(fields: Message) -> bool:
    """Return whether a map's `fields` are how Firestore sends a vector."""
    return "__type__" in fields and fields["__type__"].string_value == _VECTOR_TYPE


def _number(value: Message) -> bytes:
    exact = number(value)
    if exact != exact:
        return NAN
    double, rest = float(exact), 0
    if isinstance(exact, int):
        if int(double) > exact:
            double = math.nextafter(double, -math.inf)
        rest = exact - int(double)  # < 1024: what the double cannot hold
    return NUMBER + _double(double) + rest.to_bytes(2, "big")


def _double(double: float) -> bytes:
    if double != double:
        return bytes(8)
    packed = struct.pack(">d", double + 0.0)  # -0.0 + 0.0 is 0.0
    if packed[0] & 0x80:
        return invert(packed)
    return bytes([packed[0] | 0x80]) + packed[1:]


def _timestamp(value: Message) -> bytes:
    time_us = from_timestamp(value.timestamp_value)
    return TIMESTAMP + (time_us + _INT64_OFFSET).to_bytes(8, "big")


def _geo_point(value: Message) -> bytes:
    point = value.geo_point_value
    return GEO_POINT + _double(point.latitude) + _double(point.longitude)


def _array(value: Message) -> bytes:
    return ARRAY + b"".join(map(encode, value.array_value.values)) + END


def _map(value: Message) -> bytes:
    fields = value.map_value.fields
    if is_vector(fields):
        items = fields["value"].array_value.values
        return b"".join(
            (VECTOR, len(items).to_bytes(4, "big"), *(_number(item) for item in items))
        )
    pairs = sorted((escape(name.encode()), item) for name, item in fields.items())
    return MAP + b"".join(b"\x01" + name + encode(item) for name, item in pairs) + END


_ENCODERS: Final[dict[str, Callable[[Message], bytes]]] = {
    "null_value": lambda value: NULL,
    "boolean_value": lambda value: TRUE if value.boolean_value else FALSE,
    "integer_value": _number,
    "double_value": _number,
    "timestamp_value": _timestamp,
    "string_value": lambda value: STRING + escape(value.string_value.encode()),
    "bytes_value": lambda value: BYTES + escape(value.bytes_value),
    "reference_value": lambda value: (
        REFERENCE + Path.parse(value.reference_value).key() + END
    ),
    "geo_point_value": _geo_point,
    "array_value": _array,
    "map_value": _map,
}
