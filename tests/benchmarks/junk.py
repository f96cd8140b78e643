"""
What a datagram of a stranger costs the endpoint, kind by kind, against bare `recvmmsg`.

Each kind is what gets furthest with what a stranger knows: nothing, an address, a user
name fragment, or (`spoofed`) the address of somebody who listens.
"""

import asyncio
import contextlib
import secrets
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from aioice import stun

from media_worker.egress.srtp import SrtpBuffer
from media_worker.transport.addresses import Address
from media_worker.transport.counters import EndpointCounters
from media_worker.transport.udp_port import UdpPort
from spaces_contract.roles import PeerKind
from tests.crowd import CrowdMember
from tests.media_endpoint import RunningEndpoint, running_endpoint

HOST: Final = "127.0.0.1"
BURST: Final = 200  # fits a socket's buffer
BURSTS: Final = 40
ROUNDS: Final = 5
SESSION: Final = "junk-session-0001"


class Nobody:
    """Takes datagrams and does nothing with them: the floor."""

    def datagram_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """Do nothing."""


def run() -> list[dict[str, Any]]:
    """Measure each kind and return rows of `bench.json`."""
    return asyncio.run(_measure())


async def _measure() -> list[dict[str, Any]]:
    async with running_endpoint(HOST) as running:
        answers: list[str] = []

        async def post(offer: str) -> str:
            answer = await running.open(offer, PeerKind.WHEP, session_id=SESSION)
            answers.append(answer)
            return answer

        with contextlib.closing(CrowdMember(HOST)) as member:
            await member.connect(post)
            running.endpoint.collect()  # from now on the port is read by `collect`
            ufrag = answers[0].split("a=ice-ufrag:")[1].split()[0]
            floor = await _floor_us()
            return [
                _row(
                    name,
                    _stranger_us(running, datagram, member if spoofed else None),
                    floor,
                )
                for name, datagram, spoofed in _kinds(ufrag)
            ]


def _kinds(ufrag: str) -> Iterator[tuple[str, bytes, bool]]:
    yield "of no protocol", b"\x40" + secrets.token_bytes(99), False
    yield "STUN, random", b"\x00\x01" + secrets.token_bytes(98), False
    yield "STUN for nobody", _check("nobody"), False
    yield "STUN, wrong password", _check(ufrag), False
    yield "DTLS", b"\x16\xfe\xfd" + secrets.token_bytes(97), False
    yield "RTP", b"\x80\x6f" + secrets.token_bytes(130), False
    yield "RTP, spoofed", b"\x80\x6f" + secrets.token_bytes(130), True
    yield "RTCP, spoofed", b"\x80\xc9" + secrets.token_bytes(58), True


def _check(ufrag: str) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes.update(
        {"USERNAME": f"{ufrag}:them", "PRIORITY": 1, "ICE-CONTROLLING": 1}
    )
    request.add_message_integrity(b"a guess")
    return bytes(request)


def _stranger_us(
    running: RunningEndpoint, datagram: bytes, member: CrowdMember | None
) -> list[float]:
    counters, collect = running.endpoint.counters, running.endpoint.collect
    answered = counters.requests_answered
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(running.endpoint.announced)
        sender = stranger if member is None else member._socket
        before = counters.datagrams_received
        costs = _rounds_us(lambda: sender.send(datagram), collect)
        if counters.datagrams_received - before != ROUNDS * BURSTS * BURST:
            raise RuntimeError("datagrams were lost")
        with contextlib.suppress(BlockingIOError):
            stranger.recv(2_048, socket.MSG_DONTWAIT)
            raise RuntimeError("a stranger was answered")
    if counters.requests_answered != answered:
        raise RuntimeError("a stranger was believed")
    return costs


async def _floor_us() -> list[float]:
    port = UdpPort(HOST, 0, EndpointCounters())
    port.open(Nobody())
    port.listen(False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((HOST, port.number))
        costs = _rounds_us(lambda: sender.send(bytes(100)), port.read)
    port.close()
    return costs


def _rounds_us(
    send: Callable[[], object], collect: Callable[[], object]
) -> list[float]:
    """Return user + system time for each datagram that `collect` takes in."""
    return [_round_us(send, collect) for _ in range(ROUNDS)]


def _round_us(send: Callable[[], object], collect: Callable[[], object]) -> float:
    spent_s = 0.0
    for _ in range(BURSTS):
        for _ in range(BURST):
            send()
        began_s = time.process_time()
        for _ in range(2):  # each reads 128 at the most
            collect()
        spent_s += time.process_time() - began_s
    return 1e6 * spent_s / (BURSTS * BURST)


def _row(name: str, costs_us: list[float], floor_us: list[float]) -> dict[str, Any]:
    value, floor = statistics.median(costs_us), statistics.median(floor_us)
    return {
        "name": f"CPU per junk datagram, {name}",
        "value": value,
        "unit": "us",
        "baseline": "read and dropped",
        "baseline_value": floor,
        "ratio": value / floor,
        "spread": f"{min(costs_us):.3g}-{max(costs_us):.3g}",
    }
