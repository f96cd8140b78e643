"""A job's temporary files: gone when it ends, and when it was killed with the next."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PREFIX: Final = "parley-job-"


@contextmanager
def job_folder(parent: Path | None = None) -> Iterator[Path]:
    """
    Have a folder until the block ends; those of jobs that were killed are deleted.

    Each is locked by its job: the lock ends with the process, however that ends.

    Args:
        parent: Of several jobs at once; None: the machine's for temporary files.

    Raises:
        OSError: it cannot be made.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    for left in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another job was faster, or it is not ours
            _delete_unlocked(left)
    folder, lock = _locked_folder(place)
    try:
        yield folder
    finally:
        with contextlib.closing(lock):
            shutil.rmtree(folder)


class _Lock:
    """A lock on a folder, until `close`."""

    def __init__(self, folder: Path, *, wait: bool) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        self._descriptor = os.open(folder, flags)
        try:
            mode = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
            fcntl.flock(self._descriptor, mode)
        except OSError:
            self.close()
            raise

    def is_on(self, folder: Path) -> bool:
        """Whether it is that folder which is locked, and it is still there."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), folder.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Unlock."""
        os.close(self._descriptor)


def _locked_folder(place: Path) -> tuple[Path, _Lock]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        # Before it is locked another job may take it for one that was left.
        with contextlib.suppress(FileNotFoundError):
            lock = _Lock(folder, wait=True)
            if lock.is_on(folder):
                return folder, lock
            lock.close()


def _delete_unlocked(folder: Path) -> None:
    with contextlib.closing(_Lock(folder, wait=False)):
        shutil.rmtree(folder)
