"""Writes `room.json` to the object store."""

import asyncio
import contextlib
import json
import logging
from typing import Final

import obstore
from obstore.store import ObjectStore, from_url

from spaces_contract.paths import room_object
from spaces_contract.room_state import MAX_ROOM_JSON_BYTES, RoomState

logger = logging.getLogger(__name__)

ATTRIBUTES: Final = {
    "Content-Type": "application/json",
    "Cache-Control": "public, max-age=1",
}
ATTEMPTS: Final = 3
ATTEMPT_TIMEOUT_S: Final = 2.0
RETRY_S: Final = 0.5
LOCAL_SCHEME: Final = "file://"


class StoredRoomJson:
    """
    `RoomPublisher` on any store that obstore knows; objects are replaced atomically.

    Args:
        url: "file:///…", "s3://…", "gs://…"; local folders are made where missing.
        retry_s: Pause before the second attempt; it doubles for the third.

    Attributes:
        failures: How many versions could not be written.
    """

    def __init__(self, url: str, *, retry_s: float = RETRY_S) -> None:
        # Folders know neither content types nor cache lifetimes: whoever serves
        # them sets both.
        local = url.startswith(LOCAL_SCHEME)
        self._store: ObjectStore = from_url(url, mkdir=True) if local else from_url(url)
        self._attributes = None if local else ATTRIBUTES
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
            if await self._put(room_object(room.space_id, room.epoch), body):
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

    async def _put(self, path: str, body: bytes) -> bool:
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                await obstore.put_async(
                    self._store, path, body, attributes=self._attributes
                )
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            logger.warning(
                "room.json not written", extra={"error": type(error).__name__}
            )
            return False
        return True
