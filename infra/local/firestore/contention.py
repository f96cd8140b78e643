"""What transactions lately collided on: there, reading takes turns from the start."""

from collections.abc import Callable, Hashable, Iterable
from typing import Final

HOT_S: Final = 2.0
_MAX_ITEMS: Final = 4_096


class Contention:
    """
    Documents and queried collections with a recent conflict.

    Clients retry five times without a pause, and name the attempt that they retry
    only if their callable is not shared between threads.  So that nobody starves,
    a first attempt that reads what is hot locks it, as a retry does.

    Args:
        now_s: A monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._until_s: dict[Hashable, float] = {}

    def mark(self, items: Iterable[Hashable]) -> None:
        """Remember a conflict, or that somebody had to wait."""
        now_s = self._now_s()
        if len(self._until_s) > _MAX_ITEMS:
            self._until_s = {k: t for k, t in self._until_s.items() if t > now_s}
        for item in items:
            self._until_s[item] = now_s + HOT_S

    def is_hot(self, items: Iterable[Hashable]) -> bool:
        """Return whether any of the items had a conflict a moment ago."""
        if not self._until_s:
            return False
        now_s = self._now_s()
        return any(self._until_s.get(item, 0.0) > now_s for item in items)
