"""Decides, packet by packet, what a speaker's next samples are made from."""

from bisect import insort
from dataclasses import dataclass
from typing import Final, NamedTuple

from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ

from .delay_estimate import DelayEstimate
from .frames import ReceivedPacket
from .opus_packet import MalformedPacket, duration_samples, has_fec, is_dtx
from .stream_timeline import StreamTimeline

MAX_PACKETS: Final = 64  # more than a second of 20 ms packets; oldest go first
MAX_CONCEAL_SAMPLES: Final = 5 * BLOCK_SAMPLES  # then silence is the better guess
MAX_GAP_SAMPLES: Final = 6 * BLOCK_SAMPLES  # longer ones are skipped, not filled
FEW_PACKETS: Final = 4  # not worth a look at whether too many are held
MAX_EXCESS_S: Final = 0.3  # more than this is skipped, not played faster
JUMP_S: Final = 1.0  # transit changes of this size are another timeline
FINEST_SAMPLES: Final = 120  # libopus conceals in multiples of 2.5 ms


@dataclass(frozen=True, slots=True)
class Decode:
    """Decode this payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class DecodeLost:
    """Decode `samples` of a lost packet from the FEC in the one after it."""

    next_payload: bytes
    samples: int


@dataclass(frozen=True, slots=True)
class Conceal:
    """Make up `samples` for what is lost or late."""

    samples: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is being said, or nothing that came in time."""


Step = Decode | DecodeLost | Conceal | Pause
PAUSE: Final = Pause()


@dataclass(slots=True)
class JitterCounts:
    """Totals since the start; `_samples` at 48 kHz."""

    received: int = 0
    duplicate: int = 0
    late: int = 0
    malformed: int = 0
    overflow: int = 0
    lost: int = 0
    recovered: int = 0
    concealed_samples: int = 0
    resets: int = 0
    skipped: int = 0


class _Held(NamedTuple):
    at: int  # first sample, on a timeline that does not wrap
    sequence: int  # likewise
    samples: int
    payload: bytes
    end: int


