"""The token bucket of a queue."""

import pytest

from infra.local.tasks.rate import TokenBucket


def test_a_burst_then_the_rate() -> None:
    """
    Two at once, and from then on ten a second.
    """
    bucket = TokenBucket(rate_per_s=10, burst=2, now_s=100)
    assert bucket.available(100) == 2
    bucket.take(2)

    assert bucket.available(100) == 0
    assert bucket.wait_s() == pytest.approx(0.1)
    assert bucket.available(100.11) == 1
    assert bucket.available(107) == 2


def test_a_clock_that_stands_still_gives_nothing() -> None:
    """
    Time that runs backwards does not take tokens away.
    """
    bucket = TokenBucket(rate_per_s=10, burst=2, now_s=100)

    assert bucket.available(90) == 2


def test_new_limits_hold_from_now_on() -> None:
    """
    A smaller burst drops what was saved beyond it.
    """
    bucket = TokenBucket(rate_per_s=1, burst=10, now_s=0)
    bucket.reconfigure(rate_per_s=5, burst=3)

    assert bucket.available(0) == 3
    bucket.take(3)
    assert bucket.wait_s() == pytest.approx(0.2)
