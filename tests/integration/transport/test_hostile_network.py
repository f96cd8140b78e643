"""What strangers, moving phones and turning sources do to a session on the wire."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aioice import stun

from media_worker.egress.resends import KEPT_PACKETS, RESENDS_A_PACKET
from media_worker.room.ports import FULL_MIX
from media_worker.transport import media_path, rtcp
from media_worker.transport.endpoint import UdpMediaEndpoint
from media_worker.transport.udp_port import MAX_DATAGRAM_BYTES
from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind
from tests.api import Api
from tests.light_clients import PAYLOAD_TYPE, LightPeer, receiver_report
from tests.media_endpoint import (
    RunningEndpoint,
    playing,
    running_endpoint,
    tone_packets,
    until,
)

SESSION = SessionId("light-session-0001")
LOOPBACK = "127.0.0.1"


class DirectApi:
    """The part of `Api` that a light peer uses, straight to an endpoint."""

    def __init__(self, running: RunningEndpoint, kind: PeerKind, more: str) -> None:
        self._running = running
        self._kind = kind
        self._more = more
        self.answer = ""

    async def post_sdp(self, url: str, grant: str, offer: str) -> tuple[str, str]:
        """Open the session."""
        offer += self._more
        self.answer = await self._running.open(offer, self._kind, session_id=SESSION)
        return self.answer, ""

    async def delete_session(self, url: str, grant: str) -> None:
        """Close the session."""
        await self._running.close(SESSION)


@contextlib.asynccontextmanager
async def light_peer(
    running: RunningEndpoint,
    kind: PeerKind = PeerKind.WHEP,
    *,
    more: str = "",
    made: type[LightPeer] = LightPeer,
) -> AsyncIterator[LightPeer]:
    """Connect a peer that keeps the packets it gets and offers `more` than usual."""
    peer = made(cast(Api, DirectApi(running, kind, more)), kind)
    peer.rtp_log = []
    await peer.connect("", "")
    try:
        yield peer
    finally:
        await peer.aclose()


def a_check(peer: Any, *, nominates: bool, password: str | None = None) -> bytes:
    """Return a binding request of `peer`'s session, for another socket to send."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{peer._answer.ufrag}:{peer._ufrag}"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    if nominates:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity((password or peer._answer.password).encode())
    return bytes(request)


def ask_again(peer: Any, *sequences: int) -> None:
    """Send a NACK for packets."""
    runs = b"".join(struct.pack("!HH", sequence, 0) for sequence in sequences)
    nack = struct.pack("!BBHII", 0x81, 205, 2 + len(sequences), 5, 6) + runs
    report = rtcp.receiver_report(5, [])
    peer._udp.sendto(peer.dtls._tx_srtp.protect_rtcp(report + nack))


@contextlib.contextmanager
def a_socket(peer: Any) -> Any:
    """Return a socket of another address, connected to the endpoint."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        other.bind((LOOPBACK, 0))
        other.connect(peer._answer.address)
        yield other


async def received(other: socket.socket) -> bytes:
    """Return the next datagram on a socket."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(40):
        return await loop.sock_recv(other, 2_048)


async def more(log: list[bytes]) -> None:
    """Wait until some more packets have come."""
    enough = len(log) + 4
    await until(lambda: len(log) >= enough)


async def test_a_flood_from_strangers_harms_nobody() -> None:
    """
    Thousands of junk datagrams of every kind are counted, not answered, remembered or
    let through, while a listener gets every packet.
    """
    noise = random.Random(5)
    firsts = [0, 1, 5, 20, 22, 63, 64, 128, 191, 192, 255]
    async with (
        running_endpoint(LOOPBACK) as running,
        light_peer(running) as peer,
        playing(running.endpoint, tone_packets()),
    ):
        with a_socket(peer) as stranger:
            forged = a_check(peer, nominates=True, password="guess")
            for index in range(3_000):
                size = noise.choice([0, 1, 11, 60, 1_400, MAX_DATAGRAM_BYTES + 9])
                junk = bytes([noise.choice(firsts)]) + noise.randbytes(size)
                stranger.send(forged if index % 10 == 0 else junk)
                if index % 100 == 0:
                    await asyncio.sleep(0.01)
            before = peer.arrivals.packets
            await until(lambda: peer.arrivals.packets >= before + 20)
            with pytest.raises(BlockingIOError):
                stranger.recv(2_048)

        numbers = [struct.unpack_from("!H", p, 2)[0] for p in peer.rtp_log or []]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    counters = running.endpoint.counters
    assert counters.junk_datagrams > 1_000
    assert counters.requests_refused > 100
    assert running.events.packets == []


