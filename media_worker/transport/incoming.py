"""The audio that one WHIP client sends: authenticated packets in, frames' parts out."""

import struct
from typing import Final

from ..audio.frames import ReceivedPacket
from ..egress.srtp import SrtpBuffer, SrtpHandle
from .reception import ReceptionStats
from .rtp import HEADER_BYTES, audio_level, parse_rtp

MAX_SSRCS: Final = 32  # libsrtp keeps state for each; a client needs one, rarely two


class IncomingAudio:
    """
    Opens, checks and counts the packets of one session.

    Args:
        payload_type: Of Opus; packets of other types (RTX, RED, comfort noise) are
            ignored.
        level_extension_id: Of RFC 6464, or None.
    """

    def __init__(
        self, srtp: SrtpHandle, *, payload_type: int, level_extension_id: int | None
    ) -> None:
        self._srtp = srtp
        self._payload_type = payload_type
        self._level_extension_id = level_extension_id
        self._ssrcs: set[int] = set()
        self.stats = ReceptionStats()
        self.refused_packets = 0  # forged, replayed, malformed
        self.ignored_packets = 0  # other payload types, or nothing but padding

    def packet_received(
        self, buffer: SrtpBuffer, row: int, length: int, now_s: float
    ) -> ReceivedPacket | None:
        """Open the packet in `row`; None where it holds no audio for us."""
        head = buffer.read(row, min(length, HEADER_BYTES))
        if len(head) < HEADER_BYTES or not self._admit(head):
            self.refused_packets += 1
            return None
        plain = buffer.unprotect(row, length, self._srtp)
        parsed = parse_rtp(plain) if plain is not None else None
        if parsed is None:
            self.refused_packets += 1
            return None
        self._ssrcs.add(parsed.ssrc)
        if parsed.payload_type != self._payload_type or not parsed.payload:
            self.ignored_packets += 1
            return None
        self.stats.packet_received(
            ssrc=parsed.ssrc,
            sequence_number=parsed.sequence_number,
            timestamp=parsed.timestamp,
            arrival_s=now_s,
        )
        return ReceivedPacket(
            ssrc=parsed.ssrc,
            sequence_number=parsed.sequence_number,
            timestamp=parsed.timestamp,
            marker=parsed.marker,
            payload=parsed.payload,
            level_dbov=audio_level(parsed, self._level_extension_id),
            arrival_s=now_s,
        )

    def _admit(self, head: bytes) -> bool:
        (ssrc,) = struct.unpack_from("!I", head, 8)
        return ssrc in self._ssrcs or len(self._ssrcs) < MAX_SSRCS
