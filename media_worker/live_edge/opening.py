"""Composes HLS of one worker."""

from collections.abc import Callable, Set
from datetime import UTC, datetime

from spaces_contract.ids import UserId

from ..room.clock import Clock
from .edge_store import EdgeStore
from .hls_broadcast import HlsBroadcast
from .key_objects import KeyObjects
from .live_objects import LiveObjects
from .segment_keys import SegmentKeys


def open_hls(
    space_id: str,
    epoch: int,
    store: EdgeStore,
    *,
    keys_url: str | None,
    clock: Clock,
    fresh: Callable[[], bool],
    removed: Callable[[], Set[UserId]],
) -> HlsBroadcast:
    """
    Return HLS that nobody wants yet; see `HlsBroadcast`.

    Args:
        keys_url: Store of keys for a CDN; None: there is none.
    """
    keys = SegmentKeys(f"{space_id}/{epoch}")
    key_objects = None
    if keys_url is not None:
        key_objects = KeyObjects(space_id, epoch, keys, EdgeStore(keys_url))
    return HlsBroadcast(
        LiveObjects(space_id, epoch, store, clock=clock),
        keys,
        key_objects=key_objects,
        epoch=epoch,
        clock=clock,
        utc_now=lambda: datetime.now(UTC),
        fresh=fresh,
        removed=removed,
    )
