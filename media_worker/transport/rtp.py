"""RTP packets as they come from clients: hostile, so bounded and checked (RFC 3550)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEADER_BYTES: Final = 12
ONE_BYTE_EXTENSIONS: Final = 0xBEDE  # RFC 8285 4.2
TWO_BYTE_EXTENSIONS: Final = 0x1000  # RFC 8285 4.3, upper 12 bits
_RESERVED_ID: Final = 15  # RFC 8285 4.2: stop reading


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    """
    One parsed packet.

    Args:
        extensions: Profile (16 bits) of the header extension, 0 where there is none.
        extension_data: Its body.
        payload: Without padding; may be empty.
    """

    payload_type: int
    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    extensions: int
    extension_data: bytes
    payload: bytes


def parse_rtp(packet: bytes) -> RtpPacket | None:
    """Return the parsed packet, or None where its lengths do not add up."""
    if len(packet) < HEADER_BYTES or packet[0] >> 6 != 2:
        return None
    first, second, sequence_number, timestamp, ssrc = struct.unpack_from(
        "!BBHII", packet
    )
    position = HEADER_BYTES + 4 * (first & 0x0F)
    profile, data = 0, b""
    if first & 0x10:
        if position + 4 > len(packet):
            return None
        profile, words = struct.unpack_from("!HH", packet, position)
        position += 4
        data = packet[position : position + 4 * words]
        position += 4 * words
    end = len(packet)
    if first & 0x20:
        padding = packet[-1]
        if padding == 0:
            return None
        end -= padding
    if position > end:
        return None
    return RtpPacket(
        payload_type=second & 0x7F,
        marker=second >= 0x80,
        sequence_number=sequence_number,
        timestamp=timestamp,
        ssrc=ssrc,
        extensions=profile,
        extension_data=data,
        payload=packet[position:end],
    )


def audio_level(packet: RtpPacket, extension_id: int | None) -> int | None:
    """Return RFC 6464's level, 0 (loudest) to 127, or None where it is not there."""
    if extension_id is None:
        return None
    for element_id, data in _elements(packet):
        if element_id == extension_id and data:
            return data[0] & 0x7F
    return None


def mixer_levels(packet: RtpPacket, extension_id: int | None) -> tuple[int, ...]:
    """Return RFC 6465's levels, one for each CSRC; none where they are not there."""
    if extension_id is None:
        return ()
    for element_id, data in _elements(packet):
        if element_id == extension_id:
            return tuple(level & 0x7F for level in data)
    return ()


def contributors(packet: bytes) -> tuple[int, ...]:
    """Return the CSRCs of a packet that `parse_rtp` has found to be well-formed."""
    return struct.unpack_from(f"!{packet[0] & 0x0F}I", packet, HEADER_BYTES)


def _elements(packet: RtpPacket) -> Iterator[tuple[int, bytes]]:
    """Yield (id, data) of each header extension element, up to the first bad one."""
    one_byte = packet.extensions == ONE_BYTE_EXTENSIONS
    if not one_byte and packet.extensions & 0xFFF0 != TWO_BYTE_EXTENSIONS:
        return
    data = packet.extension_data
    position = 0
    while position < len(data):
        if data[position] == 0:  # padding between elements
            position += 1
            continue
        if one_byte:
            element_id, length = data[position] >> 4, (data[position] & 0x0F) + 1
            position += 1
            if element_id == _RESERVED_ID:
                return
        else:
            if position + 2 > len(data):
                return
            element_id, length = data[position], data[position + 1]
            position += 2
        if position + length > len(data):
            return
        yield element_id, data[position : position + length]
        position += length
