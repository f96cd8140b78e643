"""What goes in and out about clips, as JSON."""

from typing import Annotated

from pydantic import Field

from ..domain.clip import MAX_CLIP, MIN_CLIP, ClipState
from ..domain.space import MAX_TITLE_CHARS
from ..service.clips import ClipPlayback, SeenClip
from .recording_schemas import MAX_TRIM_MS
from .schemas import Answer, Instant, Request, Whole
from .text_fields import Line

MIN_CLIP_MS = round(MIN_CLIP.total_seconds() * 1_000)
MAX_CLIP_MS = round(MAX_CLIP.total_seconds() * 1_000)


class ClipBody(Request):
    """
    What to clip of the file that the caller hears.

    It begins at the tenth of a second before `start_ms`.
    """

    version: Annotated[int, Field(ge=1, le=10**9), Whole]
    start_ms: Annotated[int, Field(ge=0, le=MAX_TRIM_MS), Whole]
    duration_ms: Annotated[int, Field(ge=MIN_CLIP_MS, le=MAX_CLIP_MS), Whole]
    title: Line | None = Field(default=None, max_length=MAX_TITLE_CHARS)


class ClipView(Answer):
    """A clip; `start_ms` is its place in the recording's present file."""

    id: str
    title: str | None
    state: ClipState
    start_ms: int
    duration_ms: int
    made_by: str
    made_at: Instant

    @classmethod
    def of(cls, seen: SeenClip) -> "ClipView":
        """Return `seen`."""
        clip = seen.clip
        return cls(
            id=str(clip.number),
            title=clip.title,
            state=clip.state,
            start_ms=clip.start_ms - seen.recording.cut_ms,
            duration_ms=clip.end_ms - clip.start_ms,
            made_by=clip.made_by,
            made_at=clip.made_at,
        )


class ClipsView(Answer):
    """All clips of a recording, the oldest first."""

    clips: list[ClipView]


class ClipPlaybackView(Answer):
    """
    Where to read a clip, until `expires_at`; clips of before there were manifests have
    none.
    """

    title: str | None
    duration_ms: int
    expires_at: Instant
    audio_url: str
    manifest_url: str | None

    @classmethod
    def of(cls, playback: ClipPlayback) -> "ClipPlaybackView":
        """Return `playback`."""
        clip = playback.clip
        return cls(
            title=clip.title,
            duration_ms=clip.end_ms - clip.start_ms,
            expires_at=playback.expires_at,
            audio_url=playback.url,
            manifest_url=playback.manifest_url,
        )
