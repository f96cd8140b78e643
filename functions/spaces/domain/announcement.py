"""What people are told of a Space by push: to whom, how urgently, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from .space import Space
from .states import SpaceState


class AnnouncementKind(StrEnum):
    """What is told."""

    HOST_SOON = "host_soon"  # to the host, 30 min before
    HOST_DUE = "host_due"  # to the host, at the time
    LIVE = "live"  # to subscribers, from here on
    MOVED = "moved"
    CANCELLED = "cancelled"
    INVITED_TO_SPEAK = "invited_to_speak"  # to one person, as the rest from here on
    INVITED_TO_CO_HOST = "invited_to_co_host"
    INVITED_TO_LISTEN = "invited_to_listen"
    ON_STAGE = "on_stage"  # to who had asked to speak
    RECORDING_ASKED = "recording_asked"  # whether to be recorded
    RECORDING_READY = "recording_ready"  # to the host, as the rest from here on
    RECORDING_SUPERSEDED = "recording_superseded"
    RECORDING_ERASED = "recording_erased"
    RECORDING_FAILED = "recording_failed"

    @property
    def to_host(self) -> bool:
        """Whether only the host is told."""
        return self in (AnnouncementKind.HOST_SOON, AnnouncementKind.HOST_DUE)


@dataclass(frozen=True, slots=True)
class Announcement:
    """
    One thing that is told once to each person.

    Args:
        version: Of the schedule; of what is told to one person, when it was done, in
            microseconds since 1970.
        user_id: Whom alone it is told; None where it is told to all, or to the host.
    """

    space_id: SpaceId
    kind: AnnouncementKind
    version: int
    user_id: UserId | None = None

    @property
    def id(self) -> str:
        """The same in every copy, so that an app drops what it has seen before."""
        to = f"-{self.user_id}" if self.user_id is not None else ""
        return f"{self.space_id}-{self.kind.value}-{self.version}{to}"

    @property
    def tag(self) -> str:
        """
        On a screen, what is told later takes the place of an older one of its tag.

        "It is live" replaces "it was moved"; an invite to co-host replaces one to
        speak, but no news of the Space itself.
        """
        return f"{_TAGS.get(self.kind, 'space')}-{self.space_id}"


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


_INVITE: Final = Urgency(channel="invites", high=True, lifetime=timedelta(hours=1))
_RECORDING: Final = Urgency(
    channel="recordings", high=False, lifetime=timedelta(hours=24)
)
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
        AnnouncementKind.INVITED_TO_SPEAK: _INVITE,
        AnnouncementKind.INVITED_TO_CO_HOST: _INVITE,
        AnnouncementKind.INVITED_TO_LISTEN: _INVITE,
        AnnouncementKind.ON_STAGE: Urgency(
            channel="stage", high=True, lifetime=timedelta(minutes=2)
        ),
        AnnouncementKind.RECORDING_ASKED: Urgency(
            channel="stage", high=True, lifetime=timedelta(minutes=10)
        ),
        AnnouncementKind.RECORDING_READY: _RECORDING,
        AnnouncementKind.RECORDING_SUPERSEDED: _RECORDING,
        AnnouncementKind.RECORDING_ERASED: _RECORDING,
        AnnouncementKind.RECORDING_FAILED: _RECORDING,
    }
)
_TAGS: Final[Mapping[AnnouncementKind, str]] = MappingProxyType(
    {
        AnnouncementKind.INVITED_TO_SPEAK: "invite",
        AnnouncementKind.INVITED_TO_CO_HOST: "invite",
        AnnouncementKind.INVITED_TO_LISTEN: "invite",
        AnnouncementKind.ON_STAGE: "stage",
        AnnouncementKind.RECORDING_ASKED: "recording",
        AnnouncementKind.RECORDING_READY: "recording",
        AnnouncementKind.RECORDING_SUPERSEDED: "recording",
        AnnouncementKind.RECORDING_ERASED: "recording",
        AnnouncementKind.RECORDING_FAILED: "recording",
    }
)
_OPEN: Final = frozenset({SpaceState.SCHEDULED, SpaceState.LIVE})
_BEGUN: Final = frozenset({SpaceState.LIVE, SpaceState.ENDED})
_STATES: Final[Mapping[AnnouncementKind, frozenset[SpaceState]]] = MappingProxyType(
    {
        AnnouncementKind.HOST_SOON: frozenset({SpaceState.SCHEDULED}),
        AnnouncementKind.HOST_DUE: frozenset({SpaceState.SCHEDULED}),
        AnnouncementKind.LIVE: frozenset({SpaceState.LIVE}),
        AnnouncementKind.MOVED: frozenset({SpaceState.SCHEDULED}),
        AnnouncementKind.CANCELLED: frozenset({SpaceState.CANCELLED}),
        AnnouncementKind.INVITED_TO_SPEAK: _OPEN,
        AnnouncementKind.INVITED_TO_CO_HOST: _OPEN,
        AnnouncementKind.INVITED_TO_LISTEN: _OPEN,
        AnnouncementKind.ON_STAGE: frozenset({SpaceState.LIVE}),
        AnnouncementKind.RECORDING_ASKED: frozenset({SpaceState.LIVE}),
        AnnouncementKind.RECORDING_READY: _BEGUN,
        AnnouncementKind.RECORDING_SUPERSEDED: _BEGUN,
        AnnouncementKind.RECORDING_ERASED: _BEGUN,
        AnnouncementKind.RECORDING_FAILED: _BEGUN,
    }
)
RETRY_FOR: Final = timedelta(hours=24)


def is_news(
    announcement: Announcement, space: Space, *, began_at: datetime, now: datetime
) -> bool:
    """
    Whether it is still true of the Space, and worth telling to who was not reached.

    What is told to one person is news by what became of it too: see `personal`.
    """
    current = announcement.user_id is not None or (
        announcement.version == space.schedule_version
    )
    return (
        current
        and space.state in _STATES[announcement.kind]
        and now - began_at < RETRY_FOR
    )
