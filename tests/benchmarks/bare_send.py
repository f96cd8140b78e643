"""The floor of any fan-out: `sendmmsg` of ready-made datagrams, and nothing else."""

import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from media_worker.egress import libc
from media_worker.egress.srtp import SrtpBuffer
from media_worker.transport.addresses import SOCKADDR_BYTES, Address, address
from media_worker.transport.udp_port import MTU_DISCOVER, PROBE
from tests.crowd import UNREAD_BUFFER_BYTES

ROUNDS: Final = 8  # as long in all as the worker is measured
ROUND_TICKS: Final = 100
TICK_S: Final = 0.020
FILLING_TICKS: Final = 20  # then the sinks are full, and drop, as a crowd's are
PACKET_BYTES: Final = 12 + 4 + 100 + 16  # head, one CSRC, 20 ms at 40 kb/s, tag
_SPARE_FILES: Final = 512


@contextlib.contextmanager
def open_files(count: int) -> Iterator[None]:
    """Let this process, and those it starts, hold `count` sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, max(soft, count + _SPARE_FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def sockets(count: int, *, unsplit: bool = True) -> Iterator[list[socket.socket]]:
    """
    Open loopback sockets that nobody reads, the first for sending to the others.

    Args:
        unsplit: Whether no datagram may be split on its way, as with our port: the
            kernel then does less for each.
    """
    with open_files(count), contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            stack.enter_context(each)
            each.setblocking(False)
            each.bind(("127.0.0.1", 0))
            if unsplit:
                each.setsockopt(socket.IPPROTO_IP, MTU_DISCOVER, PROBE)
            opened.append(each)
            if len(opened) > 1:  # as a crowd's sockets are
                each.connect(opened[0].getsockname())
                each.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BUFFER_BYTES
                )
        yield opened


def addresses(sinks: list[socket.socket]) -> list[Address]:
    """Return the raw address of each socket."""
    return [address(*sink.getsockname()) for sink in sinks]


def bare_tick(
    descriptor: int, names: list[Address], packet_bytes: int
) -> Callable[[int], None]:
    """Return a tick that hands ready-made datagrams to the kernel and does no more."""
    name_bytes = SOCKADDR_BYTES[socket.AF_INET]
    buffer = SrtpBuffer(len(names), packet_bytes)
    headers, vectors = libc.message_headers(len(names))
    memory = bytearray(b"".join(names))
    start = libc.address_of(libc.view(memory))
    for row in range(len(names)):
        headers[row].msg_hdr.msg_name = libc.pointer(start + name_bytes * row)
        headers[row].msg_hdr.msg_namelen = name_bytes
        vectors[row].iov_base = libc.pointer(buffer.addresses[row])
        vectors[row].iov_len = packet_bytes
    kept: list[Any] = [buffer, memory, vectors]

    def tick(_: int) -> None:
        position = 0
        while kept and position < len(names):
            position += libc.send_many(
                descriptor, headers, position, len(names) - position
            )

    return tick


def bare_us(listeners: int, *, unsplit: bool) -> list[float]:
    """
    Return user + system time for each packet, one value a round, at room pace.

    Args:
        unsplit: As of `sockets`.
    """
    with sockets(listeners + 1, unsplit=unsplit) as (source, *sinks):
        tick = bare_tick(source.fileno(), addresses(sinks), PACKET_BYTES)
        for index in range(FILLING_TICKS):
            tick(index)
        return [_round_us(tick, listeners) for _ in range(ROUNDS)]


def _round_us(tick: Callable[[int], None], listeners: int) -> float:
    began_s, cpu_s = time.monotonic(), time.process_time()
    for index in range(ROUND_TICKS):
        tick(index)
        due_s = began_s + (index + 1) * TICK_S
        time.sleep(max(0.0, due_s - time.monotonic()))
    return (time.process_time() - cpu_s) * 1e6 / (ROUND_TICKS * listeners)
