"""The one UDP port of a process: batches in, single datagrams out."""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from typing import Any, Final, Protocol

from ..egress import libc
from ..egress.srtp import SrtpBuffer
from .addresses import SOCKADDR_BYTES, Address
from .counters import EndpointCounters

BATCH_ROWS: Final = 32
BATCHES_PER_WAKE: Final = 4  # then other work gets its turn
MAX_DATAGRAM_BYTES: Final = 2_048  # longer ones are cut, and dropped
_SOCKET_BUFFER_BYTES: Final = 4 * 1024 * 1024
_MAX_ADDRESS_BYTES: Final = max(SOCKADDR_BYTES.values())
# Words of 64 bits in a struct mmsghdr, and which of them recvmmsg writes.
_WORDS: Final = 8
_NAME_LENGTH, _CONTROL_LENGTH, _FLAGS, _LENGTH = 1, 5, 6, 7
_INT: Final = 0xFFFF_FFFF  # ints, with padding behind them
_STAMP_OPTION: Final = 35  # SO_TIMESTAMPNS, and its message's type (asm/socket.h)
_STAMP: Final = struct.Struct("=QiiQQ")  # cmsghdr (length, level, type), timespec
_TRUNCATED: Final = int(socket.MSG_TRUNC)
# IP_MTU_DISCOVER and IP_PMTUDISC_PROBE (ip(7)), which the socket module does not name:
# no datagram is ever split, so the kernel gives none a number for its parts, which is
# 4 % of what sending one costs.  Ours fit any path; nor can a forged ICMP shrink it.
MTU_DISCOVER: Final = 10
PROBE: Final = 3
_MAX_AGE_S: Final = 0.2  # older than that, the machine's date was changed

logger = logging.getLogger(__name__)


class DatagramHandler(Protocol):
    """Who reads the port."""

    def datagram_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """
        Take the datagram in `row`; the memory is reused after the call.

        Args:
            now_s: Monotonic time at which it reached this machine.
        """


class UdpPort:
    """
    A bound, non-blocking UDP socket on the running event loop.

    It is read whenever something comes, or, between `listen(False)` and
    `listen(True)`, only by `read`: waking up for each datagram is what costs a small
    room most.  Nothing is late for it, as the kernel notes when a datagram came.

    Args:
        host: Numeric address to bind; IPv6 ones carry IPv4 as well.  With a wildcard
            the kernel chooses by route whence replies leave, so on a host of several
            addresses bind the one that clients are told.
        port: 0 for any.
    """

    def __init__(self, host: str, port: int, counters: EndpointCounters) -> None:
        self._bind = (host, port)
        self._socket: socket.socket | None = None
        self._buffer = SrtpBuffer(BATCH_ROWS, MAX_DATAGRAM_BYTES)
        self._headers, self._vectors = libc.message_headers(BATCH_ROWS)
        self._words = memoryview(libc.header_words(self._headers)).cast("B").cast("Q")
        self._names = bytearray(BATCH_ROWS * _MAX_ADDRESS_BYTES)
        self._stamps = bytearray(BATCH_ROWS * _STAMP.size)
        self._handler: DatagramHandler | None = None
        self._listening = False
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._counters = counters

    def open(self, handler: DatagramHandler) -> None:
        """
        Bind and begin to read.

        Raises:
            OSError: the address is taken or not ours.
        """
        opened = socket.socket(self.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if self.family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                opened.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER_BYTES)
            opened.setsockopt(socket.SOL_SOCKET, _STAMP_OPTION, 1)
            with contextlib.suppress(OSError):  # sandboxes' kernels refuse it
                opened.setsockopt(socket.IPPROTO_IP, MTU_DISCOVER, PROBE)
            opened.bind(self._bind)
        except OSError:
            opened.close()
            raise
        self._socket = opened
        self._handler = handler
        self._prepare_headers()
        self.listen(True)

    def listen(self, listening: bool) -> None:
        """Read whenever something comes, or only in `read`."""
        if self._socket is None or listening == self._listening:
            return
        self._listening = listening
        loop = asyncio.get_running_loop()
        if listening:
            loop.add_reader(self._socket, self.read)
        else:
            loop.remove_reader(self._socket)

    def read(self) -> bool:
        """Deliver what has come; False where that is not all, to let others work."""
        for _ in range(BATCHES_PER_WAKE):
            if self._socket is None:
                break
            received = libc.receive_many(self.descriptor, self._headers, BATCH_ROWS)
            self._deliver(received)
            if received < BATCH_ROWS:
                return True
        return self._socket is None

    def close(self) -> None:
        """Stop reading and release the port; harmless when done before."""
        if self._socket is not None:
            self.listen(False)
            self._socket.close()
            self._socket = None

    @property
    def descriptor(self) -> int:
        """File descriptor of the open socket."""
        return self._opened.fileno()

    @property
    def number(self) -> int:
        """The bound port."""
        number: int = self._opened.getsockname()[1]
        return number

    @property
    def name_bytes(self) -> int:
        """Size of this socket's addresses."""
        return SOCKADDR_BYTES[self.family]

    def send(self, datagram: bytes, destination: Address) -> None:
        """Send one datagram, or count it where the kernel has no room for it."""
        if self._socket is None:
            return
        try:
            libc.send_one(self._socket.fileno(), datagram, destination)
        except OSError:
            self._counters.datagrams_unsent += 1

    @property
    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("the UDP port is not open")
        return self._socket

    def _prepare_headers(self) -> None:
        names = libc.address_of(libc.view(self._names))
        stamps = libc.address_of(libc.view(self._stamps))
        for row in range(BATCH_ROWS):
            header: Any = self._headers[row].msg_hdr
            header.msg_name = libc.pointer(names + row * _MAX_ADDRESS_BYTES)
            header.msg_control = libc.pointer(stamps + row * _STAMP.size)
            self._vectors[row].iov_base = libc.pointer(self._buffer.addresses[row])
            self._vectors[row].iov_len = MAX_DATAGRAM_BYTES
            self._offer_room(row)

    def _offer_room(self, row: int) -> None:
        self._words[_WORDS * row + _NAME_LENGTH] = _MAX_ADDRESS_BYTES
        self._words[_WORDS * row + _CONTROL_LENGTH] = _STAMP.size

    def _deliver(self, received: int) -> None:
        # Read together: what the kernel stamps is the machine's date.
        now_s, today_ns = time.monotonic(), time.time_ns()
        words, handler = self._words, self._handler
        for row in range(received):
            at = _WORDS * row
            length = words[at + _LENGTH] & _INT
            if length and handler and not words[at + _FLAGS] & _TRUNCATED:
                start = row * _MAX_ADDRESS_BYTES
                end = start + (words[at + _NAME_LENGTH] & _INT)
                source = Address(bytes(self._names[start:end]))
                came_s = now_s - self._age_s(row, today_ns)
                try:
                    handler.datagram_received(self._buffer, row, length, source, came_s)
                except Exception:  # one datagram's trouble; the others want to be heard
                    self._counters.datagrams_crashed += 1
                    logger.exception("datagram not read")
            self._offer_room(row)

    def _age_s(self, row: int, today_ns: int) -> float:
        """Return how long a datagram has been on this machine."""
        if self._words[_WORDS * row + _CONTROL_LENGTH] < _STAMP.size:
            return 0.0
        _, _, _, seconds, ns = _STAMP.unpack_from(self._stamps, row * _STAMP.size)
        age_s = (today_ns - seconds * 1_000_000_000 - ns) * 1e-9
        return age_s if 0.0 < age_s < _MAX_AGE_S else 0.0
