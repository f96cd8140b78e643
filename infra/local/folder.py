"""The data folder: all that the embedded cloud must remember, owned by one process."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from .refusals import StartRefused


@dataclass(frozen=True, slots=True)
class DataFolder:
    """
    Paths below one root, `.local` by default.

    Args:
        root: Absolute path.
        s3: Objects are reached by an S3 that keeps them here, one bucket a folder.
    """

    root: Path
    s3: bool = False

    @property
    def keys(self) -> Path:
        """Signing keys and certificates, readable by their owner alone."""
        return self.root / "keys"

    @property
    def logs(self) -> Path:
        """One log for each child process."""
        return self.root / "logs"

    @property
    def objects(self) -> Path:
        """The local object store; `live/` below it is served to the public."""
        return self.root / "objects"

    @property
    def recording_keys(self) -> Path:
        """Store of wrapped recording keys, apart from what they open."""
        return self.root / "recording_keys"

    @property
    def objects_url(self) -> str:
        """The local object store, for those who write to it."""
        return self._store_url(self.objects)

    @property
    def recording_keys_url(self) -> str:
        """The store of wrapped recording keys, for those who write to it."""
        return self._store_url(self.recording_keys)

    @property
    def key_encryption(self) -> Path:
        """What wraps recording keys; only those who may pass `keys` see it."""
        return self.keys / "recording"

    @property
    def spool(self) -> Path:
        """Where workers keep pages that no store has yet."""
        return self.root / "spool"

    @property
    def firestore(self) -> Path:
        """Database of the embedded Firestore."""
        return self.root / "firestore"

    @property
    def tasks(self) -> Path:
        """Database of the embedded Cloud Tasks."""
        return self.root / "tasks"

    @property
    def push(self) -> Path:
        """What the push sink was sent."""
        return self.root / "push"

    def _store_url(self, folder: Path) -> str:
        return f"s3://{folder.name}" if self.s3 else folder.as_uri()

    def create(self) -> None:
        """
        Make every folder that is not there yet.

        Raises:
            StartRefused: a folder cannot be made or written to.
        """
        folders = (
            *(self.logs, self.objects, self.firestore, self.tasks, self.push),
            *(self.spool, self.key_encryption),
        )
        private = (self.keys, self.recording_keys)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in private:
                folder.mkdir(mode=0o700, exist_ok=True)
            for folder in folders:
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StartRefused(
                f"cannot write to the data folder {self.root}: {error.strerror}"
            ) from error
        for folder in (self.root, *private, *folders):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise StartRefused(
                    f"cannot write to the data folder {folder}: Permission denied"
                )

    def lock(self) -> int:
        """
        Take the folder for this process until it ends, however it ends.

        Returns:
            The descriptor that holds the lock; closing it gives the folder back.

        Raises:
            StartRefused: another process holds it, or it cannot be written to.
        """
        path = self.root / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartRefused(
                f"cannot write to the data folder {self.root}: {error.strerror}"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise StartRefused(
                f"another instance already runs on the data folder {self.root}"
            ) from error
        return descriptor
