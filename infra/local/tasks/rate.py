"""Token bucket: how fast a queue may dispatch."""


class TokenBucket:
    """
    Holds up to `burst` tokens and gains `rate_per_s` of them a second.

    Args:
        now_s: Monotonic time at which the bucket is full.
    """

    def __init__(self, *, rate_per_s: float, burst: int, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = now_s

    def reconfigure(self, *, rate_per_s: float, burst: int) -> None:
        """Change the limits; tokens beyond the new burst are lost."""
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = min(self._tokens, float(burst))

    def available(self, now_s: float) -> int:
        """Return how many tasks may be dispatched now."""
        gained = max(0.0, now_s - self._at_s) * self._rate_per_s
        self._tokens = min(self._tokens + gained, float(self._burst))
        self._at_s = now_s
        return int(self._tokens)

    def take(self, count: int) -> None:
        """Spend tokens that `available` has promised."""
        self._tokens -= count

    def wait_s(self) -> float:
        """Return the time until the next whole token, as of the last `available`."""
        return max(0.0, (1.0 - self._tokens) / self._rate_per_s)
