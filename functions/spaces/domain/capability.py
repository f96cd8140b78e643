"""What an app may do, by its platform and version: one table, from configuration."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from .errors import UpdateRequired

Version = tuple[int, ...]


class Capability(StrEnum):
    """What a client may be able to do."""

    HOST = "host"
    SPEAK = "speak"
    LISTEN = "listen"
    RECORD = "record"


ANY_PLATFORM: Final = "*"
# Platform -> capability -> the version that can; None: no version can.  What is not
# named can be done by every version.
CapabilityTable = Mapping[str, Mapping[Capability, str | None]]


def version_of(text: str) -> Version:
    """
    Return `1.2.10` as numbers that compare; zeros at the end do not count.

    Raises:
        ValueError: it is not numbers with dots between.
    """
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def can(
    table: CapabilityTable,
    capability: Capability,
    *,
    platform: str | None,
    version: Version | None,
) -> bool:
    """
    Whether this app can do it; one that tells no version is taken for the oldest.
    """
    minimum = _minimum(table, capability, platform)
    if minimum == "":
        return True
    if minimum is None:
        return False
    return (version or ()) >= version_of(minimum)


def must_be_able(
    table: CapabilityTable,
    capability: Capability,
    *,
    platform: str | None,
    version: Version | None,
) -> None:
    """
    Return if this app can do it.

    Raises:
        UpdateRequired: another version, or only another platform, can.
    """
    if not can(table, capability, platform=platform, version=version):
        raise UpdateRequired(capability.value, _minimum(table, capability, platform))


def _minimum(
    table: CapabilityTable, capability: Capability, platform: str | None
) -> str | None:
    """Return the version that can; empty where each can, None where none can."""
    row = table.get(platform or ANY_PLATFORM, table.get(ANY_PLATFORM, {}))
    return row.get(capability, "")
