"""Keeps sealed pages on the local disk until they are stored."""

import errno
import os
from pathlib import Path
from typing import Final

from spaces_contract.recording import RecordingId, StemId
from spaces_contract.recording_objects import parse_stem_object, recording_prefix

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
            found += [str(base / file) for file in files if not file.endswith(".new")]
        return sorted(found)

    def erase(self, recording_id: RecordingId, stem: StemId) -> None:
        """Delete all pages of a stem."""
        for name in self.names(recording_id):
            item = parse_stem_object(name)
            if item is not None and item.stem == stem:
                self.stored(name)


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
