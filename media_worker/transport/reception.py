"""What a receiver report says of one incoming stream (RFC 3550 A.1, A.3, A.8)."""

from typing import Final

from spaces_contract.media import SAMPLE_RATE_HZ

from .rtcp import ReportBlock, SenderReport

_CYCLE: Final = 1 << 16
_MAX_DROPOUT: Final = 3000
_MAX_MISORDER: Final = 100
_MAX_LOST: Final = (1 << 23) - 1


class ReceptionStats:
    """
    Loss and jitter of the stream that a client sends just now.

    A new SSRC, or a jump of sequence numbers that is confirmed by the next packet,
    begins the count anew.

    Attributes:
        jitter: RFC 3550 A.8, in timestamp units.
    """

    jitter: float
    _base: int
    _highest: int
    _cycles: int
    _expected_prior: int
    _received_prior: int

    def __init__(self) -> None:
        self.ssrc: int | None = None
        self.received = 0
        self._begin(0)
        self._sr_middle = 0
        self._sr_arrival_s = 0.0

    def packet_received(
        self, *, ssrc: int, sequence_number: int, timestamp: int, arrival_s: float
    ) -> None:
        """Count one authenticated packet."""
        if ssrc != self.ssrc:
            self.ssrc = ssrc
            self._sr_middle = 0
            self._begin(sequence_number)
        elif sequence_number == self._highest + 1:  # nearly always
            self._highest = sequence_number
        elif not self._place(sequence_number):
            return
        self.received += 1
        self._note_jitter(timestamp, arrival_s)

    def sender_report_received(self, report: SenderReport, arrival_s: float) -> None:
        """Remember the report, for round-trip times at the sender."""
        if report.ssrc == self.ssrc:
            self._sr_middle = (report.ntp_time >> 16) & 0xFFFFFFFF
            self._sr_arrival_s = arrival_s

    def report(self, now_s: float) -> ReportBlock | None:
        """Return the block to send now, or None before the first packet."""
        if self.ssrc is None:
            return None
        expected = self.expected
        expected_interval = expected - self._expected_prior
        received_interval = self.received - self._received_prior
        self._expected_prior, self._received_prior = expected, self.received
        lost_interval = expected_interval - received_interval
        fraction = 0
        if expected_interval > 0 and lost_interval > 0:
            fraction = min(255, (lost_interval << 8) // expected_interval)
        delay_s = now_s - self._sr_arrival_s if self._sr_middle else 0.0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            cumulative_lost=max(-_MAX_LOST, min(_MAX_LOST, expected - self.received)),
            highest_sequence=(self._cycles + self._highest) & 0xFFFFFFFF,
            jitter=int(self.jitter) & 0xFFFFFFFF,
            last_sr=self._sr_middle,
            delay_since_last_sr=int(delay_s * 65_536) & 0xFFFFFFFF,
        )

    @property
    def expected(self) -> int:
        """Packets that should have come since the count began."""
        return self._cycles + self._highest - self._base + 1 if self.received else 0

    def _begin(self, sequence_number: int) -> None:
        self._base = self._highest = sequence_number
        self._cycles = 0
        self._bad: int | None = None
        self.received = 0
        self._expected_prior = self._received_prior = 0
        self.jitter = 0.0
        self._transit: float | None = None

    def _place(self, sequence_number: int) -> bool:
        """Take the number in; False for one that is off, until a second confirms it."""
        delta = (sequence_number - self._highest) % _CYCLE
        if delta < _MAX_DROPOUT:
            if sequence_number < self._highest:
                self._cycles += _CYCLE
            self._highest = sequence_number
        elif delta <= _CYCLE - _MAX_MISORDER:
            if sequence_number != self._bad:
                self._bad = (sequence_number + 1) % _CYCLE
                return False
            self._begin(sequence_number)
        return True

    def _note_jitter(self, timestamp: int, arrival_s: float) -> None:
        transit = arrival_s * SAMPLE_RATE_HZ - timestamp
        if self._transit is not None:
            # The difference is taken on the 32-bit circle: timestamps wrap.
            change = (transit - self._transit + 2**31) % 2**32 - 2**31
            self.jitter += (abs(change) - self.jitter) / 16
        self._transit = transit
