"""Making, listing, playing and deleting clips."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording_objects import ClipFile, clip_file

from ..domain import clipping
from ..domain.clip import Clip, ClipState
from ..domain.clipping import ClipWish
from ..domain.recording import Recording, RecordingDecision, there
from ..domain.recording_errors import ClipNotReady, RecordingNotReady
from ..domain.recording_states import KEPT
from ..domain.space import Space
from .ports import Clock, EffectQueue
from .recording_ports import PlaybackUrls, RecordingObjects, RecordingStore
from .recordings import PLAYBACK_LIFETIME, heard_by


@dataclass(frozen=True, slots=True)
class SeenClip:
    """A clip, and the recording that it is of, as it is now."""

    clip: Clip
    recording: Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlayback:
    """
    Where to read a clip, until when.

    Args:
        manifest_url: Of what proves it; None: clips of before there were such.
    """

    clip: Clip
    url: str
    manifest_url: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipService:
    """Use cases of whoever shares a minute of a recording, or hears one."""

    recordings: RecordingStore
    open_objects: Callable[[], RecordingObjects]
    open_urls: Callable[[], PlaybackUrls]
    effects: EffectQueue
    now: Clock

    def make(self, space_id: SpaceId, wish: ClipWish, *, actor_id: UserId) -> SeenClip:
        """
        Have a clip made; the same again is the one that is there.

        Raises:
            SpaceNotFound, DependencyUnavailable, and all that `clipping.cut` does.
        """
        now = self.now()
        _, recording = self.recordings.get(space_id)
        found = there(recording)
        manifest = self.open_objects().manifest(found.id, found.version)
        if manifest is None:
            raise RecordingNotReady(found.state.value)
        cut: list[Clip] = []

        def decide(space: Space, stored: Recording | None) -> RecordingDecision:
            decision, clip = clipping.cut(
                space, stored, wish, manifest, actor_id=actor_id, now=now
            )
            cut[:] = [clip]
            return decision

        _, decision = self.recordings.update(space_id, decide)
        self._release(decision)
        return SeenClip(cut[0], there(decision.recording))

    def all(self, space_id: SpaceId, *, actor_id: UserId) -> list[SeenClip]:
        """Return the clips, the first one first; raises as `recordings.heard_by`."""
        recording = self._kept(space_id, actor_id)
        return [SeenClip(clip, recording) for clip in recording.clips]

    def playback(
        self, space_id: SpaceId, number: int, *, actor_id: UserId
    ) -> ClipPlayback:
        """
        Return where to read a clip, for 15 minutes.

        Raises:
            SpaceNotFound, RecordingNotFound, RecordingPrivate, BlockedByHost,
            RecordingNotReady, ClipNotFound, DependencyUnavailable.
            ClipNotReady: it is being made, or could not be.
        """
        recording = self._kept(space_id, actor_id)
        clip = clipping.clip_of(recording, number)
        if clip.state is not ClipState.READY:
            raise ClipNotReady(clip.state.value)
        now, urls = self.now(), self.open_urls()

        def url(file: ClipFile) -> str:
            name = clip_file(recording.id, number, file)
            return urls.sign(name, now=now, lifetime=PLAYBACK_LIFETIME)

        proved = self.open_objects().is_clip_proved(recording.id, number)
        return ClipPlayback(
            clip=clip,
            url=url(ClipFile.AUDIO),
            manifest_url=url(ClipFile.MANIFEST) if proved else None,
            expires_at=now + PLAYBACK_LIFETIME,
        )

    def delete(self, space_id: SpaceId, number: int, *, actor_id: UserId) -> None:
        """Delete a clip; raises SpaceNotFound and all that `clipping.drop` does."""
        now = self.now()
        _, decision = self.recordings.update(
            space_id,
            lambda space, found: clipping.drop(
                space, found, number, actor_id=actor_id, now=now
            ),
        )
        self._release(decision)

    def _kept(self, space_id: SpaceId, actor_id: UserId) -> Recording:
        """Return a recording that they may hear; it may be on its way to another."""
        _, recording = heard_by(actor_id, space_id, self.recordings)
        expires_at = recording.expires_at
        expired = expires_at is not None and expires_at <= self.now()
        if recording.state not in KEPT or expired:
            raise RecordingNotReady(recording.state.value)
        return recording

    def _release(self, decision: RecordingDecision) -> None:
        for effect in decision.effects:
            self.effects.release(effect)
