"""When a failed task is tried again, and when no more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """
    A queue's or a task's retry configuration.

    Args:
        max_attempts: The first one included; -1 is without limit.
        max_duration_s: From the first attempt on; 0 is without limit.
        max_doublings: How often the interval doubles before it grows linearly.
    """

    max_attempts: int
    max_duration_s: float
    min_backoff_s: float
    max_backoff_s: float
    max_doublings: int

    def backoff_s(self, failures: int) -> float:
        """
        Return the wait after the `failures`-th failure in a row, counted from 1.

        With 10 s, at most 300 s and 3 doublings: 10, 20, 40, 80, 160, 240, 300, 300.
        """
        doublings = min(failures - 1, self.max_doublings)
        beyond = failures - 1 - doublings
        interval_s = self.min_backoff_s * 2.0**doublings
        return min(interval_s * (1 + beyond), self.max_backoff_s)

    def gives_up(self, *, attempts: int, since_first_s: float) -> bool:
        """
        Return whether a task that failed again is dropped.

        Where both limits are set, both must be passed, as the reference says.
        """
        tired = self.max_attempts != -1 and attempts >= self.max_attempts
        late = self.max_duration_s > 0 and since_first_s >= self.max_duration_s
        if self.max_attempts == -1:
            return late
        if self.max_duration_s <= 0:
            return tired
        return tired and late
