"""The part of an RTP packet that all hearers of a source share, as bytes."""

import struct
from typing import Final

from ..audio.frames import EncodedFrame

MAX_CSRCS: Final = 15  # RFC 3550 5.1: four bits
MAX_PAYLOAD_BYTES: Final = 1_200
MARKER: Final = 0x80
UNMARKED: Final = 0x7F
PAYLOAD_TYPE_AT: Final = 1
SEQUENCE_AT: Final = 2
SSRC_AT: Final = 8
_ONE_BYTE_PROFILE: Final = 0xBEDE  # RFC 8285 4.2


def level_element_at(frame: EncodedFrame) -> int:
    """Return where the first header extension element of a packet begins."""
    return 12 + 4 * len(frame.csrcs) + 4


def shared_head(frame: EncodedFrame, *, ssrc: int, with_levels: bool) -> bytes:
    """
    Return what stands before the payload, payload type and sequence number left 0.

    With levels (RFC 6465), the id in the extension's first byte is left 0 too.

    Raises:
        ValueError: more than 15 CSRCs, levels that do not match them, or a payload
            that is empty or would not fit.
    """
    count = len(frame.csrcs)
    if count > MAX_CSRCS or (frame.levels_dbov and len(frame.levels_dbov) != count):
        raise ValueError(f"{count} CSRCs, {len(frame.levels_dbov)} levels")
    if not 0 < len(frame.payload) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"payload of {len(frame.payload)} bytes")
    extended = with_levels and bool(frame.levels_dbov)
    head = struct.pack(
        f"!BBHII{count}I",
        0x80 | (0x10 if extended else 0) | count,
        0,
        0,
        frame.timestamp & 0xFFFFFFFF,
        ssrc,
        *frame.csrcs,
    )
    return head + (_levels(frame.levels_dbov) if extended else b"")


def _levels(levels_dbov: tuple[int, ...]) -> bytes:
    element = bytes([len(levels_dbov) - 1, *(level & 0x7F for level in levels_dbov)])
    words = -(-len(element) // 4)
    head = struct.pack("!HH", _ONE_BYTE_PROFILE, words)
    return head + element + bytes(4 * words - len(element))
