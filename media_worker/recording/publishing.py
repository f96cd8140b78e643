"""Stores what a job made, if it is wanted still."""

from collections.abc import Callable, Mapping
from pathlib import Path

import obstore
from obstore.store import ObjectStore

from spaces_contract.recording import PUBLISH_S


class Publishing:
    """
    Keeps sound out of the store whose job was deleted, as a withdrawal does.

    Killed between its looks it may leave some.  All of it takes less than `PUBLISH_S`,
    so that whoever deleted the job, and erases for the last time later, finds that.

    Args:
        job: Name of the object that says what is to be made.
        end_in: Ends this process in so many whole seconds, whatever it is at; 0: never.
    """

    def __init__(
        self, store: ObjectStore, job: str, *, end_in: Callable[[int], object]
    ) -> None:
        self._store = store
        self._job = job
        self._end_in = end_in

    def publish(self, files: Mapping[str, Path | bytes]) -> bool:
        """
        Store files in their order; return whether they are wanted: else none is left.

        Raises:
            StoreErrors: some may be there.
        """
        self._end_in(PUBLISH_S)
        try:
            return self._published(files)
        finally:
            self._end_in(0)

    def _published(self, files: Mapping[str, Path | bytes]) -> bool:
        if not self._is_wanted():
            return False
        for name, data in files.items():
            obstore.put(self._store, name, data)
        if self._is_wanted():
            return True
        for name in files:
            self._delete(name)
        return False

    def _is_wanted(self) -> bool:
        try:
            obstore.head(self._store, self._job)
        except FileNotFoundError:
            return False
        return True

    def _delete(self, name: str) -> None:
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return  # by whoever deleted the job
