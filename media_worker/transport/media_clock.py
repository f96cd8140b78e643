"""The RTP time of this moment, for sender reports."""

from spaces_contract.media import SAMPLE_RATE_HZ


class MediaClock:
    """Maps monotonic time to the RTP time of what is being sent."""

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._at_s = 0.0

    def frame_sent(self, timestamp: int, now_s: float) -> None:
        """Note that a frame which ends at `timestamp` was sent at `now_s`."""
        self._timestamp = timestamp
        self._at_s = now_s

    def timestamp(self, now_s: float) -> int | None:
        """Return the RTP time of `now_s` (32 bits), or None before the first frame."""
        if self._timestamp is None:
            return None
        passed = int((now_s - self._at_s) * SAMPLE_RATE_HZ)
        return (self._timestamp + passed) & 0xFFFFFFFF
