"""The audio that one WHIP client sends: authenticated packets in, frames' parts out."""

import struct
from typing import Final

from ..audio.frames import ReceivedPacket
from ..egress.srtp import SrtpBuffer, SrtpHandle
from .reception import ReceptionStats
from .rtp import HEADER_BYTES, RtpPacket, audio_level, parse_rtp

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

    def open(self, buffer: SrtpBuffer, row: int, length: int) -> RtpPacket | None:
        """Return the packet in `row`, or None: forged, replayed or malformed."""
        head = buffer.read(row, min(length, HEADER_BYTES))
        if len(head) < HEADER_BYTES or not self._admit(head):
            return None
        plain = buffer.unprotect(row, length, self._srtp)
        packet = parse_rtp(plain) if plain is not None else None
        if packet is not None:
            self._ssrcs.add(packet.ssrc)
        return packet

    def audio(self, packet: RtpPacket, now_s: float) -> ReceivedPacket | None:
        """Return the audio in an opened packet, counted; None where there is none."""
        if packet.payload_type != self._payload_type or not packet.payload:
            return None
        self.stats.packet_received(
            ssrc=packet.ssrc,
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            arrival_s=now_s,
        )
        return ReceivedPacket(
            ssrc=packet.ssrc,
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            marker=packet.marker,
            payload=packet.payload,
            level_dbov=audio_level(packet, self._level_extension_id),
            arrival_s=now_s,
        )

    def _admit(self, head: bytes) -> bool:
        (ssrc,) = struct.unpack_from("!I", head, 8)
        return ssrc in self._ssrcs or len(self._ssrcs) < MAX_SSRCS
