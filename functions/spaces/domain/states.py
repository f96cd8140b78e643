"""States of a Space as a table; nothing else says which may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class SpaceState(StrEnum):
    """Forward-only life of a Space."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"


class SpaceEvent(StrEnum):
    """What moves a Space from one state to the next."""

    START = "start"
    END = "end"
    CANCEL = "cancel"


TRANSITIONS: Final[Mapping[tuple[SpaceState, SpaceEvent], SpaceState]] = (
    MappingProxyType(
        {
            (SpaceState.SCHEDULED, SpaceEvent.START): SpaceState.LIVE,
            (SpaceState.SCHEDULED, SpaceEvent.CANCEL): SpaceState.CANCELLED,
            (SpaceState.LIVE, SpaceEvent.END): SpaceState.ENDED,
        }
    )
)
