"""What one listener heard over all sessions, and what was missing in each minute."""

import struct
from collections.abc import Sequence
from typing import Final

from tests.light_clients import ArrivalLog

GAP_S: Final = 0.2  # what a player's buffer hides
MINUTE_S: Final = 60.0
PATIENT_S: Final = 30.0
SHORTEST_S: Final = 20.0  # of a last minute that is not a whole one
MISSING_SHARE: Final = 0.01
FRAME_SAMPLES: Final = 960
RATE_HZ: Final = 48_000
_HALF: Final = 1 << 31

Interval = tuple[float, float]


class HearingLog(ArrivalLog):
    """
    Arrivals of one listener, whatever session they came by; times are since 1970.

    Args:
        counts_loss: Whether a packet that never came is our loss; on a network that
            loses some by itself it is not.

    Attributes:
        holes: Intervals without sound: no packet for longer than `GAP_S`, or packets
            that never came.
        came_s: When this listener came; 0 where nobody said.
        session_first_s: The first packet of this session; 0 before it.
        closed_s: When this listener left; 0 before that.
    """

    def __init__(self, *, counts_loss: bool = True) -> None:
        super().__init__()
        self.counts_loss = counts_loss
        self.holes: list[Interval] = []
        self.came_s = 0.0
        self.session_first_s = 0.0
        self.closed_s = 0.0
        self._timestamp: int | None = None

    def come(self, at_s: float) -> None:
        """Want to hear from here on."""
        self.came_s = at_s

    def new_session(self) -> None:
        """Expect other time stamps from here on."""
        self.session_first_s = 0.0
        self._timestamp = None

    def packet(self, at_s: float, data: bytes) -> None:
        """Take one RTP packet."""
        if self.closed_s:
            return
        (timestamp,) = struct.unpack_from("!I", data, 4)
        if not self.session_first_s:
            self.session_first_s = at_s
        if self.packets and at_s - self.last_s > GAP_S:
            self.holes.append((self.last_s, at_s))
        elif self._timestamp is not None and self.counts_loss:
            self._note_loss(at_s, (timestamp - self._timestamp) % (2 * _HALF))
        self._timestamp = timestamp
        self.note(at_s)

    def _note_loss(self, at_s: float, step: int) -> None:
        if FRAME_SAMPLES < step < _HALF:
            self.holes.append((at_s - (step - FRAME_SAMPLES) / RATE_HZ, at_s))

    def close(self, at_s: float) -> None:
        """Listen no longer; a silence that goes on just now counts."""
        if self.closed_s:
            return
        self.closed_s = at_s
        last_s = self.last_s if self.packets else self.came_s
        if last_s and at_s - last_s > GAP_S:
            self.holes.append((last_s, at_s))

    def minutes(self, losses: Sequence[float]) -> list[float]:
        """
        Judge each minute that was listened to, the last if it is long enough.

        Args:
            losses: When a worker of the Space was lost; the silence that this made is
                judged by itself.

        Returns:
            1 for each minute that misses no more than a hundredth, 0 for the others.
        """
        holes = [hole for hole in self.holes if not _is_of(hole, losses)]
        found = []
        start_s = self.first_s if self.packets else self.came_s
        while start_s and self.closed_s - start_s >= SHORTEST_S:
            end_s = min(start_s + MINUTE_S, self.closed_s)
            missing_s = sum(overlap(hole, (start_s, end_s)) for hole in holes)
            found.append(float(missing_s <= MISSING_SHARE * (end_s - start_s)))
            start_s = end_s
        return found  # what is left over is too short to be judged

    def recoveries(self, losses: Sequence[float]) -> list[float]:
        """
        Return for each loss that was heard, how long until there was sound again.

        Who left soon after it does not know; who waited for long and left counts.
        """
        found = []
        for lost_s in losses:
            ends_s = [hole[1] for hole in self.holes if _is_of(hole, [lost_s])]
            gave_up = self.closed_s in ends_s and ends_s[0] - lost_s < PATIENT_S
            if ends_s and not gave_up:
                found.append(max(ends_s) - lost_s)
        return found


def _is_of(hole: Interval, losses: Sequence[float]) -> bool:
    """Return whether a loss fell into a silence, or just before its last packets."""
    start_s, end_s = hole
    return any(start_s - GAP_S <= lost_s < end_s for lost_s in losses)


def overlap(one: Interval, other: Interval) -> float:
    """Return how long two intervals have in common, in seconds."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
