"""When a Space's worker is looked after: every 5 s, at numbered instants."""

import zlib
from datetime import UTC, datetime
from typing import Final

from spaces_contract.ids import SpaceId

from .effects import CheckWorker

WATCH_INTERVAL_S: Final = 5
DRAIN_S: Final = 10.0  # what a worker gets to leave by itself when its Space ends


def next_check(space_id: SpaceId, *, epoch: int, now: datetime) -> CheckWorker:
    """
    Return the first look that is due after `now`.

    Looks are numbered by the clock, not by counting, so that everybody who asks
    for the next one names the same task: two chains for one Space run into one,
    and a broken chain is mended by asking again.
    """
    phase_s = _phase_s(space_id)
    n = int((now.timestamp() - phase_s) // WATCH_INTERVAL_S) + 1
    at = datetime.fromtimestamp(n * WATCH_INTERVAL_S + phase_s, UTC)
    return CheckWorker(space_id, epoch, n, at)


def _phase_s(space_id: SpaceId) -> float:
    """Spread Spaces over the interval, or all would be looked after at once."""
    return zlib.crc32(space_id.encode()) % (WATCH_INTERVAL_S * 1000) / 1000
