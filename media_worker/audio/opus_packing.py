"""Several Opus packets of one stream as one: fewer packets for the same sound."""

from typing import Final

MAX_PACKED_BYTES: Final = 1_000  # one datagram, whatever the frames
_CODE: Final = 0b11  # RFC 6716 3.2.5: the TOC's code for any number of frames
_VBR: Final = 0x80
_LONG_LENGTH: Final = 252  # RFC 6716 3.2.1: lengths from here take two bytes


def can_pack(first: bytes, other: bytes) -> bool:
    """
    Tell whether two packets of one frame each may share a packet.

    Frames of one packet share mode, bandwidth, duration and channels (RFC 6716 3.2).
    """
    return first[0] & _CODE == 0 and first[0] == other[0]


def pack(packets: list[bytes]) -> bytes:
    """
    Return one packet of all frames, in order, at most 48.

    Raises:
        ValueError: they do not go together (`can_pack`), or there are none.
    """
    if not packets or not all(can_pack(packets[0], other) for other in packets):
        raise ValueError("these packets do not go together")
    if len(packets) == 1:
        return packets[0]
    frames = [packet[1:] for packet in packets]
    head = bytes([packets[0][0] | _CODE, _VBR | len(frames)])
    return head + b"".join(_length(len(f)) for f in frames[:-1]) + b"".join(frames)


def _length(size: int) -> bytes:
    if size < _LONG_LENGTH:
        return bytes([size])
    first = _LONG_LENGTH + (size & 3)
    return bytes([first, (size - first) >> 2])
