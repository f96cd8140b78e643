"""Whether a Space's host is there, and who acts for them: states and their table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from spaces_contract.ids import UserId


class HostState(StrEnum):
    """How a live Space is led."""

    PRESENT = "present"
    MISSING = "missing"  # the host is gone, and may be back at any moment
    COVERED = "covered"  # a co-host acts as host
    COVER_MISSING = "cover_missing"  # who acted as host is gone as well
    AWAY = "away"  # nobody leads; shown to everybody
    GIVEN_UP = "given_up"  # nobody came back: the Space ends


class HostEvent(StrEnum):
    """What a look at the worker's report says."""

    HOST_SEEN = "host_seen"
    COVER_SEEN = "cover_seen"  # whoever acts as host is connected
    NOBODY_SEEN = "nobody_seen"  # neither the host nor who acts for them
    COVER_FOUND = "cover_found"  # patience is over, and a co-host is connected
    NO_COVER = "no_cover"  # patience is over, and no co-host is
    TIME_UP = "time_up"  # nobody led for as long as a Space waits


# What is not in the table changes nothing.
TRANSITIONS: Final[Mapping[tuple[HostState, HostEvent], HostState]] = MappingProxyType(
    {
        (HostState.PRESENT, HostEvent.NOBODY_SEEN): HostState.MISSING,
        (HostState.MISSING, HostEvent.HOST_SEEN): HostState.PRESENT,
        (HostState.MISSING, HostEvent.COVER_FOUND): HostState.COVERED,
        (HostState.MISSING, HostEvent.NO_COVER): HostState.AWAY,
        (HostState.COVERED, HostEvent.HOST_SEEN): HostState.PRESENT,
        (HostState.COVERED, HostEvent.NOBODY_SEEN): HostState.COVER_MISSING,
        (HostState.COVER_MISSING, HostEvent.HOST_SEEN): HostState.PRESENT,
        (HostState.COVER_MISSING, HostEvent.COVER_SEEN): HostState.COVERED,
        (HostState.COVER_MISSING, HostEvent.COVER_FOUND): HostState.COVERED,
        (HostState.COVER_MISSING, HostEvent.NO_COVER): HostState.AWAY,
        (HostState.AWAY, HostEvent.HOST_SEEN): HostState.PRESENT,
        (HostState.AWAY, HostEvent.COVER_FOUND): HostState.COVERED,
        (HostState.AWAY, HostEvent.TIME_UP): HostState.GIVEN_UP,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPresence:
    """
    How a Space is led, as stored.

    Args:
        since: When this state began; None where the host was there from the start.
        acting_host_id: The co-host who acts as host, if one does.
    """

    state: HostState = HostState.PRESENT
    since: datetime | None = None
    acting_host_id: UserId | None = None


HOST_PRESENT: Final = HostPresence()
