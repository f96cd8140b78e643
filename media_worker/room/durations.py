"""Counts durations into fixed buckets, as Prometheus wants them."""

from bisect import bisect_left
from typing import Final

BOUNDS_S: Final = (
    0.0002,
    0.0005,
    0.001,
    0.002,
    0.003,
    0.005,
    0.0075,
    0.010,
    0.015,
    0.020,
    0.030,
    0.060,
    0.120,
    0.500,
    2.0,
)


class Durations:
    """
    A histogram of seconds with cumulative totals since the start.

    Attributes:
        counts: One per bound of `BOUNDS_S`, and one for what is longer.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0
        self.max_s = 0.0

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    def observe(self, duration_s: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s
        self.max_s = max(self.max_s, duration_s)

    def quantile_s(self, share: float) -> float:
        """Return the bound below which `share` of all lie; 0 when there are none."""
        remaining = share * self.total
        for bound_s, count in zip(BOUNDS_S, self.counts, strict=False):
            remaining -= count
            if remaining <= 0:
                return min(bound_s, self.max_s)
        return self.max_s
