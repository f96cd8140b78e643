"""A Space's recording, and the rules of requesting, pausing, ending and keeping it."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import (
    ConsentScope,
    RecordingId,
    RecordingState,
    StemId,
)
from spaces_contract.recording_render import CLOCK_STEP_MS

from .clip import Clip
from .effects import Effect, RecordingStep, RecordingTask
from .moderation import must_moderate
from .notice import NOTICE_VERSION, Notice
from .recording_errors import (
    RecordingClosed,
    RecordingNotFound,
    RecordingNoticeRequired,
)
from .recording_states import OPEN, RecordingEvent, moved
from .space import Space
from .states import SpaceState

# What a worker that is told of the end gets to store its last pages.
SETTLE: Final = timedelta(seconds=15)
LOOK_EVERY_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """
    A consent that stands.

    Args:
        stem: Where the voice goes; another one with every grant.
        commitment: Index, in the recording's chain, of the receipt of the grant.
    """

    user_id: UserId
    display_name: str
    stem: StemId
    scopes: tuple[ConsentScope, ...]
    commitment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """
    The one recording of a Space, as stored; clients see none of it but its state.

    Args:
        version: Grows with each withdrawal and each change of what is rendered.
        began_at: Zero of the recording clock; None until somebody consented.
        voices: Whose consent stands just now, in the order of their grants.
        withdrawn: Stems whose consent was taken back: nothing of them may be kept.
        commitments: The chain, oldest first, hex; see `consent_receipts`.
        attempt: Renders of this version that were launched.
        attempted_at: When the last of them was.
        expires_at: When it is to be erased; of one that is, when its objects are gone.
        trim_start_ms: What the host cut off, on the recording clock.
        partial: The render lacks intervals; `duration_ms` is the render's too.
        clips_made: Also those that are gone: their numbers are used up.
        clips_due_at: When tasks for clips are done, or were lost: look after them then.
    """

    space_id: SpaceId
    state: RecordingState
    requested_by: UserId
    requested_at: datetime
    updated_at: datetime
    notice_version: str = NOTICE_VERSION
    version: int = 1
    began_at: datetime | None = None
    stopped_at: datetime | None = None
    ready_at: datetime | None = None
    expires_at: datetime | None = None
    voices: tuple[Voice, ...] = ()
    withdrawn: tuple[StemId, ...] = ()
    commitments: tuple[str, ...] = ()
    attempt: int = 0
    attempted_at: datetime | None = None
    trim_start_ms: int = 0
    private: bool = False
    duration_ms: int = 0
    partial: bool = False
    clips: tuple[Clip, ...] = ()
    clips_made: int = 0
    clips_due_at: datetime | None = None

    @property
    def id(self) -> RecordingId:
        """A Space has one recording, which is known by the Space's id."""
        return RecordingId(self.space_id)

    @property
    def cut_ms(self) -> int:
        """Where its file begins, on the recording clock."""
        return self.trim_start_ms // CLOCK_STEP_MS * CLOCK_STEP_MS

    def voice_of(self, user_id: UserId) -> Voice | None:
        """Return their standing consent, if there is one."""
        return next((each for each in self.voices if each.user_id == user_id), None)


