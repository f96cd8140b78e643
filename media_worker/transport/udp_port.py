"""The one UDP port of a process: batches in, single datagrams out."""

import asyncio
import contextlib
import socket
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
_MAX_ADDRESS_BYTES: Final = 28


class DatagramHandler(Protocol):
    """Who reads the port."""

    def datagram_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """Take the datagram in `row`; the memory is reused after the call."""


class UdpPort:
    """
    A bound, non-blocking UDP socket on the running event loop.

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
        self._names = bytearray(BATCH_ROWS * _MAX_ADDRESS_BYTES)
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
            opened.bind(self._bind)
        except OSError:
            opened.close()
            raise
        self._socket = opened
        self._prepare_headers()
        asyncio.get_running_loop().add_reader(opened, self._readable, handler)

    def close(self) -> None:
        """Stop reading and release the port; harmless when done before."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
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
        for row in range(BATCH_ROWS):
            header: Any = self._headers[row].msg_hdr
            header.msg_name = libc.pointer(names + row * _MAX_ADDRESS_BYTES)
            header.msg_namelen = _MAX_ADDRESS_BYTES
            self._vectors[row].iov_base = libc.pointer(self._buffer.addresses[row])
            self._vectors[row].iov_len = MAX_DATAGRAM_BYTES

    def _readable(self, handler: DatagramHandler) -> None:
        for _ in range(BATCHES_PER_WAKE):
            received = 0
            # Nothing to read, or an ICMP error about an earlier datagram.
            with contextlib.suppress(OSError):
                received = libc.receive_many(self.descriptor, self._headers, BATCH_ROWS)
            self._deliver(handler, received)
            if received < BATCH_ROWS or self._socket is None:
                return

    def _deliver(self, handler: DatagramHandler, received: int) -> None:
        now_s = time.monotonic()
        for row in range(received):
            message = self._headers[row]
            header = message.msg_hdr
            start = row * _MAX_ADDRESS_BYTES
            source = Address(bytes(self._names[start : start + header.msg_namelen]))
            header.msg_namelen = _MAX_ADDRESS_BYTES
            if message.msg_len and not header.msg_flags & socket.MSG_TRUNC:
                handler.datagram_received(
                    self._buffer, row, message.msg_len, source, now_s
                )
