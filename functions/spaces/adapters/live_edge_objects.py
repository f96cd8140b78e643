"""The live edge, in any store that obstore knows."""

from typing import Final

import obstore
from obstore.store import ObjectStore

from spaces_contract.ids import SPACE_ID_PATTERN, SpaceId
from spaces_contract.paths import live_edge

from .object_stores import store_errors

ROOT: Final = live_edge("").rstrip("/")  # what all Spaces' prefixes begin with


class StoredLiveEdge:
    """`LiveEdgeObjects` in one store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def erase(self, space_id: SpaceId) -> int:
        """List, delete, and list again; see `LiveEdgeObjects`."""
        erased = 0
        with store_errors():
            while names := self._names(live_edge(space_id)):
                try:
                    obstore.delete(self._store, names)
                except FileNotFoundError:  # by another task: see what is left
                    continue
                erased += len(names)
        return erased

    def space_ids(self) -> list[SpaceId]:
        """List one level; see `LiveEdgeObjects`."""
        with store_errors():
            found = obstore.list_with_delimiter(self._store, ROOT)["common_prefixes"]
        names = [prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in found]
        return [SpaceId(name) for name in names if SPACE_ID_PATTERN.fullmatch(name)]

    def _names(self, prefix: str) -> list[str]:
        pages = obstore.list(self._store, prefix)
        return [entry["path"] for page in pages for entry in page]
