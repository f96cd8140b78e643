"""The live edge, in any store that obstore knows."""

from typing import Final

import obstore
from obstore.store import ObjectStore

from spaces_contract.ids import SPACE_ID_PATTERN, SpaceId
from spaces_contract.paths import live_edge, live_keys

from .object_stores import erase_below, store_errors

ROOT: Final = live_edge("").rstrip("/")  # what all Spaces' prefixes begin with


class StoredLiveEdge:
    """
    `LiveEdgeObjects` in one store, or in two.

    Args:
        keys: Where keys are that a CDN serves; never the store of what they open.
    """

    def __init__(self, store: ObjectStore, keys: ObjectStore | None = None) -> None:
        self._store = store
        self._keys = keys

    def erase(self, space_id: SpaceId) -> int:
        """Keys first: without them the rest is noise; see `LiveEdgeObjects`."""
        keys = 0 if self._keys is None else erase_below(self._keys, live_keys(space_id))
        return keys + erase_below(self._store, live_edge(space_id))

    def space_ids(self) -> list[SpaceId]:
        """List one level; see `LiveEdgeObjects`."""
        with store_errors():
            found = obstore.list_with_delimiter(self._store, ROOT)["common_prefixes"]
        names = [prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in found]
        return [SpaceId(name) for name in names if SPACE_ID_PATTERN.fullmatch(name)]
