"""Composes HLS of one worker."""

from collections.abc import Callable, Set
from datetime import UTC, datetime

from spaces_contract.ids import UserId

from ..room.clock import Clock
from .edge_store import EdgeStore
from .hls_broadcast import HlsBroadcast
from .live_objects import LiveObjects
from .segment_keys import SegmentKeys


def open_hls(
    space_id: str,
    epoch: int,
    store: EdgeStore,
    *,
    clock: Clock,
    fresh: Callable[[], bool],
    removed: Callable[[], Set[UserId]],
) -> HlsBroadcast:
    """Return HLS that nobody wants yet; see `HlsBroadcast`."""
    return HlsBroadcast(
        LiveObjects(space_id, epoch, store, clock=clock),
        SegmentKeys(f"{space_id}/{epoch}"),
        epoch=epoch,
        clock=clock,
        utc_now=lambda: datetime.now(UTC),
        fresh=fresh,
        removed=removed,
    )
