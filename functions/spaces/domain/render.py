"""Seeing a render through: when to launch one, wait, try again, publish or give up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeGuard

from spaces_contract.recording import RecordingState
from spaces_contract.recording_render import (
    ConsentedStem,
    RenderJob,
    RenderProgress,
    RenderState,
)

from .effects import RecordingStep, RecordingTask
from .recording import Recording, RecordingDecision, Voice
from .recording_kept import erased
from .recording_states import RecordingEvent, moved
from .space import Space

# A job that has said nothing for so long is taken for dead: it reports each second,
# and a machine for it may take a minute to come.
SILENT_FOR: Final = timedelta(seconds=90)
MAX_ATTEMPTS: Final = 5
LONGEST_TASK: Final = timedelta(days=29)  # Cloud Tasks takes none beyond 30 days


def look(
    recording: Recording | None,
    progress: RenderProgress | None,
    *,
    version: int,
    kept_for: timedelta,
    now: datetime,
) -> RecordingDecision:
    """
    Decide what comes next for a render, by what its job last said.

    A look at another version than the present one changes nothing.

    Args:
        kept_for: How long a recording is kept, from when it was first ready, or was
            given up.
    """
    if not is_due(recording, version):
        return RecordingDecision(recording)
    if not recording.voices or _said(progress, RenderState.ERASED):
        return erased(recording, now)
    if progress is not None and progress.state is RenderState.DONE:
        return _published(recording, progress, kept_for=kept_for, now=now)
    if _said(progress, RenderState.FAILED):
        return _given_up(recording, kept_for=kept_for, now=now)
    if not is_dead(recording.attempted_at, progress, now):
        return RecordingDecision(recording)
    if recording.attempt >= MAX_ATTEMPTS:
        return _given_up(recording, kept_for=kept_for, now=now)
    again = replace(recording, attempt=recording.attempt + 1, attempted_at=now)
    return RecordingDecision(again)


def is_due(recording: Recording | None, version: int) -> TypeGuard[Recording]:
    """Whether this version still waits to be rendered."""
    return (
        recording is not None
        and recording.state is RecordingState.FINISHING
        and recording.version == version
    )


def job_of(space: Space, recording: Recording) -> RenderJob:
    """Return what the render job is told: consenting voices, and no other's name."""
    began_at = recording.began_at or recording.requested_at
    return RenderJob(
        recording_id=recording.id,
        space_id=space.id,
        version=recording.version,
        title=space.title or "",
        began_at_ms=int(began_at.timestamp() * 1000),
        notice_version=recording.notice_version,
        stems=tuple(consented(voice) for voice in recording.voices),
        commitments=recording.commitments,
        trim_start_ms=recording.trim_start_ms,
    )


def consented(voice: Voice) -> ConsentedStem:
    """Return a standing consent as a job is told of it."""
    return ConsentedStem(
        stem=voice.stem,
        uid=voice.user_id,
        display_name=voice.display_name,
        scopes=voice.scopes,
        commitment=voice.commitment,
    )


def expiry_step(recording: Recording, now: datetime) -> tuple[RecordingTask, ...]:
    """Return the next step towards the end of its time, in hops of 29 days."""
    if recording.expires_at is None:
        return ()
    at = min(recording.expires_at, now + LONGEST_TASK)
    n = int(at.timestamp())
    step = RecordingStep.EXPIRE
    return (RecordingTask(recording.space_id, step, recording.version, n, at),)


def _said(progress: RenderProgress | None, state: RenderState) -> bool:
    return progress is not None and progress.state is state


def is_dead(
    attempted_at: datetime | None, progress: RenderProgress | None, now: datetime
) -> bool:
    """Whether a job is to be launched: none was yet, or the last one is silent."""
    if attempted_at is None:
        return True
    signs = [attempted_at]
    if progress is not None:
        signs.append(datetime.fromtimestamp(progress.updated_at_ms / 1000, UTC))
    return now - max(signs) > SILENT_FOR


def _published(
    recording: Recording,
    progress: RenderProgress,
    *,
    kept_for: timedelta,
    now: datetime,
) -> RecordingDecision:
    first_ready_at = recording.ready_at or now
    ready = replace(
        recording,
        state=moved(recording.state, RecordingEvent.PUBLISH),
        ready_at=first_ready_at,
        # From the first time: no withdrawal lengthens what others agreed to.
        expires_at=recording.expires_at or first_ready_at + kept_for,
        duration_ms=progress.duration_ms,
        partial=progress.partial,
        updated_at=now,
    )
    tell = RecordingTask(ready.space_id, RecordingStep.TELL, ready.version, 1, now)
    return RecordingDecision(ready, (tell, *expiry_step(ready, now)))


def _given_up(
    recording: Recording, *, kept_for: timedelta, now: datetime
) -> RecordingDecision:
    failed = replace(
        recording,
        state=moved(recording.state, RecordingEvent.FAIL),
        expires_at=recording.expires_at or now + kept_for,
        updated_at=now,
    )
    tell = RecordingTask(failed.space_id, RecordingStep.TELL, failed.version, 1, now)
    return RecordingDecision(failed, (tell, *expiry_step(failed, now)))
