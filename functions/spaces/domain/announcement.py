"""What people are told of a Space by push: to whom, how urgently, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from spaces_contract.ids import SpaceId

from .space import Space
from .states import SpaceState


class AnnouncementKind(StrEnum):
    """What is told."""

    HOST_SOON = "host_soon"  # to the host, 30 min before
    HOST_DUE = "host_due"  # to the host, at the time
    LIVE = "live"  # to subscribers, from here on
    MOVED = "moved"
    CANCELLED = "cancelled"

    @property
    def to_host(self) -> bool:
        """Whether only the host is told."""
        return self in (AnnouncementKind.HOST_SOON, AnnouncementKind.HOST_DUE)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing that is told once to each person; `version` is the schedule's."""

    space_id: SpaceId
    kind: AnnouncementKind
    version: int

    @property
    def id(self) -> str:
        """The same in every copy, so that an app drops what it has seen before."""
        return f"{self.space_id}-{self.kind.value}-{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """
    How a push of one kind travels.

    Args:
        channel: Android's notification channel, which people can silence.
        high: Wakes a sleeping phone.
        lifetime: Not shown at all when it cannot be delivered within this time.
    """

    channel: str
    high: bool
    lifetime: timedelta


URGENCY: Final[Mapping[AnnouncementKind, Urgency]] = MappingProxyType(
    {
        AnnouncementKind.HOST_SOON: Urgency(
            channel="hosting", high=True, lifetime=timedelta(minutes=30)
        ),
        AnnouncementKind.HOST_DUE: Urgency(
            channel="hosting", high=True, lifetime=timedelta(minutes=30)
        ),
        AnnouncementKind.LIVE: Urgency(
            channel="live", high=True, lifetime=timedelta(minutes=10)
        ),
        AnnouncementKind.MOVED: Urgency(
            channel="schedule", high=False, lifetime=timedelta(hours=24)
        ),
        AnnouncementKind.CANCELLED: Urgency(
            channel="schedule", high=False, lifetime=timedelta(hours=24)
        ),
    }
)
_STATE: Final[Mapping[AnnouncementKind, SpaceState]] = MappingProxyType(
    {
        AnnouncementKind.HOST_SOON: SpaceState.SCHEDULED,
        AnnouncementKind.HOST_DUE: SpaceState.SCHEDULED,
        AnnouncementKind.LIVE: SpaceState.LIVE,
        AnnouncementKind.MOVED: SpaceState.SCHEDULED,
        AnnouncementKind.CANCELLED: SpaceState.CANCELLED,
    }
)
RETRY_FOR: Final = timedelta(hours=24)


def is_news(
    announcement: Announcement, space: Space, *, began_at: datetime, now: datetime
) -> bool:
    """Whether it is still true, and still worth telling to who was not reached."""
    return (
        space.state is _STATE[announcement.kind]
        and space.schedule_version == announcement.version
        and now - began_at < RETRY_FOR
    )
