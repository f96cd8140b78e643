"""When a failed task is tried again."""

import pytest

from infra.local.tasks.retry import RetryRule


def a_rule(**changes: float) -> RetryRule:
    """Return Google's documented example, changed."""
    values: dict[str, float] = {
        "max_attempts": 5,
        "max_duration_s": 0,
        "min_backoff_s": 10,
        "max_backoff_s": 300,
        "max_doublings": 3,
    }
    return RetryRule(**{**values, **changes})  # type: ignore[arg-type]  # ints are floats


def test_intervals_double_then_grow_linearly_then_stay() -> None:
    """
    The reference's own example: 10, 20, 40, 80, 160, 240, 300, 300 seconds.
    """
    waits = [a_rule().backoff_s(failures) for failures in range(1, 9)]

    assert waits == [10, 20, 40, 80, 160, 240, 300, 300]


def test_many_failures_do_not_overflow() -> None:
    """
    The millionth failure waits for the maximum, too.
    """
    assert a_rule(max_doublings=16).backoff_s(1_000_000) == 300


@pytest.mark.parametrize(
    ("max_attempts", "max_duration_s", "attempts", "since_first_s", "expected"),
    [
        (3, 0, 2, 1e9, False),
        (3, 0, 3, 0, True),
        (-1, 0, 10**9, 1e9, False),
        (-1, 60, 10**9, 59, False),
        (-1, 60, 1, 60, True),
        (3, 60, 3, 59, False),  # both limits must be passed
        (3, 60, 2, 61, False),
        (3, 60, 3, 61, True),
    ],
)
def test_a_task_is_given_up_when_its_limits_are_passed(
    max_attempts: int,
    max_duration_s: float,
    attempts: int,
    since_first_s: float,
    expected: bool,
) -> None:
    """
    Attempts, duration, or both where both are set; -1 and 0 are without limit.
    """
    rule = a_rule(max_attempts=max_attempts, max_duration_s=max_duration_s)

    assert rule.gives_up(attempts=attempts, since_first_s=since_first_s) is expected
