"""One HTTP/2 connection of a gRPC client."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, cast

import grpc
from hpack import Decoder, HPACKError

from . import frames
from .call import Call, Incoming
from .frames import ErrorCode, WireError, frame

Route = Callable[[Call], Incoming]
# A stream's window is never renewed: requests of 2 GiB on one stream do not occur.
_GREETING: Final = frame(
    frames.SETTINGS, 0, 0, frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31 - 1})
) + frame(
    frames.WINDOW_UPDATE,
    0,
    0,
    frames.NUMBER.pack(frames.MAX_WINDOW - frames.DEFAULT_WINDOW),
)
_RENEW_BYTES: Final = 2**30  # of the connection's window
_MAX_BLOCK_BYTES: Final = 64 * 1024
_MAX_KNOWN_BLOCKS: Final = 64
_PING_BYTES: Final = 8
_STOPPING: Final = "The server is stopping."


class Connection(asyncio.Protocol):
    """
    Splits frames, keeps the flow control, and hands calls to their routes.

    What is written within one turn of the event loop goes out by one system call.

    Args:
        routes: Who serves which method, by path.
        connections: Where it lists itself while it is open.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        connections: "set[Connection]",
        *,
        max_message_bytes: int,
    ) -> None:
        self._routes = routes
        self._connections = connections
        self._max_message_bytes = max_message_bytes
        self.window = frames.DEFAULT_WINDOW
        self.frame_bytes = frames.DEFAULT_FRAME_BYTES
        self.congested = False
        self._stream_window = frames.DEFAULT_WINDOW
        self._calls: dict[int, Call] = {}
        self._blocked: dict[int, Call] = {}
        self._last = 0  # newest stream of the client
        self._decoder = Decoder()
        self._known: dict[bytes, str] = {}  # header block -> path
        self._block: tuple[int, int, bytes] | None = None  # to be continued
        self._buffer = b""
        self._greeted = False
        self._unrenewed = 0
        self._out: list[bytes] = []
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop
        self._transport: asyncio.Transport
        self.closed: asyncio.Future[None]

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the client."""
        self._transport = cast(asyncio.Transport, transport)  # as sockets have
        self._loop = asyncio.get_running_loop()
        self.closed = self._loop.create_future()
        self._connections.add(self)
        self.write(_GREETING)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all calls."""
        self._connections.discard(self)
        for call in list(self._calls.values()):
            call.lost()
        self.closed.set_result(None)

    def pause_writing(self) -> None:
        """Let calls wait for the socket."""
        self.congested = True

    def resume_writing(self) -> None:
        """Go on where the socket was full."""
        self.congested = False
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client; what breaks the protocol ends the connection."""
        try:
            self._split(self._buffer + data if self._buffer else data)
        except WireError as error:
            self._go_away(error.code)
            self._flush()
            self._transport.close()

    # Outlet

    def write(self, data: bytes) -> None:
        """Send frames at the end of this turn of the event loop."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def blocked(self, call: Call) -> None:
        """Pump the call when there is room again."""
        self._blocked[call.number] = call

    def over(self, call: Call) -> None:
        """Forget the call."""
        self._calls.pop(call.number, None)
        self._blocked.pop(call.number, None)
        if self._stopping and not self._calls:
            self._loop.call_soon(self._transport.close)

    # The owner

    def stop(self) -> None:
        """
        Take no more calls, and close when those in flight are over.

        Calls whose client may still send would never end by themselves.
        """
        self._stopping = True
        self._go_away(ErrorCode.NO_ERROR)
        for call in list(self._calls.values()):
            if not call.half_closed:
                call.finish(grpc.StatusCode.UNAVAILABLE, _STOPPING)
        if not self._calls:
            self._loop.call_soon(self._transport.close)

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    # Frames

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and not self._transport.is_closing():
            self._transport.write(b"".join(out))

    def _go_away(self, code: ErrorCode) -> None:
        payload = frames.NUMBER.pack(self._last) + frames.NUMBER.pack(code)
        self.write(frame(frames.GOAWAY, 0, 0, payload))

    def _split(self, data: bytes) -> None:
        at = 0
        if not self._greeted:
            start = data[: len(frames.PREFACE)]
            if not frames.PREFACE.startswith(start):
                raise WireError(ErrorCode.PROTOCOL_ERROR)
            if len(start) < len(frames.PREFACE):
                self._buffer = data
                return
            self._greeted = True
            at = len(frames.PREFACE)
        while len(data) - at >= frames.HEADER.size:
            high, low, kind, flags, stream = frames.HEADER.unpack_from(data, at)
            size = high << 8 | low
            if size > frames.DEFAULT_FRAME_BYTES:
                raise WireError(ErrorCode.FRAME_SIZE_ERROR)
            start_at = at + frames.HEADER.size
            if start_at + size > len(data):
                break
            at = start_at + size
            self._take(kind, flags, stream & frames.STREAM_BITS, data[start_at:at])
        self._buffer = data[at:]

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._block is not None:
            if kind != frames.CONTINUATION:
                raise WireError(ErrorCode.PROTOCOL_ERROR)
            self._continuation(self._block, flags, stream, payload)
        elif kind == frames.DATA:
            self._data(flags, stream, payload)
        elif kind == frames.HEADERS:
            self._headers(flags, stream, frames.content(flags, payload))
        elif kind == frames.WINDOW_UPDATE:
            self._window_update(stream, frames.parse_number(payload))
        elif kind == frames.RST_STREAM:
            frames.parse_number(payload)
            if stream in self._calls:
                self._calls[stream].lost()
        elif kind == frames.SETTINGS and not flags & frames.ACK:
            self._settings(payload)
        elif kind == frames.PING and not flags & frames.ACK:
            if len(payload) != _PING_BYTES:
                raise WireError(ErrorCode.FRAME_SIZE_ERROR)
            self.write(frame(frames.PING, frames.ACK, 0, payload))
        elif kind in (frames.PUSH_PROMISE, frames.CONTINUATION):
            raise WireError(ErrorCode.PROTOCOL_ERROR)

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        if not 0 < stream <= self._last:
            raise WireError(ErrorCode.PROTOCOL_ERROR)
        self._unrenewed += len(payload)
        if self._unrenewed >= _RENEW_BYTES:
            renewed = frames.NUMBER.pack(self._unrenewed)
            self.write(frame(frames.WINDOW_UPDATE, 0, 0, renewed))
            self._unrenewed = 0
        call = self._calls.get(stream)
        if call is not None:  # else it is over, and this was on its way
            last = bool(flags & frames.END_STREAM)
            call.take(frames.content(flags & frames.PADDED, payload), last=last)

    def _headers(self, flags: int, stream: int, block: bytes) -> None:
        if len(block) > _MAX_BLOCK_BYTES:
            raise WireError(ErrorCode.ENHANCE_YOUR_CALM)
        if not flags & frames.END_HEADERS:
            self._block = stream, flags, block
            return
        path = self._path(block)
        last = bool(flags & frames.END_STREAM)
        if stream in self._calls:
            self._calls[stream].take(b"", last=last)  # a client's trailers
        elif stream % 2 == 0:
            raise WireError(ErrorCode.PROTOCOL_ERROR)
        elif stream > self._last:
            self._last = stream
            self._open(stream, path, last=last)

    def _continuation(
        self, begun: tuple[int, int, bytes], flags: int, stream: int, payload: bytes
    ) -> None:
        opened, first_flags, block = begun
        if opened != stream:
            raise WireError(ErrorCode.PROTOCOL_ERROR)
        self._block = None
        flags = first_flags | flags & frames.END_HEADERS
        self._headers(flags, stream, block + payload)

    def _path(self, block: bytes) -> str:
        """Return the `:path` of a header block, empty where it has none."""
        path = self._known.get(block)
        if path is not None:
            return path
        table = self._decoder.header_table.dynamic_entries
        size, newest = len(table), table[0] if table else None
        try:
            fields = dict(self._decoder.decode(block, raw=True))
        except HPACKError as error:
            raise WireError(ErrorCode.COMPRESSION_ERROR) from error
        path = fields.get(b":path", b"").decode("ascii", "replace")
        # The same bytes mean the same until a block changes the table.
        changed = len(table) != size or (table and table[0] is not newest)
        if changed or len(self._known) >= _MAX_KNOWN_BLOCKS:
            self._known.clear()
        if not changed:
            self._known[block] = path
        return path

    def _open(self, stream: int, path: str, *, last: bool) -> None:
        if self._stopping:
            code = frames.NUMBER.pack(ErrorCode.REFUSED_STREAM)
            self.write(frame(frames.RST_STREAM, 0, stream, code))
            return
        call = Call(
            self,
            stream,
            window=self._stream_window,
            max_message_bytes=self._max_message_bytes,
        )
        self._calls[stream] = call
        route = self._routes.get(path)
        if route is None:
            call.half_closed = last
            call.finish(grpc.StatusCode.UNIMPLEMENTED, f"There is no method {path}.")
            return
        call.incoming = route(call)
        if last:
            call.take(b"", last=True)

    def _settings(self, payload: bytes) -> None:
        for name, value in frames.parse_settings(payload):
            if name == frames.INITIAL_WINDOW_SIZE:
                if value > frames.MAX_WINDOW:
                    raise WireError(ErrorCode.FLOW_CONTROL_ERROR)
                for call in self._calls.values():
                    call.window += value - self._stream_window
                self._stream_window = value
            elif name == frames.MAX_FRAME_SIZE:
                if not frames.DEFAULT_FRAME_BYTES <= value <= frames.MAX_FRAME_BYTES:
                    raise WireError(ErrorCode.PROTOCOL_ERROR)
                self.frame_bytes = value
        self.write(frame(frames.SETTINGS, frames.ACK, 0))
        self._pump()

    def _window_update(self, stream: int, more: int) -> None:
        if stream == 0:
            self.window += more
            self._pump()
        elif stream in self._calls:
            call = self._calls[stream]
            call.window += more
            if not call.ready:
                call.pump()

    def _pump(self) -> None:
        # Whoever does not get all it wants goes to the end of the row.
        blocked, self._blocked = self._blocked, {}
        for call in blocked.values():
            call.pump()
