"""How often something may be done: a bucket that fills at a steady rate."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """
    So many at once, and so many a second after that.

    Args:
        burst: Size of the bucket, at least 1.
        per_s: How fast it fills; more than 0.
    """

    burst: float
    per_s: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was left at one time of a monotonic clock, in seconds."""

    left: float
    at_s: float


def take(
    bucket: Bucket | None, limit: RateLimit, *, now_s: float
) -> tuple[Bucket, float]:
    """
    Take one from the bucket; None is one that nobody has touched, and is full.

    Returns:
        The bucket afterwards, and 0.0; where it is empty: unchanged but for its time,
        and the seconds until there is one.
    """
    full = Bucket(limit.burst, now_s)
    before = bucket or full
    passed_s = max(0.0, now_s - before.at_s)
    left = min(limit.burst, before.left + passed_s * limit.per_s)
    if left < 1:
        return Bucket(left, now_s), (1 - left) / limit.per_s
    return Bucket(left - 1, now_s), 0.0
