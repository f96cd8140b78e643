"""Reading JSON documents that were stored by another process, or another version."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any


class InvalidDocument(ValueError):
    """A JSON document is not of the schema that its name promises."""


class Reading:
    """
    Says of whatever is missing or wrong in a document that it is an `InvalidDocument`.

    Args:
        what: The document, in a word.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, AttributeError | KeyError | TypeError | ValueError):
            raise InvalidDocument(f"{self._what}: {error!r}") from error


def check_schema(fields: Mapping[str, Any], schema: int) -> None:
    """Raise InvalidDocument unless `fields` say that they are of `schema`."""
    if fields["schema"] != schema:
        raise InvalidDocument(f"unknown schema {fields['schema']}")
