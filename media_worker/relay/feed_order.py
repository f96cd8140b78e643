"""Puts a feed's packets in order, and tells hearers of those that never came."""

from dataclasses import dataclass, field
from typing import Final

from ..audio.frames import EncodedFrame
from ..audio.opus_packet import MalformedPacket, duration_samples

MAX_GAP: Final = 3_000  # packets; what is farther off is a new beginning
_SEQUENCES: Final = 1 << 16
_TIMES: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPacket:
    """
    One authenticated RTP packet of the origin's mix.

    Args:
        arrival_s: Monotonic time at which it reached this machine.
    """

    sequence_number: int
    timestamp: int
    payload: bytes
    csrcs: tuple[int, ...] = ()
    levels_dbov: tuple[int, ...] = ()
    arrival_s: float = 0.0


@dataclass(slots=True)
class FeedCounts:
    """
    Totals since the start.

    Args:
        late: Came after their place was given up, or twice.
        malformed: Hold no Opus packet.
    """

    received: int = 0
    lost: int = 0
    late: int = 0
    malformed: int = 0


@dataclass(slots=True)
class FeedOrder:
    """
    Turns packets into frames to fan out, at once where nothing is missing.

    Where a packet is missing, the next one waits for it until one more has come.  What
    is lost is left out: hearers' own decoders conceal it best, by the FEC of the packet
    behind it.  Times are the origin's throughout, over any number of feeds.
    """

    counts: FeedCounts = field(default_factory=FeedCounts)
    _next: int | None = None  # sequence number
    _ends: int | None = None  # timestamp at which the latest frame ends
    _held: FeedPacket | None = None

    def begin(self) -> None:
        """Take the next packet for the first of a new feed."""
        self._next = self._held = None

    def take(self, packet: FeedPacket) -> list[EncodedFrame]:
        """Return the frames that can be sent now."""
        self.counts.received += 1
        if self._next is None:
            return self._frames(packet, self._skipped_by_time(packet))
        ahead = (packet.sequence_number - self._next) % _SEQUENCES
        if ahead >= _SEQUENCES // 2:
            self.counts.late += 1
            return []
        if ahead > MAX_GAP:
            self.begin()
            return self._frames(packet, self._skipped_by_time(packet))
        if ahead == 0:
            held, self._held = self._held, None
            frames = self._frames(packet, 0)
            return frames if held is None else frames + self._take_again(held)
        if self._held is None:
            self._held = packet
            return []
        return self._give_up(self._held, packet)

    def _take_again(self, held: FeedPacket) -> list[EncodedFrame]:
        """Return what has become of a packet that had to wait."""
        self.counts.received -= 1
        return self.take(held)

    def _give_up(self, held: FeedPacket, packet: FeedPacket) -> list[EncodedFrame]:
        """Send both, whichever comes first, without what is missing before them."""
        self._held = None
        frames: list[EncodedFrame] = []
        for each in sorted((held, packet), key=self._ahead):
            ahead = self._ahead(each)
            if ahead < MAX_GAP:
                self.counts.lost += ahead
                frames += self._frames(each, ahead)
            else:  # the same one twice
                self.counts.late += 1
        return frames

    def _ahead(self, packet: FeedPacket) -> int:
        return (packet.sequence_number - (self._next or 0)) % _SEQUENCES

    def _frames(self, packet: FeedPacket, skipped: int) -> list[EncodedFrame]:
        self._next = (packet.sequence_number + 1) % _SEQUENCES
        try:
            samples = duration_samples(packet.payload)
        except MalformedPacket:
            self.counts.malformed += 1
            return []
        self._ends = (packet.timestamp + samples) % _TIMES
        frame = EncodedFrame(
            payload=packet.payload,
            timestamp=packet.timestamp,
            duration_samples=samples,
            csrcs=packet.csrcs,
            levels_dbov=packet.levels_dbov,
            skipped=skipped,
        )
        return [frame]

    def _skipped_by_time(self, packet: FeedPacket) -> int:
        """Return how many packets of its length were missed between two feeds."""
        if self._ends is None:
            return 0
        try:
            samples = duration_samples(packet.payload)
        except MalformedPacket:
            return 0
        missed = (packet.timestamp - self._ends) % _TIMES // samples
        if missed > MAX_GAP:
            return 0
        self.counts.lost += missed
        return missed
