"""Opens the stores that a worker's or a render's configuration names."""

from dataclasses import dataclass
from pathlib import Path

from obstore.store import ObjectStore

from ..room.clock import Clock
from .epoch_recording import Storage
from .key_encryption import key_encryption
from .spool import Spool
from .stores import KEYS_RETRY_S, StemKeys, open_store
from .uploads import Uploads


@dataclass(frozen=True, slots=True)
class Stores:
    """
    What recordings are made of, wherever that lies.

    Args:
        objects: Stems, and what is rendered of them.
        keys: The data keys of stems.
        spool: This machine's.
    """

    objects: ObjectStore
    keys: StemKeys
    spool: Spool

    def storage(self, clock: Clock) -> Storage:
        """Return what a recorder writes to."""
        uploads = Uploads(self.objects, self.keys, self.spool, clock=clock)
        return Storage(keys=self.keys, uploads=uploads, spool=self.spool)


def open_stores(
    *, recordings_url: str, keys_url: str, key_encryption_url: str, spool_dir: Path
) -> Stores:
    """
    Open them; local ones are made where missing.

    Raises:
        OSError: a local folder cannot be had.
        UnknownKeyEncryption: the last URL names no way of wrapping keys.
    """
    return Stores(
        open_store(recordings_url),
        StemKeys(
            open_store(keys_url, retry_s=KEYS_RETRY_S),
            key_encryption(key_encryption_url),
        ),
        Spool(spool_dir),
    )
