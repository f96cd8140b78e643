"""The two object stores of recordings, and the data keys in one of them."""

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from spaces_contract import recording_objects as names
from spaces_contract.recording import RecordingId, StemId

from .key_encryption import KeyEncryption, KeyLost, WrappedKey
from .sealing import StemPlace

if TYPE_CHECKING:  # a shape of obstore's stubs: no such name at run time
    from obstore.store import RetryConfig

logger = logging.getLogger(__name__)

LOCAL_SCHEME: Final = "file://"
StoreErrors: Final = (BaseError, OSError, TimeoutError)
OBJECTS_RETRY_S: Final = 60.0
KEYS_RETRY_S: Final = 5.0  # whoever waits for a key is not recorded meanwhile
WRAPS_AT_ONCE: Final = 2  # a key service that hangs leaves threads to the disk


def open_store(url: str, *, retry_s: float = OBJECTS_RETRY_S) -> ObjectStore:
    """
    Open "file:///…", "s3://…" or "gs://…"; local folders are made where missing.

    Every call of a store on the network ends: a request takes 30 s at most (where the
    environment's AWS_TIMEOUT or GOOGLE_TIMEOUT says nothing else); one that times out,
    breaks off or is answered by 5xx is sent again; then comes one of `StoreErrors`.

    Args:
        retry_s: So long after the first request none is sent again.
    """
    if url.startswith(LOCAL_SCHEME):
        return from_url(url, mkdir=True)
    # Not `client_options`: they would replace what the environment says of the client.
    retry: RetryConfig = {"retry_timeout": timedelta(seconds=retry_s)}
    return from_url(url, retry_config=retry)


def object_names(store: ObjectStore, prefix: str) -> list[str]:
    """Return the names of all objects below `prefix`, sorted; blocks."""
    return sorted(
        item["path"] for batch in obstore.list(store, prefix) for item in batch
    )


class StemKeys:
    """
    Data keys, wrapped, in the store that keeps no old versions.

    A room puts and erases them, and holds no thread while the store does not answer;
    whoever gets one waits for it.
    """

    def __init__(self, store: ObjectStore, encryption: KeyEncryption) -> None:
        self._store = store
        self._encryption = encryption
        self._wraps = asyncio.Semaphore(WRAPS_AT_ONCE)

    async def put(self, place: StemPlace, key: bytes) -> None:
        """
        Store a new key.

        Raises:
            StoreErrors, KeyServiceDown: not stored, or not known to be.
        """
        async with self._wraps:
            wrapped = await asyncio.to_thread(
                self._encryption.wrap, key, context=_context(place)
            )
        name = names.stem_key(place.recording_id, place.stem, place.epoch)
        await obstore.put_async(self._store, name, wrapped.to_bytes())

    def get(self, place: StemPlace) -> bytes:
        """
        Return a key; blocks.

        Raises:
            KeyLost: it was erased, or what wrapped it is gone.
            StoreErrors, KeyServiceDown: not to be had just now.
        """
        name = names.stem_key(place.recording_id, place.stem, place.epoch)
        try:
            data = bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            raise KeyLost("no such key") from error
        return self._encryption.unwrap(
            WrappedKey.from_bytes(data), context=_context(place)
        )

    async def erase(self, recording_id: RecordingId, stem: StemId) -> None:
        """
        Delete all keys of a stem.

        Raises:
            StoreErrors: some may be left.
        """
        prefix = names.stem_keys(recording_id, stem)
        await _delete(self._store, await _names_below(self._store, prefix))


async def erase_stem(
    store: ObjectStore, keys: StemKeys, recording_id: RecordingId, stem: StemId
) -> None:
    """
    Delete a stem's keys, then its objects of every version and epoch.

    Raises:
        StoreErrors: some may be left; doing it again does no harm.
    """
    await keys.erase(recording_id, stem)
    found = await _names_below(store, names.recording_prefix(recording_id))
    items = ((name, names.parse_stem_object(name)) for name in found)
    await _delete(store, [name for name, item in items if item and item.stem == stem])


async def _names_below(store: ObjectStore, prefix: str) -> list[str]:
    return [item["path"] for item in await obstore.list(store, prefix).collect_async()]


async def _delete(store: ObjectStore, paths: list[str]) -> None:
    for path in paths:
        try:
            await obstore.delete_async(store, path)
        except FileNotFoundError:
            logger.info("already deleted", extra={"object": path})


def _context(place: StemPlace) -> bytes:
    return f"{place.recording_id}/{place.stem}/{place.epoch}".encode()
