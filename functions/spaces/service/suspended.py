"""Who is suspended, which every call wants to know."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from spaces_contract.ids import UserId

from ..domain.errors import AccountSuspended, Unavailable
from .operators_ports import SuspensionStore

KNOWN_FOR_S: Final = 30.0  # how long a suspension may take to reach every instance


@dataclass(slots=True)
class SuspendedPeople:
    """
    Who is suspended, as this instance last read it: no read for each call.

    One caller reads anew while the others go by what was known; where nothing can be
    read, all of them do.

    Args:
        monotonic: Seconds of a clock that never goes back.
    """

    store: SuspensionStore
    monotonic: Callable[[], float]
    _known: frozenset[UserId] | None = None
    _read_anew_at_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def must_not_have(self, user_id: UserId) -> None:
        """
        Return if they may act.

        Raises:
            AccountSuspended: the operator has shut them out.
            DependencyUnavailable: nobody ever knew whether.
        """
        if user_id in self._current():
            raise AccountSuspended

    def forget(self) -> None:
        """Read again before the next answer."""
        with self._lock:
            self._known = None

    def _current(self) -> frozenset[UserId]:
        with self._lock:
            known, now_s = self._known, self.monotonic()
            if known is not None and now_s < self._read_anew_at_s:
                return known
            self._read_anew_at_s = now_s + KNOWN_FOR_S
        # Without the lock: where the store is silent, nobody else waits for it.
        try:
            found = self.store.all()
        except Unavailable:
            if known is None:
                raise
            return known
        with self._lock:
            self._known = found
        return found
