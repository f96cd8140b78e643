"""The port as a ticking room reads it: with the ticks, and in between for newcomers."""

import asyncio
import errno
import os
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from media_worker.egress.srtp import SrtpBuffer
from media_worker.transport import udp_port
from media_worker.transport.addresses import Address
from media_worker.transport.counters import EndpointCounters
from media_worker.transport.udp_port import (
    BATCH_ROWS,
    BATCHES_PER_WAKE,
    MTU_DISCOVER,
    PROBE,
    UdpPort,
)
from spaces_contract.roles import PeerKind
from tests.light_clients import make_offer
from tests.media_endpoint import running_endpoint, until

MORE_THAN_A_TICK_S = 0.1
NS_IN_S = 1_000_000_000


class Inbox:
    """A handler that remembers, and fails on what it was told to fail on."""

    def __init__(self) -> None:
        self.datagrams: list[tuple[bytes, float]] = []
        self.bad = b""

    def datagram_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """Keep it, with its time."""
        data = buffer.read(row, length)
        if data == self.bad:
            raise ZeroDivisionError
        self.datagrams.append((data, now_s))


class Port:
    """An open port with its inbox, and a socket that sends to it."""

    def __init__(self) -> None:
        self.counters = EndpointCounters()
        self.udp = UdpPort("127.0.0.1", 0, self.counters)
        self.inbox = Inbox()
        self.udp.open(self.inbox)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, data: bytes) -> None:
        """Send to the port."""
        self._socket.sendto(data, ("127.0.0.1", self.udp.number))

    def close(self) -> None:
        """Close both."""
        self.udp.close()
        self._socket.close()


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    """Yield a port on loopback, where sending is receiving."""
    opened = Port()
    yield opened
    opened.close()


class LaterClocks:
    """Stands for `time`, `later_s` after `ns`; its monotonic clock began there."""

    def __init__(self, ns: int, later_s: float) -> None:
        self._ns, self._later_s = ns, later_s

    def monotonic(self) -> float:
        return self._later_s

    def time_ns(self) -> int:
        return self._ns + round(self._later_s * NS_IN_S)


async def test_what_waited_for_a_tick_keeps_its_time(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A datagram that is read later counts as come when it came.
    """
    monkeypatch.setattr(udp_port, "_MAX_AGE_S", 60.0)  # however long sending takes
    port.udp.listen(False)
    before_ns = time.time_ns()
    port.send(b"early")
    sending_s = (time.time_ns() - before_ns) / NS_IN_S
    await asyncio.sleep(MORE_THAN_A_TICK_S)
    unread = list(port.inbox.datagrams)
    later = LaterClocks(before_ns, MORE_THAN_A_TICK_S + sending_s)
    monkeypatch.setattr(udp_port, "time", later)
    port.udp.read()

    ((data, came_s),) = port.inbox.datagrams
    assert unread == []
    assert data == b"early"
    assert came_s == pytest.approx(sending_s / 2, abs=sending_s / 2 + 1e-6)


async def test_a_listening_port_is_read_by_itself(port: Port) -> None:
    """
    After `listen(True)` nobody has to call `read`.
    """
    port.udp.listen(False)
    port.send(b"a")
    port.udp.listen(True)
    await until(lambda: port.inbox.datagrams)

    assert [data for data, _ in port.inbox.datagrams] == [b"a"]


async def test_a_flood_is_read_in_portions(port: Port) -> None:
    """
    One read takes a bounded number, and says that it left some.
    """
    port.udp.listen(False)
    for _ in range(BATCH_ROWS * BATCHES_PER_WAKE + 1):
        port.send(b"junk")

    first = port.udp.read()
    at_once = len(port.inbox.datagrams)
    second = port.udp.read()

    assert (first, second) == (False, True)
    assert at_once == BATCH_ROWS * BATCHES_PER_WAKE
    assert len(port.inbox.datagrams) == at_once + 1


async def test_a_datagram_that_cannot_be_read_harms_no_other(port: Port) -> None:
    """
    What fails is logged and counted; those behind it in the batch are delivered.
    """
    port.udp.listen(False)
    port.inbox.bad = b"bad"
    for data in (b"one", b"bad", b"two"):
        port.send(data)
    port.udp.read()

    assert [data for data, _ in port.inbox.datagrams] == [b"one", b"two"]
    assert port.counters.datagrams_crashed == 1


async def test_too_long_a_datagram_is_dropped_and_the_next_one_is_whole(
    port: Port,
) -> None:
    """
    The kernel's cut is noticed, and leaves no trace in the rows used again.
    """
    port.udp.listen(False)
    port.send(bytes(3_000))
    port.udp.read()
    port.send(bytes(2_000))
    port.udp.read()

    assert [data for data, _ in port.inbox.datagrams] == [bytes(2_000)]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_no_datagram_is_split_on_its_way(host: str) -> None:
    """
    The kernel need not number IPv4 datagrams, of IPv6 sockets neither.
    """
    port = UdpPort(host, 0, EndpointCounters())
    port.open(Inbox())

    with socket.socket(fileno=os.dup(port.descriptor)) as same:
        discovery = same.getsockopt(socket.IPPROTO_IP, MTU_DISCOVER)
    port.close()

    assert discovery == PROBE


async def test_a_kernel_that_numbers_all_datagrams_serves_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Sandboxes refuse the option; it is for speed alone.
    """

    class Refusing(socket.socket):
        def setsockopt(self, level: int, option: int, *value: Any) -> None:
            if (level, option) == (socket.IPPROTO_IP, MTU_DISCOVER):
                raise OSError(errno.EOPNOTSUPP, "not supported")
            super().setsockopt(level, option, *value)

    monkeypatch.setattr(socket, "socket", Refusing)
    port = UdpPort("127.0.0.1", 0, EndpointCounters())
    port.open(Inbox())
    bound = port.number
    port.close()

    assert bound


async def test_newcomers_do_not_wait_for_ticks() -> None:
    """
    Between ticks the port rests, but not while a session is being opened.
    """
    async with running_endpoint("127.0.0.1") as running:
        endpoint, counters = running.endpoint, running.endpoint.counters
        endpoint.collect()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(endpoint.announced)
            client.send(b"junk")
            await asyncio.sleep(MORE_THAN_A_TICK_S)
            while_resting = counters.datagrams_received
            offer = make_offer(PeerKind.WHEP, "ufra", "password-of-22-letters")
            await running.open(offer, PeerKind.WHEP, session_id="newcomer")
            await until(lambda: counters.datagrams_received == 1)
            endpoint.collect()
            client.send(b"junk")
            await until(lambda: counters.datagrams_received == 2)
            await running.close("newcomer")
            endpoint.collect()
            client.send(b"junk")
            await asyncio.sleep(MORE_THAN_A_TICK_S)
            once_closed = counters.datagrams_received

    assert (while_resting, once_closed) == (0, 2)
