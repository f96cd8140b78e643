"""Moves finished files from the spool to the store."""

import asyncio
import logging
from collections.abc import Callable, Set
from typing import Final

import obstore
from obstore.store import ObjectStore

from spaces_contract.recording import RecordingId, StemId
from spaces_contract.recording_objects import parse_stem_object

from ..room.clock import Clock
from .spool import Spool
from .stores import StemKeys, StoreErrors, erase_stem

logger = logging.getLogger(__name__)

PUT_TIMEOUT_S: Final = 30.0
AT_ONCE: Final = 16  # a store that takes 10 s per object keeps up with a full stage
PAUSE_S: Final = 3.0  # after a failure, before anything is tried again


class Uploads:
    """
    Stores spooled files; each is forgotten here once the store has it.

    What fails is tried again by a later `run`, which may overlap earlier ones.

    Attributes:
        failures: Puts that failed.
    """

    def __init__(
        self, store: ObjectStore, keys: StemKeys, spool: Spool, *, clock: Clock
    ) -> None:
        self._store = store
        self._keys = keys
        self._spool = spool
        self._clock = clock
        self._paused_until_s = 0.0
        self._erased: set[StemId] = set()
        self._busy: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.failures = 0

    async def run(
        self, recording_id: RecordingId, *, growing: Callable[[list[str]], Set[str]]
    ) -> None:
        """
        Store what lies in the spool of a recording.

        Args:
            growing: Given what lies there, says which of it is not complete; asked
                after the look: a file that was begun later must not be taken.
        """
        if self._clock.now_s() < self._paused_until_s:
            return
        found = await self.waiting(recording_id)
        taken = growing(found) | self._busy
        ready = [name for name in found if name not in taken][:AT_ONCE]
        self._busy.update(ready)
        try:
            await asyncio.gather(*(self._store_one(name) for name in ready))
        finally:
            self._busy.difference_update(ready)

    async def waiting(self, recording_id: RecordingId) -> list[str]:
        """Return the names of all that is not stored yet."""
        return await asyncio.to_thread(self._spool.names, recording_id)

    async def copy(self, name: str, data: bytes) -> None:
        """
        Store what is to be known of a file that goes on growing; failures are counted.

        `run` leaves it alone meanwhile: a copy that arrives late replaces no later one.
        """
        if name in self._busy:
            return
        self._busy.add(name)
        try:
            await self._put(name, data)
        finally:
            self._busy.discard(name)

    async def erase(self, recording_id: RecordingId, stem: StemId) -> None:
        """
        Delete a stem's keys and objects; one that is on its way is deleted on arrival.

        Raises:
            StoreErrors: some may be left.
        """
        self._erased.add(stem)
        await erase_stem(self._store, self._keys, recording_id, stem)

    async def _store_one(self, name: str) -> None:
        async with self._slots:
            data = await asyncio.to_thread(self._spool.read, name)
            if data is None or not await self._put(name, data):
                return
        item = parse_stem_object(name)
        if item is not None and item.stem in self._erased:
            await self._delete(name)
        await asyncio.to_thread(self._spool.stored, name)

    async def _delete(self, name: str) -> None:
        try:
            await obstore.delete_async(self._store, name)
        except StoreErrors as error:  # functions erase once more, for such a case
            logger.error("not deleted", extra={"error": type(error).__name__})

    async def _put(self, name: str, data: bytes) -> bool:
        try:
            async with asyncio.timeout(PUT_TIMEOUT_S):
                await obstore.put_async(self._store, name, data)
        except StoreErrors as error:
            self.failures += 1
            self._paused_until_s = self._clock.now_s() + PAUSE_S
            logger.warning("not stored", extra={"error": type(error).__name__})
            return False
        return True
