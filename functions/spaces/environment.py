"""Names of the environment, read one by one; what is wrong is kept for the end."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Makes firebase-admin accept unsigned tokens: never, not even on a laptop.
UNSIGNED_TOKENS: Final = "FIREBASE_AUTH_EMULATOR_HOST"


class ConfigError(Exception):
    """The environment does not make a configuration; the message says all of why."""


class EnvironmentReader:
    """
    Reads names and collects complaints.

    A name that cannot be read gives an empty value; `raise_complaints` then says why.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self._missing: list[str] = []
        self._wrong: list[str] = []
        if UNSIGNED_TOKENS in env:
            self._wrong.append(f"{UNSIGNED_TOKENS} must not be set")

    def text(self, name: str) -> str:
        """Read a name that must be there."""
        value = self.env.get(name, "").strip()
        if not value:
            self._missing.append(name)
        return value

    def words(self, name: str) -> frozenset[str]:
        """Read a list with commas that must be there."""
        return frozenset(word.strip() for word in self.text(name).split(","))

    def json(
        self, name: str, parse: Callable[[Any], T], *, default: str, form: str
    ) -> T | None:
        """
        Read JSON that may be missing.

        Args:
            parse: Makes the value; a ValueError, TypeError, KeyError or AttributeError
                of it is a complaint.
            default: JSON that stands for a missing name.
            form: What the complaint says it must look like.
        """
        try:
            return parse(json.loads(self.env.get(name) or default))
        except (ValueError, TypeError, KeyError, AttributeError):
            self.complain(f"{name} must be JSON: {form}")
            return None

    def complain(self, complaint: str) -> None:
        """Keep what is wrong for `raise_complaints`."""
        self._wrong.append(complaint)

    def raise_complaints(self) -> None:
        """
        Raise what was found.

        Raises:
            ConfigError: names were missing or wrong; it tells all of them.
        """
        complaints = list(self._wrong)
        if self._missing:
            complaints.insert(0, f"missing: {', '.join(self._missing)}")
        if complaints:
            raise ConfigError("; ".join(complaints))