class JitterBuffer:
    """
    Orders one speaker's packets and holds them just long enough.

    Pure: no clock, no codec.  Holds at most `MAX_PACKETS`.  Times are those of
    `ReceivedPacket.arrival_s`; `now_s` must be of the same clock.
    """

    def __init__(self) -> None:
        self.counts = JitterCounts()
        self._restart()

    @property
    def delay(self) -> DelayEstimate:
        """What has been measured of the network's delay."""
        return self._delay

    def excess_s(self, now_s: float, decoded_samples: int) -> float | None:
        """
        Return how much earlier than need be packets are here; None when paused.

        Negative: packets come too late.  `decoded_samples` of them wait, decoded.
        """
        if self._next_at is None:
            return None
        position = self._next_at - decoded_samples
        lead_s = now_s - self._delay.base_s - position / SAMPLE_RATE_HZ
        # A block that ends inside a packet needs all of that packet.
        misaligned_s = (decoded_samples % BLOCK_SAMPLES) / SAMPLE_RATE_HZ
        return lead_s - self._delay.hold_s - misaligned_s

    def insert(self, packet: ReceivedPacket) -> None:
        """Take a packet in whatever order, as often as it comes."""
        self.counts.received += 1
        try:
            samples = duration_samples(packet.payload)
        except MalformedPacket:
            self.counts.malformed += 1
            return
        if self._insert_next(packet, samples):
            return
        if packet.ssrc != self._timeline.ssrc:
            self._start_timeline(packet)
        held = self._place(packet, samples)
        transit_s = packet.arrival_s - held.at / SAMPLE_RATE_HZ
        if self._is_jump(held, transit_s):
            self._start_timeline(packet)
            held = self._place(packet, samples)
            transit_s = packet.arrival_s - held.at / SAMPLE_RATE_HZ
        self._hold(held, packet.arrival_s, transit_s)

    def next_step(self, now_s: float, decoded_samples: int = 0) -> Step:
        """Return what to play next; call until a block is full."""
        if self._next_at is None:
            return self._resume(now_s)
        held = len(self._packets)
        if 0 < held <= FEW_PACKETS and not self._bridged:
            first = self._packets[0]
            if first.at == self._next_at:  # nearly always: nothing to decide
                return self._play(first)
        if held > FEW_PACKETS:
            self._skip_excess(now_s, decoded_samples)
        self._drop_late()
        if not self._packets:
            return self._starve()
        return self._go_on(now_s)

    def flush(self) -> None:
        """Forget the stream, e.g. of someone who was muted; keep the counts."""
        self._restart()

    def _restart(self) -> None:
        self._delay = DelayEstimate()
        self._packets: list[_Held] = []
        self._timeline = StreamTimeline()
        self._played_sequence: int | None = None
        self._played_samples = BLOCK_SAMPLES
        self._played_dtx = False
        self._pause()

    def _pause(self) -> None:
        self._next_at: int | None = None  # first sample not yet given out
        self._bridged = 0  # concealed while nothing was there: time, not media
        self._concealed = 0  # in a row

    def _start_timeline(self, packet: ReceivedPacket) -> None:
        if self._timeline.ssrc is not None:
            self.counts.resets += 1
        self._restart()
        self._timeline = StreamTimeline(
            packet.ssrc, sequence=packet.sequence_number, at=packet.timestamp
        )

    def _insert_next(self, packet: ReceivedPacket, samples: int) -> bool:
        """Take the one after the newest, as nearly all are; False: it is another."""
        at = self._timeline.next_at(packet)
        if at is None:
            return False
        transit_s = packet.arrival_s - at / SAMPLE_RATE_HZ
        if not -JUMP_S <= transit_s - self._delay.base_s <= JUMP_S:
            return False
        self._delay.observe(packet.arrival_s, transit_s)
        sequence = self._timeline.follow(at)
        self._keep(_Held(at, sequence, samples, packet.payload, at + samples))
        return True

    def _place(self, packet: ReceivedPacket, samples: int) -> _Held:
        sequence, at = self._timeline.place(packet)
        return _Held(at, sequence, samples, packet.payload, at + samples)

    def _is_jump(self, held: _Held, transit_s: float) -> bool:
        if not self._delay.started:
            return False
        if not self._timeline.belongs(held.sequence):
            return True
        change_s = transit_s - self._delay.base_s
        # An old packet that comes a second late is just late.
        newer = self._timeline.ahead(held.sequence) > 0
        return change_s < -JUMP_S or (newer and change_s > JUMP_S)

    def _hold(self, held: _Held, arrival_s: float, transit_s: float) -> None:
        if self._timeline.has_come(held.sequence):
            self.counts.duplicate += 1
            return
        self._delay.observe(arrival_s, transit_s)
        self._note_recoverable(held, transit_s)
        self._timeline.note(held.sequence, held.at)
        self._keep(held)

    def _keep(self, held: _Held) -> None:
        if self._next_at is not None and held.end <= self._next_at:
            self.counts.late += 1
            return
        insort(self._packets, held)
        if len(self._packets) > MAX_PACKETS:
            del self._packets[0]
            self.counts.overflow += 1

    def _note_recoverable(self, held: _Held, transit_s: float) -> None:
        """Count a lost packet as one that comes with its FEC, a packet later."""
        missing = self._timeline.ahead(held.sequence) - 1
        if missing > 0 and has_fec(held.payload):
            late_s = transit_s + held.samples / SAMPLE_RATE_HZ - self._delay.base_s
            self._delay.count_delay(late_s)

    def _resume(self, now_s: float) -> Step:
        """Start to play once the first packet was held as long as it should be."""
        if not self._packets:
            return PAUSE
        first = self._packets[0]
        due_s = first.at / SAMPLE_RATE_HZ + self._delay.base_s + self._delay.hold_s
        if now_s < due_s:
            return PAUSE
        self._next_at = first.at
        self._skip_excess(now_s, 0)
        return self._play(self._packets[0])

    def _skip_excess(self, now_s: float, decoded_samples: int) -> None:
        """After a stall, go on with what is new instead of hours behind."""
        excess_s = self.excess_s(now_s, decoded_samples)
        if excess_s is None or excess_s < MAX_EXCESS_S:
            return
        newest_start = self._packets[-1].at if self._packets else 0
        target = (self._next_at or 0) + int(excess_s * SAMPLE_RATE_HZ)
        while len(self._packets) > 1 and self._packets[0].at < min(
            target, newest_start
        ):
            self.counts.skipped += 1
            del self._packets[0]
        if self._packets:
            self._next_at = max(self._next_at or 0, self._packets[0].at)

    def _drop_late(self) -> None:
        while self._packets and self._packets[0].end <= (self._next_at or 0):
            self.counts.late += 1
            del self._packets[0]

    def _starve(self) -> Step:
        """Nothing is here: bridge a short while, without letting media time pass."""
        if self._played_dtx or self._concealed >= MAX_CONCEAL_SAMPLES:
            self._pause()
            return PAUSE
        samples = min(self._played_samples, BLOCK_SAMPLES)
        self._bridged += samples
        return self._conceal(samples)

    def _go_on(self, now_s: float) -> Step:
        first = self._packets[0]
        next_at = self._next_at or 0
        if self._bridged:  # what was lost meanwhile needs no second concealment
            next_at += max(0, min(self._bridged, first.at - next_at))
            self._bridged = 0
            self._next_at = next_at
        gap = (first.at - next_at) // FINEST_SAMPLES * FINEST_SAMPLES
        if gap <= 0:
            return self._play(first)
        # Numbers without a hole: the sender paused (DTX); likewise after a long one.
        if self._missing_before(first) <= 0 or gap > MAX_GAP_SAMPLES:
            self._pause()
            return self._resume(now_s)
        return self._fill(first, gap)

    def _fill(self, first: _Held, gap: int) -> Step:
        recoverable = has_fec(first.payload)
        if recoverable and gap <= first.samples:
            self._advance(gap)
            self.counts.recovered += 1
            self._concealed = 0
            return DecodeLost(first.payload, gap)
        samples = min(gap, self._played_samples, BLOCK_SAMPLES)
        if recoverable:
            samples = min(samples, gap - first.samples)
        self._advance(samples)
        return self._conceal(samples)

    def _play(self, first: _Held) -> Decode:
        del self._packets[0]
        if first.sequence - 1 != self._played_sequence:
            self.counts.lost += max(0, self._missing_before(first))
        self._next_at = first.end
        self._played_sequence = first.sequence
        self._played_samples = first.samples
        self._played_dtx = is_dtx(first.payload)
        self._bridged = self._concealed = 0
        return Decode(first.payload)

    def _missing_before(self, first: _Held) -> int:
        if self._played_sequence is None:
            return 0
        return first.sequence - self._played_sequence - 1

    def _conceal(self, samples: int) -> Conceal:
        self._concealed += samples
        self.counts.concealed_samples += samples
        return Conceal(samples)

    def _advance(self, samples: int) -> None:
        self._next_at = (self._next_at or 0) + samples
