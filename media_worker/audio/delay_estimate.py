"""Measures how late a speaker's packets come, and how long to hold them for it."""

from collections import deque
from typing import Final

WINDOW_S: Final = 2.0  # the fastest packet of this long is "in time": tracks drift
BIN_S: Final = 0.0025
BINS: Final = 96  # 240 ms: nobody is held longer than that
QUANTILE: Final = 0.98  # share of packets that shall come in time
FORGET: Final = 0.99  # weight of the past per packet: about 2 s of 20 ms packets
REVIEW_PACKETS: Final = 5  # the hold changes slowly: each 100 ms is soon enough
HUGE: Final = 1e9
MIN_HOLD_S: Final = 0.008  # a read, a tick and their lag on a busy machine
START_HOLD_S: Final = 0.020  # one packet, until there is something measured


class DelayEstimate:
    """
    Keeps the base transit time and the distribution of delays above it.

    Transit times compare two clocks that share no zero; only differences count.
    """

    def __init__(self) -> None:
        self._transits: deque[tuple[float, float]] = deque()  # rising minima
        start = int(START_HOLD_S / BIN_S) - 1
        self._weights = [0.0] * BINS
        self._weights[start] = 1.0
        self._total = 1.0
        self._next_weight = 1 / FORGET - 1  # grows, which is how the past fades
        self._unreviewed = 0
        self.base_s = 0.0  # transit time of the fastest packet of `WINDOW_S`
        self.hold_s = START_HOLD_S
        self.jitter_s = 0.0  # RFC 3550 6.4.1
        self._last_transit_s: float | None = None

    @property
    def started(self) -> bool:
        """Whether a packet has been seen."""
        return bool(self._transits)

    def observe(self, arrival_s: float, transit_s: float) -> None:
        """Take one packet's arrival and its transit time (arrival minus media time)."""
        window = self._transits
        while window and window[-1][1] >= transit_s:
            window.pop()
        window.append((arrival_s, transit_s))
        while window[0][0] < arrival_s - WINDOW_S:
            window.popleft()
        self.base_s = window[0][1]
        if self._last_transit_s is not None:
            difference = abs(transit_s - self._last_transit_s)
            self.jitter_s += (difference - self.jitter_s) / 16
        self._last_transit_s = transit_s
        self.count_delay(transit_s - self.base_s)

    def count_delay(self, delay_s: float) -> None:
        """Take one delay above the base, 0 s or more, e.g. of a late FEC copy."""
        index = min(BINS - 1, int(delay_s / BIN_S))
        self._weights[index] += self._next_weight
        self._total += self._next_weight
        self._next_weight /= FORGET
        self._unreviewed += 1
        if self._unreviewed >= REVIEW_PACKETS:
            self._unreviewed = 0
            self._review()

    def _review(self) -> None:
        self.hold_s = max(MIN_HOLD_S, self._quantile_s())
        if self._total > HUGE:
            self._weights = [weight / self._total for weight in self._weights]
            self._next_weight /= self._total
            self._total = 1.0

    def _quantile_s(self) -> float:
        remaining = (1 - QUANTILE) * self._total
        for index in range(BINS - 1, -1, -1):
            remaining -= self._weights[index]
            if remaining < 0:
                return (index + 1) * BIN_S
        return 0.0
