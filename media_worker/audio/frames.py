"""Values that travel between transport, audio and room."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPacket:
    """
    One authenticated RTP packet of a speaker.

    Args:
        ssrc: RTP stream it belongs to.
        sequence_number: 16 bits, as on the wire.
        timestamp: 32 bits, 48 kHz.
        payload: Opus packet (RFC 7587), at least one byte.
        level_dbov: RFC 6464 level 0 (loudest) to 127, or None where not offered.
        arrival_s: Monotonic time at which the datagram was read.
    """

    ssrc: int
    sequence_number: int
    timestamp: int
    payload: bytes
    level_dbov: int | None
    arrival_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFrame:
    """
    One encoded Opus frame of one source, to be stamped for many hearers.

    Args:
        payload: One Opus packet.
        timestamp: 32 bits, 48 kHz; of its first sample.
        duration_samples: At 48 kHz: 960 for 20 ms.
        csrcs: Who is heard in it, at most 15 (RFC 3550 5.1), loudest first.
        levels_dbov: RFC 6465 levels, one for each of `csrcs`.
        skipped: Packets of the same stream before this one that are not to be had:
            their sequence numbers are left out, so that hearers know of the loss.
    """

    payload: bytes
    timestamp: int
    duration_samples: int
    csrcs: tuple[int, ...] = ()
    levels_dbov: tuple[int, ...] = ()
    skipped: int = 0
