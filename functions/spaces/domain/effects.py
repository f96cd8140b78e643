"""What is to be done after a commit; each effect has a name that is used once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from spaces_contract.ids import SpaceId, UserId

StepName = NewType("StepName", str)  # of a schedule: hop1…, remind, due, expire


@dataclass(frozen=True, slots=True)
class LaunchWorker:
    """
    Ask the launcher for the worker of one epoch; stored with its transaction.

    Args:
        traceparent: Of the call that wanted it, where that is another than the one at
            hand: it was stored meanwhile.
    """

    space_id: SpaceId
    epoch: int
    traceparent: str | None = field(default=None, compare=False, kw_only=True)

    @property
    def name(self) -> str:
        """The same for every attempt, so that attempts collapse into one."""
        return f"launch-{self.space_id}-{self.epoch}"


@dataclass(frozen=True, slots=True)
class CheckWorker:
    """Look after the worker of one epoch at `at`; `n` numbers the looks."""

    space_id: SpaceId
    epoch: int
    n: int
    at: datetime

    @property
    def name(self) -> str:
        """The same for everybody who wants this look."""
        return f"watchdog-{self.space_id}-{self.epoch}-{self.n}"


@dataclass(frozen=True, slots=True)
class ScheduleStep:
    """One step towards the time of a scheduled Space; stale with another version."""

    space_id: SpaceId
    version: int
    step: StepName
    at: datetime

    @property
    def name(self) -> str:
        """The same for everybody who wants this step of this schedule."""
        return f"schedule-{self.space_id}-{self.version}-{self.step}"


@dataclass(frozen=True, slots=True)
class AnnounceSchedule:
    """Act upon a schedule that was moved or called off; stored with that."""

    space_id: SpaceId
    version: int

    @property
    def name(self) -> str:
        """Once for each version of the schedule."""
        return f"schedule-{self.space_id}-{self.version}-changed"


@dataclass(frozen=True, slots=True)
class TellPage:
    """Tell one page of people; for the rest see `announcement`."""

    space_id: SpaceId
    kind: str
    version: int
    page: int
    at: datetime
    user_id: UserId | None = None

    @property
    def name(self) -> str:
        """Pages are numbered; none comes twice."""
        to = f"{self.user_id}-" if self.user_id is not None else ""
        return f"tell-{self.space_id}-{self.kind}-{self.version}-{to}{self.page}"


@dataclass(frozen=True, slots=True)
class CountSubscribers:
    """Count a Space's subscribers at `at`, which is the end of window `n`."""

    space_id: SpaceId
    n: int
    at: datetime

    @property
    def name(self) -> str:
        """One for all who come and go in the same window."""
        return f"count-{self.space_id}-{self.n}"


@dataclass(frozen=True, slots=True)
class TellWebhooks:
    """Tell operators' servers of an event; see `webhook`."""

    space_id: SpaceId
    event: str
    version: int
    at: datetime

    @property
    def name(self) -> str:
        """Once for each event."""
        event = self.event.replace(".", "-")
        return f"event-{self.space_id}-{event}-{self.version}"


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    """Deliver an event to one endpoint; retried by itself."""

    told: TellWebhooks
    endpoint: str

    @property
    def name(self) -> str:
        """Once for each event and endpoint."""
        return f"{self.told.name}-{self.endpoint}"


@dataclass(frozen=True, slots=True)
class EraseAccount:
    """Erase on: what one task leaves the next one, `n` + 1, finds."""

    user_id: UserId
    version: int  # when it was asked for, in microseconds since 1970
    n: int

    @property
    def name(self) -> str:
        """Once for each step of each erasure."""
        return f"erase-{self.user_id}-{self.version}-{self.n}"


@dataclass(frozen=True, slots=True)
class ShutOut:
    """Remove a suspended person: what one task leaves the next one, `n` + 1, finds."""

    user_id: UserId
    version: int  # when they were suspended, in microseconds since 1970
    n: int
    at: datetime
    last: bool = False  # the second round, which begins when every instance knows
    after: tuple[datetime, SpaceId] | None = None  # start and id of a live Space

    @property
    def name(self) -> str:
        """Once for each step of each suspension."""
        return f"shut-out-{self.user_id}-{self.version}-{self.n}"


class RecordingStep(StrEnum):
    """What is to be done about a recording."""

    ASK = "ask"  # those on stage whether they consent; version: answers so far
    RENDER = "render"  # see that this version is rendered
    ERASE_STEMS = "erase-stems"  # those whose consent was taken back
    ERASE = "erase"  # everything
    EXPIRE = "expire"
    CLIP = "clip"  # see that clips are made
    ERASE_CLIPS = "erase-clips"  # those that are in the recording no more
    TELL = "tell"  # who is concerned, that this version takes the place of others


@dataclass(frozen=True, slots=True)
class RecordingTask:
    """One step for one version of a Space's recording; `n` tells repetitions apart."""

    space_id: SpaceId
    step: RecordingStep
    version: int
    n: int
    at: datetime

    @property
    def name(self) -> str:
        """Once for each step of each version, and each repetition of it."""
        return f"recording-{self.space_id}-{self.step.value}-{self.version}-{self.n}"


@dataclass(frozen=True, slots=True)
class SweepLiveEdge:
    """Delete what a Space that is over has on the live edge; `n` numbers the sweeps."""

    space_id: SpaceId
    n: int
    at: datetime

    @property
    def name(self) -> str:
        """The same for everybody who wants this sweep."""
        return f"live-edge-sweep-{self.space_id}-{self.n}"


Effect = (
    LaunchWorker
    | CheckWorker
    | ScheduleStep
    | AnnounceSchedule
    | TellPage
    | CountSubscribers
    | RecordingTask
    | SweepLiveEdge
    | EraseAccount
    | ShutOut
    | TellWebhooks
    | DeliverWebhook
)
