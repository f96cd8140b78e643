"""RTCP: reports that we send, and those of clients, read with bounds (RFC 3550 6)."""

import functools
import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

MAX_PACKETS: Final = 16  # in one compound datagram
MAX_LOST_RUNS: Final = 16  # in one NACK: up to 17 sequence numbers each
NTP_EPOCH_S: Final = 2_208_988_800  # 1900 to 1970

_SR: Final = 200
_RR: Final = 201
_SDES: Final = 202
_RTPFB: Final = 205
_GENERIC_NACK: Final = 1  # RFC 4585 6.2.1
_BLOCK_BYTES: Final = 24
_HEAD: Final = struct.Struct("!BBH")
_WORD: Final = struct.Struct("!I")
_BLOCK: Final = struct.Struct("!IIIIII")


class ReportBlock(NamedTuple):
    """
    What a receiver says of one stream.

    Args:
        fraction_lost: 0 to 255, of 256, since the report before.
        cumulative_lost: Signed 24 bits; negative where duplicates came.
        jitter: In timestamp units.
        last_sr: Middle 32 bits of the sender's NTP time; 0 before the first.
        delay_since_last_sr: In 1/65,536 s.
    """

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


class SenderReport(NamedTuple):
    """A client's own clock: NTP time in 32.32 bits and the RTP time that it matches."""

    ssrc: int
    ntp_time: int
    rtp_timestamp: int
    blocks: tuple[ReportBlock, ...]


class ReceiverReport(NamedTuple):
    """A client's report on what it receives."""

    ssrc: int
    blocks: tuple[ReportBlock, ...]


class Nack(NamedTuple):
    """Sequence numbers of the stream `ssrc` that a client misses."""

    ssrc: int
    missing: tuple[int, ...]


RtcpPacket = SenderReport | ReceiverReport | Nack


def parse_compound(datagram: bytes) -> list[RtcpPacket]:
    """Return the packets that matter here, up to the first malformed one."""
    packets: list[RtcpPacket] = []
    position, size = 0, len(datagram)
    for _ in range(MAX_PACKETS):
        if position + 4 > size:
            break
        first, kind, words = _HEAD.unpack_from(datagram, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > size:
            break
        packet = _parse(kind, first & 0x1F, datagram[position + 4 : end])
        if packet is not None:
            packets.append(packet)
        position = end
    return packets


def sender_report(
    *, ssrc: int, ntp_time: int, rtp_timestamp: int, packets: int, octets: int
) -> bytes:
    """Return an SR without report blocks."""
    body = struct.pack(
        "!IQIII",
        ssrc,
        ntp_time,
        rtp_timestamp & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    return _packet(_SR, 0, body)


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """Return an RR of up to 31 blocks."""
    body = struct.pack("!I", ssrc) + b"".join(_pack_block(block) for block in blocks)
    return _packet(_RR, len(blocks), body)


@functools.lru_cache(maxsize=16)  # each compound ends with the same one
def source_description(ssrc: int, cname: str) -> bytes:
    """Return the SDES with CNAME that every compound carries (RFC 3550 6.1)."""
    text = cname.encode()
    chunk = struct.pack("!IBB", ssrc, 1, len(text)) + text + b"\0"
    return _packet(_SDES, 1, chunk + bytes(-len(chunk) % 4))


def ntp_time(unix_s: float) -> int:
    """Return `unix_s` as NTP's 32.32 bits."""
    return int((unix_s + NTP_EPOCH_S) * 2**32) & 0xFFFFFFFFFFFFFFFF


def _parse(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    if kind == _SR and len(body) >= 24 + count * _BLOCK_BYTES:
        ssrc, ntp, rtp_timestamp = struct.unpack_from("!IQI", body)
        return SenderReport(
            ssrc=ssrc,
            ntp_time=ntp,
            rtp_timestamp=rtp_timestamp,
            blocks=_blocks(body, 24, count),
        )
    if kind == _RR and len(body) >= 4 + count * _BLOCK_BYTES:
        (ssrc,) = _WORD.unpack_from(body)
        return ReceiverReport(ssrc=ssrc, blocks=_blocks(body, 4, count))
    if kind == _RTPFB and count == _GENERIC_NACK and len(body) >= 8:
        (ssrc,) = struct.unpack_from("!I", body, 4)
        return Nack(ssrc=ssrc, missing=tuple(_missing(body[8:])))
    return None


def _missing(runs: bytes) -> Iterator[int]:
    for first, bits in struct.iter_unpack("!HH", runs[: 4 * MAX_LOST_RUNS]):
        yield first
        for place in range(16):
            if bits >> place & 1:
                yield (first + 1 + place) & 0xFFFF


def _blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    end = start + count * _BLOCK_BYTES
    return tuple([_block(*words) for words in _BLOCK.iter_unpack(body[start:end])])


def _block(
    ssrc: int, lost: int, highest: int, jitter: int, last_sr: int, delay: int
) -> ReportBlock:
    fraction, cumulative = lost >> 24, lost & 0xFFFFFF
    if cumulative >> 23:
        cumulative -= 1 << 24
    return ReportBlock(ssrc, fraction, cumulative, highest, jitter, last_sr, delay)


def _pack_block(block: ReportBlock) -> bytes:
    lost = (block.fraction_lost << 24) | (block.cumulative_lost & 0xFFFFFF)
    return _BLOCK.pack(
        block.ssrc,
        lost,
        block.highest_sequence,
        block.jitter,
        block.last_sr,
        block.delay_since_last_sr,
    )


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
