"""What one client sends: authenticated packets in, frames' parts out."""

import struct
from typing import Final

from ..audio.frames import ReceivedPacket
from ..egress.srtp import SrtpBuffer, SrtpHandle
from .reception import ReceptionStats
from .rtp import RtpPacket, audio_level, parse_rtp

MAX_SSRCS: Final = 32  # libsrtp keeps state for each; a client needs one, rarely two
RTP_SSRC_AT: Final = 8  # RFC 3550 5.1
RTCP_SSRC_AT: Final = 4  # RFC 3550 6.4.1
_SSRC: Final = struct.Struct("!I")


class IncomingSrtp:
    """
    Opens a client's SRTP and SRTCP packets, for `MAX_SSRCS` senders' ids at most.

    libsrtp makes a stream for each new SSRC that authenticates, in either protocol,
    and looks them up one by one: a client that knows its keys could go on for ever.
    """

    def __init__(self, handle: SrtpHandle) -> None:
        self._handle = handle
        self._ssrcs: set[int] = set()

    def open_rtp(self, buffer: SrtpBuffer, row: int, length: int) -> bytes | None:
        """Return the packet in `row`; None: forged, replayed, or one id too many."""
        ssrc = self._admitted(buffer, row, length, RTP_SSRC_AT)
        if ssrc is None:
            return None
        plain = buffer.unprotect(row, length, self._handle)
        if plain is not None:  # only then: anybody can forge ids
            self._ssrcs.add(ssrc)
        return plain

    def open_rtcp(self, buffer: SrtpBuffer, row: int, length: int) -> bytes | None:
        """Return the compound in `row`, under the same conditions."""
        ssrc = self._admitted(buffer, row, length, RTCP_SSRC_AT)
        if ssrc is None:
            return None
        plain = buffer.unprotect_rtcp(row, length, self._handle)
        if plain is not None:
            self._ssrcs.add(ssrc)
        return plain

    def _admitted(
        self, buffer: SrtpBuffer, row: int, length: int, position: int
    ) -> int | None:
        if length < position + 4:
            return None
        start = row * buffer.stride_bytes + position
        (ssrc,) = _SSRC.unpack_from(buffer.view, start)
        known = ssrc in self._ssrcs or len(self._ssrcs) < MAX_SSRCS
        return ssrc if known else None


class IncomingAudio:
    """
    Opens, checks and counts the audio of one session.

    Args:
        payload_type: Of Opus; packets of other types (RTX, RED, comfort noise) are
            ignored.
        level_extension_id: Of RFC 6464, or None.
    """

    def __init__(
        self, srtp: IncomingSrtp, *, payload_type: int, level_extension_id: int | None
    ) -> None:
        self._srtp = srtp
        self._payload_type = payload_type
        self._level_extension_id = level_extension_id
        self.stats = ReceptionStats()

    def open(self, buffer: SrtpBuffer, row: int, length: int) -> RtpPacket | None:
        """Return the packet in `row`, or None: forged, replayed or malformed."""
        plain = self._srtp.open_rtp(buffer, row, length)
        return parse_rtp(plain) if plain is not None else None

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
            payload=packet.payload,
            level_dbov=audio_level(packet, self._level_extension_id),
            arrival_s=now_s,
        )
