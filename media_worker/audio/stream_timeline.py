"""One RTP stream's sequence numbers and timestamps on lines that do not wrap."""

from typing import Final

from spaces_contract.media import SAMPLE_RATE_HZ

from .frames import ReceivedPacket

MAX_DROPOUT: Final = 3_000  # RFC 3550 A.1: sequence numbers further ahead, or
MAX_MISORDER: Final = 100  # further behind, are another timeline
SEEN_MASK: Final = (1 << MAX_MISORDER) - 1


class StreamTimeline:
    """
    Places a stream's packets, and knows the newest and which have come.

    Args:
        ssrc: Of the stream; None: there is none yet.
        sequence: Number on the wire of its first packet.
        at: Timestamp on the wire of its first packet.
    """

    def __init__(
        self, ssrc: int | None = None, *, sequence: int = 0, at: int = 0
    ) -> None:
        self.ssrc = ssrc
        self._newest_sequence = sequence
        self._newest_at = at
        self._seen = 0  # bit n: sequence number newest - n has come

    def next_at(self, packet: ReceivedPacket) -> int | None:
        """Return where the one after the newest begins; None: this is another one."""
        number = packet.sequence_number - self._newest_sequence & 0xFFFF
        ahead = packet.timestamp - self._newest_at & 0xFFFF_FFFF
        if number != 1 or ahead > SAMPLE_RATE_HZ or packet.ssrc != self.ssrc:
            return None
        return self._newest_at + ahead

    def follow(self, at: int) -> int:
        """Note that the one after the newest has come; return its sequence number."""
        self._newest_sequence += 1
        self._seen = (self._seen << 1 | 1) & SEEN_MASK
        self._newest_at = at
        return self._newest_sequence

    def place(self, packet: ReceivedPacket) -> tuple[int, int]:
        """Return any packet's sequence number and first sample."""
        return (
            _unwrap(packet.sequence_number, self._newest_sequence, bits=16),
            _unwrap(packet.timestamp, self._newest_at, bits=32),
        )

    def ahead(self, sequence: int) -> int:
        """Return how much newer than the newest it is; 0 or less: it is not."""
        return sequence - self._newest_sequence

    def belongs(self, sequence: int) -> bool:
        """Return whether it is near enough to the newest to be of this timeline."""
        return -MAX_MISORDER < self.ahead(sequence) < MAX_DROPOUT

    def has_come(self, sequence: int) -> bool:
        """Return whether it has, as far as is remembered: `MAX_MISORDER` of them."""
        age = -self.ahead(sequence)
        return age >= 0 and bool(self._seen >> age & 1)

    def note(self, sequence: int, at: int) -> None:
        """Note that a packet has come, in whatever order."""
        ahead = self.ahead(sequence)
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & SEEN_MASK
            self._newest_sequence = sequence
        else:
            self._seen |= 1 << -ahead
        self._newest_at = max(self._newest_at, at)


def _unwrap(value: int, near: int, *, bits: int) -> int:
    """Return the integer congruent to `value` mod 2**`bits` that is nearest `near`."""
    half = 1 << (bits - 1)
    return near + ((value - near + half) & ((1 << bits) - 1)) - half
