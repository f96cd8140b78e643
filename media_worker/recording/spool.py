"""Keeps sealed pages on the local disk until they are stored."""

import contextlib
import errno
import fcntl
import logging
import os
from pathlib import Path
from typing import Final

from spaces_contract.recording import RecordingId, StemId
from spaces_contract.recording_objects import (
    journal_epoch,
    parse_stem_object,
    recording_prefix,
)

logger = logging.getLogger(__name__)

_NO_OBJECTS: Final = (".new", ".lock")
MAX_SPOOL_BYTES: Final = 256 * 1024 * 1024  # an hour of 13 who talk all the time


class SpoolFull(Exception):
    """The disk, or our share of it, is full."""


class Spool:
    """
    Files named as the objects that they will be; a file is gone once it is stored.

    All calls may block.  What was appended survives the end of the process.

    Args:
        root: Folder of this machine's spool; several workers may share it.
        limit_bytes: More than this is refused.
    """

    def __init__(self, root: Path, *, limit_bytes: int = MAX_SPOOL_BYTES) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._holds: dict[Path, int] = {}  # descriptors

    def hold(self, recording_id: RecordingId, epoch: int) -> None:
        """
        Tell other processes that an epoch's files here grow, until this one ends.

        Nothing is to be written before.  Where that cannot be told, it is logged.
        """
        path = self._lock(recording_id, epoch)
        if path in self._holds:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._holds[path] = _locked(path)
        except OSError as error:
            logger.error("spool not held", extra={"reason": str(error)})

    def release(self, recording_id: RecordingId, epoch: int) -> None:
        """End `hold`: what is still here of that epoch does not grow any more."""
        path = self._lock(recording_id, epoch)
        descriptor = self._holds.pop(path, None)
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def holders(self, recording_id: RecordingId) -> dict[int, bool]:
        """Return the epochs that were held and not released: whether they still are."""
        found = self._locks(recording_id)
        return {int(path.stem): self._is_held(path) for path in found}

    def forget_dead(self, recording_id: RecordingId) -> None:
        """
        Forget the epochs of processes that were killed, once nothing of them is here.

        Until then it is told by `holders` that their files do not grow any more.  Looks
        once: what is left of others just now, or held, is for the next call.
        """
        left = {epoch_of(name) for name in self.names(recording_id)}
        for path in self._locks(recording_id):
            if path not in self._holds and int(path.stem) not in left:
                with contextlib.suppress(OSError):  # it is held, or gone
                    _delete_unlocked(path)

    def _is_held(self, path: Path) -> bool:
        if path in self._holds:
            return True
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _lock(self, recording_id: RecordingId, epoch: int) -> Path:
        return self._root / recording_prefix(recording_id) / f"{epoch}.lock"

    def _locks(self, recording_id: RecordingId) -> list[Path]:
        return list((self._root / recording_prefix(recording_id)).glob("*.lock"))

    def append(self, name: str, data: bytes) -> None:
        """
        Add to a file.

        Raises:
            SpoolFull: nothing was added that a reader would see.
        """
        if self._bytes + len(data) > self._limit_bytes:
            raise SpoolFull("limit")
        path = self._root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append_whole(path, data)
        except OSError as error:
            raise SpoolFull(str(error)) from error
        self._bytes += len(data)

    def replace(self, name: str, data: bytes) -> None:
        """
        Write a file anew, whole or not at all.

        Raises:
            SpoolFull: it is as it was.
        """
        path = self._root / name
        temporary = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError as error:
            raise SpoolFull(str(error)) from error

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or None where it is gone."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def stored(self, name: str) -> None:
        """Forget a file; one that is gone is ignored."""
        path = self._root / name
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return
        self._bytes = max(0, self._bytes - size)

    def names(self, recording_id: RecordingId) -> list[str]:
        """Return what lies here of a recording, sorted."""
        found = []
        for folder, _, files in os.walk(self._root / recording_prefix(recording_id)):
            base = Path(folder).relative_to(self._root)
            found += [
                str(base / file) for file in files if not file.endswith(_NO_OBJECTS)
            ]
        return sorted(found)

    def erase(self, recording_id: RecordingId, stem: StemId) -> None:
        """Delete all pages of a stem."""
        for name in self.names(recording_id):
            item = parse_stem_object(name)
            if item is not None and item.stem == stem:
                self.stored(name)


def epoch_of(name: str) -> int:
    """Return who writes a file; 0 where its name does not tell."""
    item = parse_stem_object(name)
    return (item.epoch if item else journal_epoch(name)) or 0


def _locked(path: Path) -> int:
    """Return a descriptor with a lock on the file at `path`, made where none is."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits for a look of others
            if _is_at(path, descriptor):
                return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # they took it for that of a killed process


def _delete_unlocked(path: Path) -> None:
    """Delete a file that nobody has locked; raises OSError."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(path, descriptor):  # else it is another by now, and may be locked
            path.unlink()
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that is found at `path`."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _append_whole(path: Path, data: bytes) -> None:
    """Add all of `data`, or leave the file as it was."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, "written in part")
    finally:
        os.close(descriptor)
