"""When each session wants to be looked at next: reports and deadlines, one timer."""

import heapq
from typing import Generic, TypeVar

K = TypeVar("K")


class Turns(Generic[K]):
    """A queue of keys by due time; setting a key's time again replaces it."""

    def __init__(self) -> None:
        self._due_s: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def set(self, key: K, due_s: float) -> None:
        """Let `key` be due at `due_s`."""
        self._due_s[key] = due_s
        self._count += 1  # keys need no order of their own
        heapq.heappush(self._heap, (due_s, self._count, key))

    def drop(self, key: K) -> None:
        """Forget `key`; harmless where it is unknown."""
        self._due_s.pop(key, None)

    def next_s(self) -> float | None:
        """Return when the next key is due, or None where there is none."""
        while self._heap:
            due_s, _, key = self._heap[0]
            if self._due_s.get(key) == due_s:
                return due_s
            heapq.heappop(self._heap)
        return None

    def take_due(self, now_s: float, limit: int) -> list[K]:
        """Remove and return at most `limit` keys that are due, earliest first."""
        due: list[K] = []
        while len(due) < limit:
            next_s = self.next_s()
            if next_s is None or next_s > now_s:
                break
            key = heapq.heappop(self._heap)[2]
            del self._due_s[key]
            due.append(key)
        return due
