"""One gRPC call on a stream: its messages, its flow control, and how it ends."""

import asyncio
import struct
from typing import Final, Protocol
from urllib.parse import quote

import grpc

from . import frames

_PREFIX: Final = struct.Struct(">BI")  # compressed, length
_CONTENT_TYPE: Final = (b"content-type", b"application/grpc")
_HEADERS: Final = frames.STATUS_200 + frames.header_block([_CONTENT_TYPE])
_PRINTABLE: Final = bytes(range(0x20, 0x7F)).replace(b"%", b"")


class Incoming(Protocol):
    """Whoever serves a call."""

    def message(self, data: bytes) -> None:
        """Take a message of the client."""
        ...

    def half_closed(self) -> None:
        """Take that the client sends no more messages."""
        ...

    def writable(self) -> None:
        """Take that all that had to wait was sent."""
        ...

    def closed(self) -> None:
        """Take that the call is over, however; the last thing that is told."""
        ...


class Outlet(Protocol):
    """
    What a call needs of its connection.

    Args:
        window: Bytes of data that the client still takes on all streams together.
        frame_bytes: Most bytes of data in one frame.
        congested: Whether the socket takes no more just now.
    """

    window: int
    frame_bytes: int
    congested: bool

    def write(self, data: bytes) -> None:
        """Send frames."""
        ...

    def blocked(self, call: "Call") -> None:
        """Call `call.pump` when there is room again."""
        ...

    def over(self, call: "Call") -> None:
        """Forget a call."""
        ...


def framed(message: bytes) -> bytes:
    """Return a message as it stands on the wire."""
    return _PREFIX.pack(0, len(message)) + message


class Call:
    """
    One call.

    Open until `finish`, or until the client or the connection is gone; what is sent
    later is dropped, as there is nobody to read it.

    Args:
        window: Bytes of data that the client takes on this stream.
        max_message_bytes: A longer message of the client ends the call.
    """

    def __init__(
        self, outlet: Outlet, number: int, *, window: int, max_message_bytes: int
    ) -> None:
        self.number = number
        self.window = window
        self.half_closed = False
        self.incoming: Incoming | None = None
        self._outlet = outlet
        self._max_message_bytes = max_message_bytes
        self._received = bytearray()
        self._waiting = bytearray()
        self._drained: asyncio.Future[None] | None = None
        self._begun = False
        self._trailers: bytes | None = None
        self._over = False

    @property
    def ready(self) -> bool:
        """Return whether what is sent now goes out at once."""
        return not self._waiting

    def send(self, messages: bytes) -> None:
        """Send messages, each as `framed` returns it."""
        if self._over or self._trailers is not None:
            return
        outlet = self._outlet
        if not self._begun:
            self._begun = True
            outlet.write(
                frames.frame(frames.HEADERS, frames.END_HEADERS, self.number, _HEADERS)
            )
        size = len(messages)
        room = min(self.window, outlet.window, outlet.frame_bytes)
        if size > room or outlet.congested:  # also where others wait: no room is left
            self._waiting += messages
            self.pump()
            return
        self.window -= size
        outlet.window -= size
        outlet.write(frames.frame(frames.DATA, 0, self.number, messages))

    async def drained(self) -> None:
        """Return when the client, or the end of the call, made room."""
        if self._waiting and not self._over:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def pump(self) -> None:
        """Send as much of what waits as there is room for."""
        if self._over:
            return
        outlet = self._outlet
        while self._waiting:
            size = min(
                len(self._waiting), self.window, outlet.window, outlet.frame_bytes
            )
            if size <= 0 or outlet.congested:
                outlet.blocked(self)
                return
            data = bytes(self._waiting[:size])
            del self._waiting[:size]
            self.window -= size
            outlet.window -= size
            outlet.write(frames.frame(frames.DATA, 0, self.number, data))
        self._wake()
        if self._trailers is not None:
            self._end(self._trailers)
        elif self.incoming is not None:
            self.incoming.writable()

    def finish(
        self, code: grpc.StatusCode = grpc.StatusCode.OK, detail: str = ""
    ) -> None:
        """End the call after what was sent; only the first time counts."""
        if self._over or self._trailers is not None:
            return
        number: int = code.value[0]
        fields = [(b"grpc-status", b"%d" % number)]
        if detail:
            fields.append((b"grpc-message", quote(detail, safe=_PRINTABLE).encode()))
        self._trailers = frames.header_block(fields)
        if not self._waiting:
            self._end(self._trailers)

    def take(self, data: bytes, *, last: bool) -> None:
        """Take data of the client's side of the stream."""
        if self.half_closed:
            raise frames.WireError(frames.ErrorCode.PROTOCOL_ERROR)
        self.half_closed = last
        if self.incoming is None or self._trailers is not None:
            return
        self._received += data
        while (message := self._next()) is not None:
            self.incoming.message(message)
            if self._over or self._trailers is not None:
                return
        if last and self._received:
            self.finish(grpc.StatusCode.INTERNAL, "The last message is not whole.")
        elif last:
            self.incoming.half_closed()

    def lost(self) -> None:
        """Take that nobody reads any more."""
        if self._over:
            return
        self._over = True
        self._waiting.clear()
        self._outlet.over(self)
        self._wake()
        if self.incoming is not None:
            self.incoming.closed()

    def _next(self) -> bytes | None:
        if len(self._received) < _PREFIX.size:
            return None
        compressed, size = _PREFIX.unpack_from(self._received)
        if compressed:
            self.finish(grpc.StatusCode.UNIMPLEMENTED, "Compression is not supported.")
            return None
        if size > self._max_message_bytes:
            # gRPC's own RESOURCE_EXHAUSTED would be retried; Google's front end says:
            self.finish(
                grpc.StatusCode.INVALID_ARGUMENT,
                "Request payload size exceeds the limit:"
                f" {self._max_message_bytes} bytes.",
            )
            return None
        end = _PREFIX.size + size
        if len(self._received) < end:
            return None
        message = bytes(memoryview(self._received)[_PREFIX.size : end])
        del self._received[:end]
        return message

    def _end(self, trailers: bytes) -> None:
        block = trailers if self._begun else _HEADERS + trailers
        flags = frames.END_HEADERS | frames.END_STREAM
        data = frames.frame(frames.HEADERS, flags, self.number, block)
        if not self.half_closed:  # the client need not send the rest
            code = frames.NUMBER.pack(frames.ErrorCode.NO_ERROR)
            data += frames.frame(frames.RST_STREAM, 0, self.number, code)
        self._outlet.write(data)
        self.lost()

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
