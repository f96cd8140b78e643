"""A recording that is over: what its hosts make of it, and when it is deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from spaces_contract.ids import UserId
from spaces_contract.recording import (
    ERASE_AGAIN_AFTER_S,
    ERASE_LAST_AFTER_S,
    RecordingState,
)

from .clip import Clip
from .effects import Effect, RecordingStep, RecordingTask
from .erasure import ERASED
from .errors import ModeratorOnly
from .recording import Recording, RecordingDecision, rendered_later, settled, there
from .recording_states import KEPT, RecordingEvent, moved
from .space import Space


def must_lead(space: Space, actor_id: UserId) -> None:
    """Return if they are host or co-host, in whatever state the Space is."""
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can do this.")


def edit(
    space: Space,
    recording: Recording | None,
    *,
    actor_id: UserId,
    private: bool | None,
    trim_start_ms: int | None,
    now: datetime,
) -> RecordingDecision:
    """
    Make a recording private or public, or cut off its start, which renders it anew.

    Raises:
        ModeratorOnly, RecordingNotFound.
        WrongRecordingState: there is nothing yet, or no more, to cut.
    """
    must_lead(space, actor_id)
    after = before = settled(space, there(recording))
    effects: tuple[Effect, ...] = ()
    if private is not None:
        after = replace(after, private=private)
    if trim_start_ms is not None and trim_start_ms != after.trim_start_ms:
        again = rendered_anew(replace(after, trim_start_ms=trim_start_ms))
        after, gone = unclipped(again, lambda clip: clip.start_ms < again.cut_ms, now)
        effects = (*rendered_later(after, now), *gone)
    if after == before:
        return RecordingDecision(recording)
    return RecordingDecision(replace(after, updated_at=now), effects)


def rendered_anew(recording: Recording) -> Recording:
    """
    Return the recording on its way to the next version.

    Raises:
        WrongRecordingState: it is not over, or erased.
    """
    return replace(
        recording,
        state=moved(recording.state, RecordingEvent.RENDER),
        version=recording.version + 1,
        attempt=0,
        attempted_at=None,
    )


def erase(
    space: Space, recording: Recording | None, *, actor_id: UserId, now: datetime
) -> RecordingDecision:
    """
    Delete everything of a recording that is over; again changes nothing.

    Raises:
        ModeratorOnly, RecordingNotFound.
        WrongRecordingState: it is still going on.
    """
    must_lead(space, actor_id)
    found = settled(space, there(recording))
    if found.state is RecordingState.ERASED:
        return RecordingDecision(found)
    return erased(found, now)


def expire(recording: Recording | None, *, now: datetime) -> RecordingDecision:
    """Erase a recording whose time is up; any other stays."""
    if recording is None or recording.state not in KEPT:
        return RecordingDecision(recording)
    if recording.expires_at is None or now < recording.expires_at:
        return RecordingDecision(recording)
    return erased(recording, now)


def expire_timeless(recording: Recording | None, *, now: datetime) -> RecordingDecision:
    """Erase one that failed when failures got no time yet; any other stays."""
    if recording is None or recording.state is not RecordingState.FAILED:
        return RecordingDecision(recording)
    if recording.expires_at is not None:
        return RecordingDecision(recording)
    return erased(recording, now)


def cleared(recording: Recording | None) -> RecordingDecision:
    """Note of an erased recording that none of its objects is left; others stay."""
    if recording is None or recording.state is not RecordingState.ERASED:
        return RecordingDecision(recording)
    return RecordingDecision(replace(recording, expires_at=None))


def erased(recording: Recording, now: datetime) -> RecordingDecision:
    """Return the recording without a voice, and what deletes its objects."""
    gone = replace(
        recording,
        state=moved(recording.state, RecordingEvent.ERASE),
        voices=(),
        withdrawn=(),
        duration_ms=0,
        # By then all that is asked for here was done, or was lost.
        expires_at=now + timedelta(seconds=ERASE_LAST_AFTER_S),
        clips=(),
        clips_due_at=None,
        updated_at=now,
    )
    tell = RecordingTask(gone.space_id, RecordingStep.TELL, gone.version, 0, now)
    return RecordingDecision(gone, (*sweeps(gone, RecordingStep.ERASE, now), tell))


def nameless(
    recording: Recording | None, user_id: UserId, *, now: datetime
) -> RecordingDecision:
    """Take a person off what they asked for and made; their voice goes apart."""
    if recording is None:
        return RecordingDecision(recording)
    asked_by = recording.requested_by
    after = replace(
        recording,
        requested_by=ERASED if asked_by == user_id else asked_by,
        clips=tuple(
            replace(clip, made_by=ERASED) if clip.made_by == user_id else clip
            for clip in recording.clips
        ),
    )
    if after == recording:
        return RecordingDecision(recording)
    return RecordingDecision(replace(after, updated_at=now))


def unclipped(
    recording: Recording, gone: Callable[[Clip], bool], now: datetime
) -> tuple[Recording, tuple[Effect, ...]]:
    """
    Return the recording without those clips, and what deletes their objects.

    It is done at once, and again when a job that was at it is over: see `sweeps`.
    """
    left = tuple(clip for clip in recording.clips if not gone(clip))
    if left == recording.clips:
        return recording, ()
    # Not put off: what was due before may be lost.
    due_at = recording.clips_due_at or now + timedelta(seconds=ERASE_LAST_AFTER_S)
    after = replace(recording, clips=left, clips_due_at=due_at, updated_at=now)
    # Named by the time: one version may lose clips again and again.
    n = int(now.timestamp() * 1_000_000)
    return after, sweeps(after, RecordingStep.ERASE_CLIPS, now, first=n)


def sweeps(
    recording: Recording, step: RecordingStep, now: datetime, *, first: int = 0
) -> tuple[Effect, ...]:
    """
    Return what erases at once, and again when no worker and no job can store any more.

    Args:
        first: Number of the first of the tasks.
    """
    after_s = (0, ERASE_AGAIN_AFTER_S, ERASE_LAST_AFTER_S)
    return tuple(
        RecordingTask(
            recording.space_id,
            step,
            recording.version,
            first + n,
            now + timedelta(seconds=seconds),
        )
        for n, seconds in enumerate(after_s)
    )
