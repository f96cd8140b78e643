"""The entry points that take hostile input, and seeds for each."""

import contextlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aioice import stun as aioice_stun
from aiortc.rtcsctptransport import (
    DataChunk,
    HeartbeatChunk,
    InitChunk,
    SackChunk,
    parse_packet,
    serialize_packet,
)
from google_crc32c import value as crc32c

from media_worker.room.ports import SdpRefused
from media_worker.transport import rtcp, rtp, stun
from media_worker.transport.addresses import address
from media_worker.transport.negotiation import negotiate
from media_worker.transport.reception import ReceptionStats
from media_worker.transport.sctp_guard import data_chunks
from media_worker.transport.sdp_answer import LocalTransport, answer_sdp
from media_worker.transport.sdp_offer import parse_offer
from spaces_contract.roles import PeerKind

OFFERS: Final = Path(__file__).parents[2] / "unit/transport/offers"
PASSWORD: Final = b"password"
SOURCE: Final = address("198.51.100.7", 40_000)
LOCAL: Final = LocalTransport(
    host="203.0.113.5",
    port=41_000,
    ufrag="ours",
    password="p" * 32,
    fingerprint=":".join(["AB"] * 32),
    ssrc=42,
    cname="room",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One entry point: `feed` may raise nothing, whatever it is given."""

    name: str
    feed: Callable[[bytes], None]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()


def feed_stun(data: bytes) -> None:
    """Read a datagram as a check, and answer it in every way there is."""
    request = stun.parse_binding_request(data)
    if request is not None:
        stun.is_authentic(request, PASSWORD)
        stun.binding_success(request, SOURCE, PASSWORD)
        stun.binding_error(request, stun.ROLE_CONFLICT, PASSWORD)


def feed_rtp(data: bytes) -> None:
    """Read a decrypted packet as audio with a level, and count it."""
    packet = rtp.parse_rtp(data)
    if packet is not None:
        for extension_id in (None, 1, 14):
            rtp.audio_level(packet, extension_id)
        _RECEPTION.packet_received(
            ssrc=packet.ssrc & 3,
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            arrival_s=1.0,
        )
        block = _RECEPTION.report(2.0)
        assert block is not None
        rtcp.receiver_report(1, [block])


def feed_rtcp(data: bytes) -> None:
    """Read a decrypted compound, and let it change what is reported."""
    for packet in rtcp.parse_compound(data):
        if isinstance(packet, rtcp.SenderReport):
            _RECEPTION.sender_report_received(packet, 1.0)


def feed_sdp(data: bytes) -> None:
    """Answer an offer in both directions."""
    text = data.decode(errors="replace")
    for kind in PeerKind:
        with contextlib.suppress(SdpRefused):
            offer = parse_offer(text)
            answer_sdp(offer, negotiate(offer, kind), LOCAL).encode()


def feed_sctp(data: bytes) -> None:
    """Let aiortc read what the guard lets through: it may raise, and must return."""
    if data_chunks(data) is not None:
        checksum = crc32c(data[:8] + bytes(4) + data[12:])
        with contextlib.suppress(Exception):  # `stage_channel` takes these
            parse_packet(data[:8] + struct.pack("<L", checksum) + data[12:])


_RECEPTION: Final = ReceptionStats()


def _stun_seeds() -> list[bytes]:
    seeds = []
    for attributes in ({}, {"USE-CANDIDATE": None}, {"ICE-CONTROLLED": 5}):
        message = aioice_stun.Message(
            aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST, b"transaction!"
        )
        message.attributes.update({"USERNAME": "ours:theirs", "PRIORITY": 1})
        message.attributes.update(attributes)
        message.add_message_integrity(PASSWORD)
        message.add_fingerprint()
        whole = bytes(message)
        # Without the fingerprint, mutations get past its checksum.
        seeds += [whole, whole[:2] + struct.pack("!H", len(whole) - 28) + whole[4:-8]]
    return seeds


def _rtp_seeds() -> list[bytes]:
    head = struct.pack("!HII", 65_535, 2**32 - 1, 7)
    one_byte = b"\xbe\xde\x00\x01\x10\x85\x00\x00"
    two_byte = b"\x10\x00\x00\x02\x01\x01\x85\x00\x0e\x02\x01\x02"
    return [
        b"\x80\xef" + head + b"opus",
        b"\x90\x6f" + head + one_byte + b"opus",
        b"\x92\x6f" + head + bytes(8) + two_byte + b"opus",
        b"\xa0\x6f" + head + b"opus\x00\x00\x00\x04",
    ]


def _rtcp_seeds() -> list[bytes]:
    block = rtcp.ReportBlock(
        ssrc=1,
        fraction_lost=2,
        cumulative_lost=-3,
        highest_sequence=4,
        jitter=5,
        last_sr=6,
        delay_since_last_sr=7,
    )
    sender = rtcp.sender_report(
        ssrc=1, ntp_time=2, rtp_timestamp=3, packets=4, octets=5
    )
    description = rtcp.source_description(1, "name")
    return [
        sender + description,
        rtcp.receiver_report(1, [block, block]) + description,
        rtcp.receiver_report(1, []) + b"\x81\xcb\x00\x01\x00\x00\x00\x01",
        b"\x81\xce\x00\x02" + bytes(8),  # a picture loss indication
        b"\x81\xcd\x00\x04" + bytes(8) + struct.pack("!4H", 7, 0x8001, 65_535, 3),
    ]


def _sctp_seeds() -> list[bytes]:
    init = InitChunk()
    init.params = [(7, bytes(24)), (0x8008, b"\x82\xc0")]
    sack = SackChunk()
    sack.gaps, sack.duplicates = [(2, 3), (5, 9)], [7]
    data = DataChunk(flags=3)
    data.tsn, data.stream_id, data.stream_seq, data.protocol = 1, 2, 3, 50
    data.user_data = b"hello"
    heartbeat = HeartbeatChunk()
    heartbeat.params = [(1, b"12345")]
    seeds = [
        serialize_packet(5_000, 5_000, 9, chunk)
        for chunk in (init, sack, data, heartbeat)
    ]
    return [*seeds, seeds[2] + seeds[1][12:]]


def targets() -> list[Target]:
    """Return every target with its seeds."""
    offers = [path.read_bytes() for path in sorted(OFFERS.glob("*.sdp"))]
    lines = sorted({line + b"\n" for offer in offers for line in offer.splitlines()})
    return [
        Target("stun", feed_stun, _stun_seeds()),
        Target("rtp", feed_rtp, _rtp_seeds()),
        Target("rtcp", feed_rtcp, _rtcp_seeds()),
        Target("sctp", feed_sctp, _sctp_seeds()),
        Target("sdp", feed_sdp, offers, [*lines, b"\r", b"\0", b"99999999999"]),
    ]