async def test_media_follows_the_nominated_address() -> None:
    """
    A plain check from a new address is answered and moves nothing; USE-CANDIDATE moves
    the stream, and its numbers go on.
    """
    async with (
        running_endpoint(LOOPBACK) as running,
        light_peer(running) as peer,
        playing(running.endpoint, tone_packets()),
    ):
        await until(lambda: peer.arrivals.packets >= 5)
        with a_socket(peer) as phone:
            phone.send(a_check(peer, nominates=False))
            answer = stun.parse_message(await received(phone))
            before = peer.arrivals.packets
            await until(lambda: peer.arrivals.packets >= before + 5)
            with pytest.raises(BlockingIOError):
                phone.recv(2_048)

            phone.send(a_check(peer, nominates=True))
            moved = await received(phone)
            while moved[0] < 0x80 or moved[1] == 200:  # the answer, and any SR
                moved = await received(phone)

        assert answer.attributes["XOR-MAPPED-ADDRESS"][0] == LOOPBACK
        last = struct.unpack_from("!H", (peer.rtp_log or [])[-1], 2)[0]
        assert struct.unpack_from("!H", moved, 2)[0] - last in (1, 2)


async def test_a_nat_that_rebinds_keeps_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Once the old address is silent, a plain check from a new one moves the stream, in
    the same session with the same keys.
    """
    monkeypatch.setattr(media_path, "SILENCE_S", 0.2)
    async with (
        running_endpoint(LOOPBACK) as running,
        light_peer(running) as peer,
        playing(running.endpoint, tone_packets()),
    ):
        assert peer.rtp_log is not None
        await more(peer.rtp_log)
        cast(Any, peer)._tasks[0].cancel()  # its checks: the old port is gone
        await asyncio.sleep(2 * media_path.SILENCE_S)
        with a_socket(peer) as rebound:
            rebound.send(a_check(peer, nominates=False))
            moved = await received(rebound)
            while moved[0] < 0x80 or 192 <= moved[1] <= 223:  # the answer, and any SR
                moved = await received(rebound)

        assert peer.dtls is not None
        peer.dtls._rx_srtp.unprotect(moved)
    assert running.events.connected == [SESSION]


class LossyHandshake(LightPeer):
    """Loses the server's first and third DTLS datagrams."""

    came = 0

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take it, or lose it."""
        if 19 < data[0] < 64:
            self.came += 1
            if self.came in (1, 3):
                return
        super().datagram_received(data, addr)


async def test_a_handshake_survives_loss() -> None:
    """
    What the server said in vain it says again, and sound flows.
    """
    async with (
        running_endpoint(LOOPBACK) as running,
        light_peer(running, made=LossyHandshake) as peer,
        playing(running.endpoint, tone_packets()),
    ):
        await until(lambda: peer.arrivals.packets >= 5)

    assert cast(LossyHandshake, peer).came > 3


async def test_a_controlled_peer_is_told_to_control() -> None:
    """
    An authenticated request in the wrong role gets 487, and moves nothing.
    """
    async with running_endpoint(LOOPBACK) as running, light_peer(running) as peer:
        with a_socket(peer) as other:
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            answer: Any = cast(Any, peer)._answer
            request.attributes["USERNAME"] = f"{answer.ufrag}:x"
            request.attributes["ICE-CONTROLLED"] = 1
            request.attributes["USE-CANDIDATE"] = None
            request.add_message_integrity(answer.password.encode())
            other.send(bytes(request))

            reply = stun.parse_message(await received(other))

    assert reply.attributes["ERROR-CODE"][0] == 487


async def test_turning_to_another_source_does_not_break_the_stream() -> None:
    """
    A hearer that turns from source to source keeps SSRC and unbroken numbers.
    """
    async with running_endpoint(LOOPBACK) as running, light_peer(running) as peer:
        log = peer.rtp_log
        assert log is not None
        sources = (FULL_MIX, "own")
        async with playing(running.endpoint, tone_packets(), sources=sources):
            for source in ("own", FULL_MIX, "own"):
                await more(log)
                running.endpoint.hear(SESSION, source)
            running.endpoint.hear(SESSION, "nobody")
            sent = running.endpoint.fan_out_counters.packets_sent
            await asyncio.sleep(0.1)  # some ticks
            assert running.endpoint.fan_out_counters.packets_sent == sent
            running.endpoint.hear(SESSION, FULL_MIX)
            await more(log)

    heads = [struct.unpack_from("!BBHII", packet) for packet in log]
    assert len({head[4] for head in heads}) == 1
    numbers = [head[2] for head in heads]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_speakers_stray_packets_are_ignored() -> None:
    """
    Only the negotiated payload type is delivered; replays and forgeries are counted.
    """
    async with (
        running_endpoint(LOOPBACK) as running,
        light_peer(running, PeerKind.WHIP) as peer,
    ):
        head = struct.pack("!HII", 1, 960, 77)
        udp = cast(Any, peer)._udp
        assert peer.dtls is not None
        good = peer.dtls._tx_srtp.protect(b"\x80\x60" + head + b"opus")
        other = b"\x80\x0d" + struct.pack("!HII", 2, 960, 77) + b"noise"
        for packet in (good, good, good[:-1] + b"\0", b"\x80\x60\x00"):
            udp.sendto(packet)
        peer.send_rtp(other)
        counters = running.endpoint.counters
        await until(lambda: counters.packets_unauthentic == 3)
        await until(lambda: counters.packets_ignored == 1)
        peer.send_rtp(b"\x80\x60" + struct.pack("!HII", 3, 1_920, 99) + b"new ssrc")
        await until(lambda: len(running.events.packets) == 2)

    payloads = [packet.payload for _, packet in running.events.packets]
    assert payloads == [b"opus", b"new ssrc"]
    assert [packet.ssrc for _, packet in running.events.packets] == [77, 99]


async def test_loss_at_a_listener_is_known() -> None:
    """
    The fraction in a client's receiver report is kept for that session.
    """
    async with running_endpoint(LOOPBACK) as running, light_peer(running) as peer:
        assert running.endpoint.fraction_lost(SESSION) == 0.0
        assert peer.dtls is not None
        report = peer.dtls._tx_srtp.protect_rtcp(receiver_report(fraction_lost=128))
        cast(Any, peer)._udp.sendto(report)

        await until(lambda: running.endpoint.fraction_lost(SESSION) == 0.5)
        assert running.endpoint.fraction_lost(SessionId("unknown")) == 0.0


async def test_a_lost_packet_is_sent_again_as_it_was() -> None:
    """
    Who offered NACK gets a packet they ask for as the very bytes that were sent, twice
    at the most; what is too old, or was never sent, is not made up.
    """
    offered = f"a=rtcp-fb:{PAYLOAD_TYPE} nack\r\n"
    async with (
        running_endpoint(LOOPBACK) as running,
        light_peer(running, more=offered) as peer,
    ):
        assert "nack" in cast(Any, peer)._signalling.answer
        async with playing(running.endpoint, tone_packets()):
            assert peer.rtp_log is not None
            await until(lambda: len(peer.rtp_log or ()) > KEPT_PACKETS + 5)
        await asyncio.sleep(0)
        sent = list(peer.rtp_log)
        old, lost, last = (int.from_bytes(sent[index][2:4]) for index in (0, -7, -1))
        never = (last + 100) % 65_536
        for _ in range(RESENDS_A_PACKET + 1):
            ask_again(peer, old, lost, never)
        counters = running.endpoint.counters
        await until(lambda: counters.packets_resent == RESENDS_A_PACKET)
        await until(lambda: len(peer.rtp_log or ()) == len(sent) + RESENDS_A_PACKET)

    assert peer.rtp_log[len(sent) :] == RESENDS_A_PACKET * [sent[-7]]


async def test_who_did_not_offer_it_is_sent_nothing_again() -> None:
    """
    Without NACK in the offer there is none in the answer, and asking has no effect.
    """
    async with running_endpoint(LOOPBACK) as running, light_peer(running) as peer:
        assert "nack" not in cast(Any, peer)._signalling.answer
        assert peer.rtp_log is not None
        async with playing(running.endpoint, tone_packets()):
            await more(peer.rtp_log)
        ask_again(peer, int.from_bytes(peer.rtp_log[-1][2:4]))
        seen = running.endpoint.counters.datagrams_received
        await until(lambda: running.endpoint.counters.datagrams_received > seen)

        assert running.endpoint.counters.packets_resent == 0


async def test_the_port_is_ours_until_closed() -> None:
    """
    A second endpoint on the same port is refused at start; after the first has closed,
    the port is free.
    """
    async with running_endpoint(LOOPBACK) as running:
        taken = running.endpoint.announced
        second = UdpMediaEndpoint(bind=taken, announced=taken)
        with pytest.raises(OSError, match="in use"):
            second.start(running.events)
        await second.aclose(PeerCloseReason.LEFT)
    third = UdpMediaEndpoint(bind=taken, announced=taken)
    third.start(running.events)
    with pytest.raises(RuntimeError, match="once"):
        third.start(running.events)
    await third.aclose(PeerCloseReason.LEFT)
    await third.aclose(PeerCloseReason.LEFT)
