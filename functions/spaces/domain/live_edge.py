"""When what a Space had on the live edge is deleted: at numbered instants."""

from datetime import UTC, datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId

from .effects import SweepLiveEdge

# Later than any worker writes: it knows of the end, or knows that it knows nothing.
GRACE: Final = timedelta(seconds=60)
STEP_S: Final = 30


def first_sweep(space_id: SpaceId, *, ended_at: datetime) -> SweepLiveEdge:
    """Return the sweep of a Space that is over, the same whoever asks for it."""
    return next_sweep(space_id, after=ended_at + GRACE)


def next_sweep(space_id: SpaceId, *, after: datetime) -> SweepLiveEdge:
    """Return the first sweep that is due after that time; numbered by the clock."""
    n = int(after.timestamp() // STEP_S) + 1
    return SweepLiveEdge(space_id, n, datetime.fromtimestamp(n * STEP_S, UTC))
