"""What the API acknowledged, to be found again at the end."""

from collections.abc import Awaitable, Mapping
from typing import Any

from tests.api import ApiError
from tests.soak.patient_api import LOST

Key = tuple[str, ...]


class Journal:
    """
    For each thing that can change, the values that it may have now.

    That is one value after an acknowledged change, and a second one after a change
    that was neither acknowledged nor refused.
    """

    def __init__(self) -> None:
        self.acknowledged = 0
        self._may: dict[Key, list[Any]] = {}

    async def change(self, key: Key, value: Any, call: Awaitable[Any]) -> Any:
        """
        Make `call`, which sets `key` to `value`, and return what it answers.

        Returns:
            None where it is not known whether it was done, or it was refused.
        """
        before = self._may.get(key, [None])
        self._may[key] = [*before, value]
        try:
            answer = await call
        except ApiError as error:
            if error.status < 429:
                self._may[key] = before  # refused: nothing happened
            return None
        except LOST:
            return None
        self.acknowledge(key, value)
        return answer

    def acknowledge(self, key: Key, value: Any) -> None:
        """Note that `key` is `value`."""
        self._may[key] = [value]
        self.acknowledged += 1

    def is_known(self, key: Key, value: Any) -> bool:
        """Return whether `key` is `value` for sure; what was never set is None."""
        return self._may.get(key, [None]) == [value]

    def keys(self, kind: str) -> list[Key]:
        """Return the keys of a kind: those that begin with it."""
        return [key for key in self._may if key[0] == kind]

    def lost(self, found: Mapping[Key, Any]) -> list[str]:
        """Return what is not as it was acknowledged; what is not found is None."""
        return [
            f"{' '.join(key)}: {found.get(key)!r}, not {' or '.join(map(repr, may))}"
            for key, may in self._may.items()
            if found.get(key) not in may
        ]
