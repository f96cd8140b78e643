"""Making clips: where one may be cut, and seeing that it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.recording import (
    ERASE_LAST_AFTER_S,
    ConsentScope,
    RecordingState,
    StemId,
)
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_render import (
    CLOCK_STEP_MS,
    ClipJob,
    RenderProgress,
    RenderState,
)

from .clip import MAX_CLIPS, Clip, ClipState
from .effects import RecordingStep
from .errors import ListFull
from .recording import Recording, RecordingDecision, settled, step_at, there
from .recording_errors import (
    ClipNotConsented,
    ClipNotFound,
    NothingToClip,
    NotInRecording,
    RecordingNotReady,
)
from .recording_kept import unclipped
from .render import MAX_ATTEMPTS, consented, is_dead
from .space import Space

# So long after a word another's microphone may pick it up: the echo guard's lags.
ECHO_MS: Final = 400
TASKS_TAKE: Final = timedelta(seconds=ERASE_LAST_AFTER_S)  # after a change, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipWish:
    """What somebody would share; in ms of the file of `version`."""

    version: int
    start_ms: int
    duration_ms: int
    title: str | None


def cut(
    space: Space,
    recording: Recording | None,
    wish: ClipWish,
    manifest: Manifest,
    *,
    actor_id: UserId,
    now: datetime,
) -> tuple[RecordingDecision, Clip]:
    """
    Have a clip made; the same one again is the one that is there.

    Args:
        manifest: Of the version of the wish: it says who is heard when.

    Raises:
        RecordingNotFound, NotInRecording, ListFull.
        RecordingNotReady: there is nothing to cut, or it was rendered anew since.
        NothingToClip: nobody is heard there.
        ClipNotConsented: somebody who is heard there, or was just before, did not agree
            to clips.
    """
    found = settled(space, there(recording))
    if actor_id not in space.host_ids and found.voice_of(actor_id) is None:
        raise NotInRecording
    expired = found.expires_at is not None and found.expires_at <= now
    ready = found.state is RecordingState.READY and not expired
    if not ready or not wish.version == manifest.version == found.version:
        raise RecordingNotReady(found.state.value)
    start_ms = wish.start_ms // CLOCK_STEP_MS * CLOCK_STEP_MS
    end_ms = min(start_ms + wish.duration_ms, manifest.duration_ms)
    clip = Clip(
        number=found.clips_made + 1,
        title=wish.title,
        start_ms=start_ms + found.cut_ms,
        end_ms=end_ms + found.cut_ms,
        stems=_agreed(
            found,
            heard=_heard(manifest, start_ms, end_ms),
            echoing=_heard(manifest, start_ms - ECHO_MS, end_ms),
        ),
        made_by=actor_id,
        made_at=now,
    )
    for other in found.clips:
        if _is_same(other, clip):
            return RecordingDecision(recording), other
    if len(found.clips) >= MAX_CLIPS:
        raise ListFull("clips", MAX_CLIPS)
    after = replace(
        found,
        clips=(*found.clips, clip),
        clips_made=clip.number,
        # Not put off: what was due before this one may be lost.
        clips_due_at=found.clips_due_at or now + TASKS_TAKE,
        updated_at=now,
    )
    return RecordingDecision(after, (step_at(after, RecordingStep.CLIP, now),)), clip


def drop(
    space: Space,
    recording: Recording | None,
    number: int,
    *,
    actor_id: UserId,
    now: datetime,
) -> RecordingDecision:
    """
    Delete a clip.

    Raises:
        RecordingNotFound, ClipNotFound.
        NotInRecording: the clip is neither theirs, nor are they a host.
    """
    found = there(recording)
    clip = clip_of(found, number)
    if actor_id != clip.made_by and actor_id not in space.host_ids:
        raise NotInRecording
    return RecordingDecision(*unclipped(found, lambda each: each == clip, now))


def clip_of(recording: Recording, number: int) -> Clip:
    """Return a clip of a recording; raises ClipNotFound."""
    for clip in recording.clips:
        if clip.number == number:
            return clip
    raise ClipNotFound


def pending(recording: Recording | None) -> tuple[Clip, ...]:
    """Return the clips that are still to be made."""
    if recording is None:
        return ()
    return tuple(each for each in recording.clips if each.state is ClipState.PENDING)


def look(
    recording: Recording | None,
    said: Mapping[int, RenderProgress | None],
    *,
    now: datetime,
) -> RecordingDecision:
    """
    Decide what comes next for clips that are being made.

    Args:
        said: What the job of each last said, by its number.
    """
    if recording is None:
        return RecordingDecision(recording)
    clips = tuple(
        _looked(clip, said[clip.number], now)
        if clip.state is ClipState.PENDING and clip.number in said
        else clip
        for clip in recording.clips
    )
    if clips == recording.clips:
        return RecordingDecision(recording)
    return RecordingDecision(replace(recording, clips=clips, updated_at=now))


def looked_after(
    recording: Recording | None, due_at: datetime, *, now: datetime
) -> RecordingDecision:
    """
    Note that clips that were due then need nobody any more, if that is so.

    Of a recording that has changed since, tasks may be under way: those are due later.
    """
    if recording is None or recording.clips_due_at != due_at or pending(recording):
        return RecordingDecision(recording)
    again_at = recording.updated_at + TASKS_TAKE
    return RecordingDecision(
        replace(recording, clips_due_at=again_at if again_at > now else None)
    )


def job_of(recording: Recording, clip: Clip) -> ClipJob:
    """Return what the clip's job is told: voices that agreed to clips, no other."""
    return ClipJob(
        recording_id=recording.id,
        version=recording.version,
        number=clip.number,
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        stems=tuple(
            consented(voice)
            for voice in recording.voices
            if voice.stem in clip.stems and ConsentScope.CLIPS in voice.scopes
        ),
        commitments=recording.commitments,
    )


def _heard(manifest: Manifest, start_ms: int, end_ms: int) -> set[StemId]:
    return {
        StemId(stem.stem)
        for stem in manifest.stems
        if any(begin < end_ms and start_ms < end for begin, end in stem.heard)
    }


def _agreed(
    recording: Recording, *, heard: set[StemId], echoing: set[StemId]
) -> tuple[StemId, ...]:
    """
    Return the stems of those who are heard.

    Args:
        echoing: Who may be heard in another's microphone, too: all of them must agree.
    """
    if not heard:
        raise NothingToClip
    agreed = {v.stem for v in recording.voices if ConsentScope.CLIPS in v.scopes}
    if not heard | echoing <= agreed:
        raise ClipNotConsented
    return tuple(voice.stem for voice in recording.voices if voice.stem in heard)


def _is_same(one: Clip, other: Clip) -> bool:
    """Whether it is the same wish of the same person, and not a failed one."""
    return one.state is not ClipState.FAILED and (
        (one.made_by, one.title, one.start_ms, one.end_ms)
        == (other.made_by, other.title, other.start_ms, other.end_ms)
    )


def _looked(clip: Clip, progress: RenderProgress | None, now: datetime) -> Clip:
    match progress.state if progress else None:
        case RenderState.DONE:
            return replace(clip, state=ClipState.READY)
        case RenderState.ERASED | RenderState.FAILED:
            return replace(clip, state=ClipState.FAILED)
    if not is_dead(clip.attempted_at, progress, now):
        return clip
    if clip.attempt >= MAX_ATTEMPTS:
        return replace(clip, state=ClipState.FAILED)
    return replace(clip, attempt=clip.attempt + 1, attempted_at=now)
