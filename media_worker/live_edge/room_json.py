"""Writes `room.json` to the object store."""

import asyncio
import contextlib
import json
import logging
from typing import Final

from spaces_contract.paths import room_object
from spaces_contract.room_state import MAX_ROOM_JSON_BYTES, RoomState

from .edge_store import EdgeStore

logger = logging.getLogger(__name__)

ATTRIBUTES: Final = {
    "Content-Type": "application/json",
    "Cache-Control": "public, max-age=1",
}
ATTEMPTS: Final = 3
RETRY_S: Final = 0.5


class StoredRoomJson:
    """
    `RoomPublisher` on the store of the live edge; objects are replaced atomically.

    Args:
        retry_s: Pause before the second attempt; it doubles for the third.

    Attributes:
        failures: How many versions could not be written.
    """

    def __init__(self, store: EdgeStore, *, retry_s: float = RETRY_S) -> None:
        self._store = store
        self._retry_s = retry_s
        self._finishing = asyncio.Event()
        self.failures = 0

    async def publish(self, room: RoomState) -> None:
        """Write one version; after `ATTEMPTS` failures the next one has to do."""
        body = json.dumps(
            room.to_json(), separators=(",", ":"), ensure_ascii=False
        ).encode()
        if len(body) > MAX_ROOM_JSON_BYTES:
            logger.error("room.json too large", extra={"bytes": len(body)})
            self.failures += 1
            return
        for attempt in range(1, ATTEMPTS + 1):
            name = room_object(room.space_id, room.epoch)
            if await self._store.try_put(name, body, kind=ATTRIBUTES):
                return
            if attempt < ATTEMPTS:
                await self._pause(self._retry_s * attempt)
            if self._finishing.is_set():
                break
        self.failures += 1

    def finish(self) -> None:
        """Let the attempt that runs, and one for each later version, be the last."""
        self._finishing.set()

    async def _pause(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._finishing.wait()
