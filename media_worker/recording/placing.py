"""Where on the recording clock a speaker's packets belong."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from spaces_contract.media import SAMPLE_RATE_HZ

WINDOW_S: Final = 4.0  # the fastest packet of this long is "in time": tracks drift
# A sender's clock that runs 100 ppm off is this late after 100 s of unbroken talk.
HOP_SAMPLES: Final = SAMPLE_RATE_HZ // 100
JUMP_S: Final = 1.0  # transit changes of this size are another timeline
LATE_S: Final = 10.0  # no packet of one timeline comes so late
_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPacket:
    """
    One Opus packet on its sender's own timeline, which does not wrap.

    Args:
        at: First sample at 48 kHz.
        samples: How long it is.
    """

    at: int
    samples: int
    payload: bytes


class Placing:
    """
    Maps one sender's RTP time to the recording clock, both in samples at 48 kHz.

    The two clocks share no zero, and drift; the fastest of the recent packets tells
    how far they are apart.  Lifecycle: one timeline; `observe` says when it is over.
    """

    def __init__(self) -> None:
        self._transits: deque[tuple[int, int]] = deque()  # rising minima
        self._latest: int | None = None  # unwrapped timestamp
        self._offset: int | None = None

    def observe(self, timestamp: int, arrival: int) -> int | None:
        """
        Take a packet; return its unwrapped timestamp, None: of another timeline.

        Args:
            timestamp: 32 bits, of the packet's first sample.
            arrival: Recording clock at which it came.
        """
        at = self._unwrapped(timestamp)
        transit, window = arrival - at, self._transits
        if window and abs(transit - window[-1][1]) > JUMP_S * SAMPLE_RATE_HZ:
            behind = 0 if self._latest is None else self._latest - at
            # Older than what came before it: very late, and no new beginning.
            return at if 0 < behind < LATE_S * SAMPLE_RATE_HZ else None
        self._latest = at if self._latest is None else max(at, self._latest)
        while window and window[-1][1] >= transit:
            window.pop()
        window.append((arrival, transit))
        while window[0][0] < arrival - WINDOW_S * SAMPLE_RATE_HZ:
            window.popleft()
        return at

    def position(self, at: int, *, follows: bool) -> int:
        """
        Return where on the recording clock a packet at `at` is to be heard.

        Args:
            follows: It continues what was placed before, so that it moves only when
                the clocks have come apart by `HOP_SAMPLES`.
        """
        measured = self._transits[0][1]
        kept = follows and self._offset is not None
        if not kept or abs(measured - (self._offset or 0)) > HOP_SAMPLES:
            self._offset = measured
        return at + (self._offset or 0)

    def _unwrapped(self, timestamp: int) -> int:
        if self._latest is None:
            return timestamp
        ahead = (timestamp - self._latest) % _WRAP
        return self._latest + (ahead if ahead < _WRAP // 2 else ahead - _WRAP)
