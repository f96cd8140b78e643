"""The client's end of a connection to the embedded gRPC server, byte for byte."""

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hpack import Decoder, Encoder

from infra.local.wire import frames
from infra.local.wire.call import Call, framed
from infra.local.wire.connection import Connection, Route
from infra.local.wire.frames import frame
from infra.local.wire.one_request import one_request

ECHO, SLOW, STREAM = "/parley.Test/Echo", "/parley.Test/Slow", "/parley.Test/Stream"
MAX_MESSAGE = 100_000
LAST = frames.END_STREAM
WHOLE = frames.END_HEADERS


class RecordingTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        """Keep the data of one system call."""
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        """Return whether the connection was closed."""
        return self.closed

    def close(self) -> None:
        """Close."""
        self.closed = True


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the server."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class Chat:
    """A client that is heard at once and never half-closes."""

    def __init__(self, call: Call, opened: "list[Chat]") -> None:
        self.call = call
        self.heard: list[bytes] = []
        self.writable_count = 0
        self.is_closed = False
        opened.append(self)

    def message(self, data: bytes) -> None:
        self.heard.append(data)

    def half_closed(self) -> None:
        self.call.finish()

    def writable(self) -> None:
        self.writable_count += 1

    def closed(self) -> None:
        self.is_closed = True


@dataclass
class Peer:
    """The client's end of a connection."""

    connection: Connection
    transport: RecordingTransport
    chats: list[Chat]
    slow: asyncio.Event
    cancelled: list[bytes]
    encoder: Encoder = field(default_factory=Encoder)
    decoder: Decoder = field(default_factory=Decoder)
    read: int = 0

    def say(self, *parts: bytes) -> None:
        """Send bytes."""
        for part in parts:
            self.connection.data_received(part)

    async def hear(self) -> list[Frame]:
        """Return the frames that came since the last time."""
        for _ in range(5):
            await asyncio.sleep(0)
        data = b"".join(self.transport.written)[self.read :]
        self.read += len(data)
        return list(parse(data))

    def open(self, path: str, stream: int, message: bytes | None = None) -> bytes:
        """Return the frames of a call, with its whole request if there is one."""
        headers = frame(frames.HEADERS, WHOLE, stream, self.headers(path))
        if message is None:
            return headers
        return headers + frame(frames.DATA, LAST, stream, framed(message))

    def headers(self, path: str) -> bytes:
        """Return a header block, which moves the encoder's table on."""
        block: bytes = self.encoder.encode([(":method", "POST"), (":path", path)])
        return block

    def fields(self, heard: Frame) -> dict[str, str]:
        """Return the header fields of a frame."""
        assert heard.kind == frames.HEADERS
        return {str(k): str(v) for k, v in self.decoder.decode(heard.payload)}


def parse(data: bytes) -> Iterator[Frame]:
    """Yield whole frames."""
    at = 0
    while at < len(data):
        high, low, kind, flags, stream = frames.HEADER.unpack_from(data, at)
        end = at + frames.HEADER.size + (high << 8 | low)
        yield Frame(kind, flags, stream, data[at + frames.HEADER.size : end])
        at = end


def data_of(heard: list[Frame], stream: int = 1) -> bytes:
    """Return the data of one stream."""
    return b"".join(
        f.payload for f in heard if f.kind == frames.DATA and f.stream == stream
    )


def window_update(stream: int, more: int) -> bytes:
    """Return a frame that makes room."""
    return frame(frames.WINDOW_UPDATE, 0, stream, struct.pack(">I", more))


def connect() -> Peer:
    """Return a client that has not greeted yet; needs a running event loop."""
    chats: list[Chat] = []
    slow, cancelled = asyncio.Event(), list[bytes]()

    async def echo(data: bytes, call: Call) -> None:
        call.send(framed(data))

    async def wait(data: bytes, call: Call) -> None:
        try:
            await slow.wait()
        except asyncio.CancelledError:
            cancelled.append(data)
            raise
        call.send(framed(data))

    routes: dict[str, Route] = {
        ECHO: one_request("echo", echo),
        SLOW: one_request("slow", wait),
        STREAM: lambda call: Chat(call, chats),
    }
    transport = RecordingTransport()
    connection = Connection(routes, set(), max_message_bytes=MAX_MESSAGE)
    connection.connection_made(transport)
    return Peer(connection, transport, chats, slow, cancelled)
