"""What operators' servers are told by webhook: which change of a Space is an event."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from spaces_contract.ids import SpaceId

from .space import Space
from .states import SpaceState

GIVE_UP_AFTER: Final = timedelta(hours=24)
# A Space is stored right after its event was asked for; by then, or never.
STORED_WITHIN: Final = timedelta(seconds=30)


class EventType(StrEnum):
    """What happened."""

    CREATED = "space.created"
    SCHEDULED = "space.scheduled"  # and again with each new time
    STARTED = "space.started"
    ENDED = "space.ended"
    CANCELLED = "space.cancelled"


@dataclass(frozen=True, slots=True)
class Event:
    """
    One thing that happened to one Space.

    Args:
        type: An `EventType`, or one of recordings.
        version: Tells events of one type apart.
    """

    space_id: SpaceId
    type: str
    version: int
    at: datetime

    @property
    def id(self) -> str:
        """Unique, and the same in every delivery, so that receivers drop copies."""
        return f"evt_{self.space_id}_{self.type.replace('.', '-')}_{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    Where an operator wants events.

    Args:
        secret: Signs what is sent there.
        events: Types that are wanted; empty: all.
    """

    url: str
    secret: bytes
    events: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Names it in tasks, which hold neither its URL nor its secret."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:12]

    def wants(self, event_type: str) -> bool:
        """Whether events of this type go there."""
        return not self.events or event_type in self.events


_BY_STATE: Final = {
    SpaceState.LIVE: EventType.STARTED,
    SpaceState.ENDED: EventType.ENDED,
    SpaceState.CANCELLED: EventType.CANCELLED,
}


def events_of(
    before: Space | None, after: Space, *, now: datetime
) -> tuple[Event, ...]:
    """Return what happened between two versions of a Space; None: it was not there."""
    types = []
    if before is None:
        types.append(EventType.CREATED)
    if after.state is SpaceState.SCHEDULED and after.scheduled_start is not None:
        moved = before is None or before.scheduled_start != after.scheduled_start
        types += [EventType.SCHEDULED] if moved else []
    if before is not None and before.state is not after.state:
        types.append(_BY_STATE[after.state])
    return tuple(
        Event(after.id, each.value, after.schedule_version, now) for each in types
    )
