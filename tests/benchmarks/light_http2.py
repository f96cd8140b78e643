"""
As much of HTTP/2 as many open gRPC streams need that only listen.

A gRPC client costs as much for each message as the server does, and would be measured
with it.  This one splits frames and hands the messages' bytes on, without parsing.
"""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Final

# RFC 9113 3.4, 4.1, 6
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME: Final = struct.Struct(">HBBBI")  # length in two parts, type, flags, stream
_DATA: Final = 0x0
_HEADERS: Final = 0x1
_SETTINGS: Final = 0x4
_PING: Final = 0x6
_WINDOW_UPDATE: Final = 0x8
_END_HEADERS: Final = 0x4
_ACK: Final = 0x1
_MAX_WINDOW: Final = 2**31 - 1
_DEFAULT_WINDOW: Final = 65_535
_INITIAL_WINDOW_SIZE: Final = 0x4
_GRPC_PREFIX: Final = struct.Struct(">BI")  # compressed, length
Take = Callable[[int, bytes], None]
Metadata = Sequence[tuple[str, str]]


class ListeningConnection(asyncio.Protocol):
    """
    Streams of one connection; each sends one request and never ends.

    Its flow-control windows are never renewed: 2 GiB are enough for a measurement.

    Args:
        take: Called with a stream's number and the bytes of a message.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._buffer = b""
        self._rests: dict[int, bytes] = {}  # of messages that frames cut
        self._next = 1
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the server."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        settings = struct.pack(">HI", _INITIAL_WINDOW_SIZE, _MAX_WINDOW)
        more = struct.pack(">I", _MAX_WINDOW - _DEFAULT_WINDOW)
        transport.write(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, settings)
            + _frame(_WINDOW_UPDATE, 0, 0, more)
        )

    def request(self, path: str, message: bytes, metadata: Metadata = ()) -> None:
        """Open a stream with one gRPC message."""
        headers = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *metadata,
        )
        block = b"".join(
            _literal(name) + _literal(value, b"") for name, value in headers
        )
        body = _GRPC_PREFIX.pack(0, len(message)) + message
        self.transport.write(
            _frame(_HEADERS, _END_HEADERS, self._next, block)
            + _frame(_DATA, 0, self._next, body)
        )
        self._next += 2

    def data_received(self, data: bytes) -> None:
        """Split frames."""
        data = self._buffer + data
        at = 0
        while len(data) - at >= _FRAME.size:
            high, low, kind, flags, stream = _FRAME.unpack_from(data, at)
            end = at + _FRAME.size + (high << 8 | low)
            if end > len(data):
                break
            self._frame(kind, flags, stream, data[at + _FRAME.size : end])
            at = end
        self._buffer = data[at:]

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA:
            self._messages(stream, self._rests.pop(stream, b"") + payload)
        elif kind == _SETTINGS and not flags & _ACK:
            self.transport.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self.transport.write(_frame(_PING, _ACK, 0, payload))

    def _messages(self, stream: int, data: bytes) -> None:
        at = 0
        while len(data) - at >= _GRPC_PREFIX.size:
            start = at + _GRPC_PREFIX.size
            end = start + _GRPC_PREFIX.unpack_from(data, at)[1]
            if end > len(data):
                break
            self._take(stream, data[start:end])
            at = end
        if at < len(data):
            self._rests[stream] = data[at:]


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    length = len(payload)
    return _FRAME.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def _literal(text: str, first: bytes = b"\x00") -> bytes:
    # RFC 7541 6.2.2: a literal that is not indexed, by a new name; no Huffman code.
    return first + bytes([len(text)]) + text.encode()
