"""A form of documents' data in which what differs is unequal, and nothing else."""

from typing import Any


def comparable(value: Any) -> Any:
    """Return a form that tells 1, 1.0 and True apart, and in which NaN equals NaN."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return f"{type(value).__name__}:{value!r}"
