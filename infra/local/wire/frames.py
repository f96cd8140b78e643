"""HTTP/2 frames and header blocks as bytes: RFC 9113, 4 and 6; RFC 7541."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER: Final = struct.Struct(">HBBBI")  # length in two parts, kind, flags, stream
_SETTING: Final = struct.Struct(">HI")
NUMBER: Final = struct.Struct(">I")
STREAM_BITS: Final = 0x7FFF_FFFF

DATA: Final = 0x0
HEADERS: Final = 0x1
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20
_PRIORITY_BYTES: Final = 5

INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5

DEFAULT_WINDOW: Final = 65_535
MAX_WINDOW: Final = 2**31 - 1
DEFAULT_FRAME_BYTES: Final = 16_384
MAX_FRAME_BYTES: Final = 2**24 - 1

# RFC 7541, 6.1: an entry of the static table, and 6.2.2: a literal by a new name.
STATUS_200: Final = b"\x88"
_LITERAL: Final = b"\x00"
_LENGTH_PREFIX: Final = 0x7F


class ErrorCode(IntEnum):
    """Why a stream or a connection ends: RFC 9113, 7."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    FLOW_CONTROL_ERROR = 0x3
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    COMPRESSION_ERROR = 0x9
    ENHANCE_YOUR_CALM = 0xB


class WireError(Exception):
    """The peer broke the protocol; its connection ends."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.name)
        self.code = code


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    size = len(payload)
    return HEADER.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def settings(values: Mapping[int, int]) -> bytes:
    """Return the payload of a SETTINGS frame."""
    return b"".join(_SETTING.pack(*item) for item in values.items())


def parse_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """
    Yield the settings of a frame in their order.

    Raises:
        WireError: the payload ends within a setting.
    """
    if len(payload) % _SETTING.size:
        raise WireError(ErrorCode.FRAME_SIZE_ERROR)
    yield from _SETTING.iter_unpack(payload)


def parse_number(payload: bytes) -> int:
    """
    Return the one number of a frame, without its reserved bit.

    Raises:
        WireError: the payload is not four bytes.
    """
    if len(payload) != NUMBER.size:
        raise WireError(ErrorCode.FRAME_SIZE_ERROR)
    number: int = NUMBER.unpack(payload)[0]
    return number & STREAM_BITS


def content(flags: int, payload: bytes) -> bytes:
    """
    Return the payload without padding and priority.

    Raises:
        WireError: the frame is shorter than what its flags announce.
    """
    end = len(payload)
    start = 0
    if flags & PADDED:
        start = 1
        end -= payload[0] if payload else 1
    if flags & PRIORITY:
        start += _PRIORITY_BYTES
    if start > end:
        raise WireError(ErrorCode.PROTOCOL_ERROR)
    return payload[start:end]


def header_block(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return header fields as literals, which need no table on either side."""
    return b"".join(_LITERAL + _text(name) + _text(value) for name, value in fields)


def _text(text: bytes) -> bytes:
    # RFC 7541, 5.1: what does not fit the prefix follows, seven bits at a time.
    size = len(text)
    if size < _LENGTH_PREFIX:
        return bytes((size,)) + text
    length = bytearray((_LENGTH_PREFIX,))
    size -= _LENGTH_PREFIX
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes(length) + text