@dataclass(frozen=True, slots=True)
class RecordingDecision:
    """
    What a rule decided; what equals what was read is not written.

    Args:
        effects: To be stored with it and carried out after the commit.
    """

    recording: Recording | None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of those on stage have consented; for hosts alone, and no names."""

    granted: int
    asked: int


def tally(space: Space, recording: Recording) -> Tally:
    """Count the consents that stand among those who have a seat on stage."""
    stage = space.stage_ids
    return Tally(
        granted=sum(1 for each in recording.voices if each.user_id in stage),
        asked=len(stage),
    )


def settled(space: Space, recording: Recording) -> Recording:
    """Return the recording as it is by now: it ends with its Space, unasked."""
    if space.state is SpaceState.LIVE or recording.state not in OPEN:
        return recording
    return _stopped(recording, space.ended_at or space.updated_at)


def is_recorded(space: Space) -> bool:
    """Whether voices are taken in, or may be any moment."""
    return space.state is SpaceState.LIVE and space.recording_state in OPEN


def must_be_noticed(space: Space, notice: Notice, *, shown: str | None) -> None:
    """
    Return if whoever joins has seen the notice of today, where one is needed.

    Raises:
        RecordingNoticeRequired: with the notice to show.
    """
    if is_recorded(space) and shown != notice.version:
        raise RecordingNoticeRequired(notice.to_json())


def shown(space: Space, recording: Recording) -> Space:
    """Return the Space with what everybody may know of its recording."""
    told = replace(
        space,
        recording_state=recording.state,
        recording_notice=recording.notice_version,
    )
    return space if told == space else replace(told, updated_at=recording.updated_at)


def request(
    space: Space, recording: Recording | None, *, actor_id: UserId, now: datetime
) -> RecordingDecision:
    """
    Ask everybody on stage; again changes nothing.  It is not the actor's own consent.

    Raises:
        NotLive, ModeratorOnly.
        RecordingClosed: this Space has had its recording.
    """
    must_moderate(space, actor_id)
    if recording is None:
        off = Recording(
            space_id=space.id,
            state=RecordingState.OFF,
            requested_by=actor_id,
            requested_at=now,
            updated_at=now,
        )
    elif recording.state in OPEN:
        return RecordingDecision(recording)
    elif recording.state is RecordingState.OFF:
        off = recording
    else:
        raise RecordingClosed(recording.state.value)
    pending = replace(
        off,
        state=moved(off.state, RecordingEvent.REQUEST),
        requested_by=actor_id,
        requested_at=now,
        updated_at=now,
        notice_version=NOTICE_VERSION,
    )
    ask = RecordingTask(space.id, RecordingStep.ASK, len(pending.commitments), 0, now)
    return RecordingDecision(pending, (ask,))


def pause(
    space: Space,
    recording: Recording | None,
    paused: bool,
    *,
    actor_id: UserId,
    now: datetime,
) -> RecordingDecision:
    """
    Take in nothing for a while, or again; what is so already changes nothing.

    Raises:
        NotLive, ModeratorOnly, RecordingNotFound.
        WrongRecordingState: nobody has consented yet, or it is over.
    """
    must_moderate(space, actor_id)
    found = there(recording)
    wanted = RecordingState.PAUSED if paused else RecordingState.RECORDING
    if found.state is wanted or (
        not paused and found.state is RecordingState.PENDING
    ):  # what is requested and not paused goes on by itself
        return RecordingDecision(found)
    event = RecordingEvent.PAUSE if paused else RecordingEvent.RESUME
    state = moved(found.state, event)
    return RecordingDecision(replace(found, state=state, updated_at=now))


def stop(
    space: Space, recording: Recording | None, *, actor_id: UserId, now: datetime
) -> RecordingDecision:
    """
    End the recording while the Space goes on; again changes nothing.

    Raises:
        NotLive, ModeratorOnly.
    """
    must_moderate(space, actor_id)
    if recording is None or recording.state not in OPEN:
        return RecordingDecision(recording)
    stopped = _stopped(recording, now)
    return RecordingDecision(stopped, rendered_later(stopped, now))


def finish(
    space: Space, recording: Recording | None, *, now: datetime
) -> RecordingDecision:
    """Store that the recording of a Space that is over has ended, and render it."""
    if recording is None or space.state is SpaceState.LIVE:
        return RecordingDecision(recording)
    if recording.state not in OPEN:
        return RecordingDecision(recording)
    after = settled(space, recording)
    return RecordingDecision(after, rendered_later(after, now))


def rendered_later(recording: Recording, now: datetime) -> tuple[Effect, ...]:
    """Return the first look at a render, once the worker has stored its last pages."""
    if recording.state is not RecordingState.FINISHING:
        return ()
    due_at = max(now, (recording.stopped_at or now) + SETTLE)
    return (look_at(recording, due_at),)


def look_at(recording: Recording, at: datetime) -> RecordingTask:
    """Return the first look at the render of this version that is due from `at` on."""
    return step_at(recording, RecordingStep.RENDER, at)


def step_at(recording: Recording, step: RecordingStep, at: datetime) -> RecordingTask:
    """
    Return the first of a chain of looks that is due from `at` on.

    Looks are numbered by the clock, so that everybody who asks for the next one names
    the same task: however many ask, there is one chain of looks.
    """
    n = math.ceil(at.timestamp() / LOOK_EVERY_S)
    due_at = datetime.fromtimestamp(n * LOOK_EVERY_S, UTC)
    return RecordingTask(recording.space_id, step, recording.version, n, due_at)


def there(recording: Recording | None) -> Recording:
    """Return the recording; raises RecordingNotFound where there is none."""
    if recording is None or recording.state is RecordingState.OFF:
        raise RecordingNotFound
    return recording


def _stopped(recording: Recording, at: datetime) -> Recording:
    return replace(
        recording,
        state=moved(recording.state, RecordingEvent.STOP),
        stopped_at=at,
        updated_at=at,
    )
