"""The two object stores of recordings, and the data keys in one of them."""

import logging
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from spaces_contract import recording_objects as names
from spaces_contract.recording import RecordingId, StemId

from .key_encryption import KeyEncryption, KeyLost, WrappedKey
from .sealing import StemPlace

logger = logging.getLogger(__name__)

LOCAL_SCHEME: Final = "file://"
StoreErrors: Final = (BaseError, OSError, TimeoutError)


def open_store(url: str) -> ObjectStore:
    """Open "file:///…", "s3://…" or "gs://…"; local folders are made where missing."""
    return from_url(url, mkdir=True) if url.startswith(LOCAL_SCHEME) else from_url(url)


def object_names(store: ObjectStore, prefix: str) -> list[str]:
    """Return the names of all objects below `prefix`, sorted."""
    return sorted(
        item["path"] for batch in obstore.list(store, prefix) for item in batch
    )


class StemKeys:
    """
    Data keys, wrapped, in the store that keeps no old versions.  Calls may block.
    """

    def __init__(self, store: ObjectStore, encryption: KeyEncryption) -> None:
        self._store = store
        self._encryption = encryption

    def put(self, place: StemPlace, key: bytes) -> None:
        """
        Store a new key.

        Raises:
            StoreErrors, KeyServiceDown: not stored, or not known to be.
        """
        wrapped = self._encryption.wrap(key, context=_context(place))
        name = names.stem_key(place.recording_id, place.stem, place.epoch)
        obstore.put(self._store, name, wrapped.to_bytes())

    def get(self, place: StemPlace) -> bytes:
        """
        Return a key.

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

    def erase(self, recording_id: RecordingId, stem: StemId) -> None:
        """
        Delete all keys of a stem.

        Raises:
            StoreErrors: some may be left.
        """
        prefix = names.stem_keys(recording_id, stem)
        _delete(self._store, object_names(self._store, prefix))


def erase_stem(
    store: ObjectStore, keys: StemKeys, recording_id: RecordingId, stem: StemId
) -> None:
    """
    Delete a stem's keys, then its objects of every version and epoch.

    Raises:
        StoreErrors: some may be left; doing it again does no harm.
    """
    keys.erase(recording_id, stem)
    prefix = names.recording_prefix(recording_id)
    found = ((n, names.parse_stem_object(n)) for n in object_names(store, prefix))
    _delete(store, [name for name, item in found if item and item.stem == stem])


def _delete(store: ObjectStore, paths: list[str]) -> None:
    for path in paths:
        try:
            obstore.delete(store, path)
        except FileNotFoundError:
            logger.info("already deleted", extra={"object": path})


def _context(place: StemPlace) -> bytes:
    return f"{place.recording_id}/{place.stem}/{place.epoch}".encode()
