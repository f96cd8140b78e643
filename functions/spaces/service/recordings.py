"""Requesting a recording, seeing how it is, playing and deleting it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingState
from spaces_contract.recording_objects import RenderFile, render_file

from ..domain import recording as rules
from ..domain import recording_kept as kept
from ..domain.errors import BlockedByHost
from ..domain.recording import Recording, RecordingDecision, Tally
from ..domain.recording_errors import (
    RecordingNotFound,
    RecordingNotReady,
    RecordingPrivate,
)
from ..domain.recording_states import OPEN
from ..domain.space import Space
from .ports import Clock, EffectQueue
from .recording_ports import Decide, PlaybackUrls, RecordingObjects, RecordingStore

PLAYBACK_LIFETIME: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRecording:
    """
    A recording as one person may see it.

    Args:
        recording: None where there never was one.
        tally: For hosts alone, while voices are taken in.
        percent: How far its render is; None where none goes on.
    """

    space: Space
    recording: Recording | None
    tally: Tally | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """Where to read a ready recording's files, until when."""

    version: int
    urls: dict[RenderFile, str]
    expires_at: datetime
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingService:
    """Use cases of hosts, and of whoever listens afterwards."""

    recordings: RecordingStore
    open_objects: Callable[[], RecordingObjects]  # when first needed: few requests do
    open_urls: Callable[[], PlaybackUrls]
    effects: EffectQueue
    now: Clock

    def get(self, space_id: SpaceId, *, actor_id: UserId) -> SeenRecording:
        """Return how it is; raises SpaceNotFound, DependencyUnavailable."""
        space, stored = self.recordings.get(space_id)
        return self._seen(space, stored, actor_id)

    def set(
        self, space_id: SpaceId, *, requested: bool, paused: bool, actor_id: UserId
    ) -> SeenRecording:
        """
        Request, pause, resume or stop; what is so already changes nothing.

        Raises:
            SpaceNotFound, NotLive, ModeratorOnly, RecordingClosed, RecordingNotFound,
            WrongRecordingState.
        """
        now = self.now()

        def decide(space: Space, found: Recording | None) -> RecordingDecision:
            if not requested:
                return rules.stop(space, found, actor_id=actor_id, now=now)
            asked = rules.request(space, found, actor_id=actor_id, now=now)
            after = rules.pause(
                space, asked.recording, paused, actor_id=actor_id, now=now
            )
            return RecordingDecision(after.recording, asked.effects)

        return self._changed(space_id, decide, actor_id)

    def edit(
        self,
        space_id: SpaceId,
        *,
        private: bool | None,
        trim_start_ms: int | None,
        actor_id: UserId,
    ) -> SeenRecording:
        """Make it private, or cut its start; raises as `recording_kept.edit` does."""
        now = self.now()

        def decide(space: Space, found: Recording | None) -> RecordingDecision:
            return kept.edit(
                space,
                found,
                actor_id=actor_id,
                private=private,
                trim_start_ms=trim_start_ms,
                now=now,
            )

        return self._changed(space_id, decide, actor_id)

    def delete(self, space_id: SpaceId, *, actor_id: UserId) -> None:
        """Delete all of it; raises as `recording_kept.erase` does."""
        now = self.now()
        self._changed(
            space_id,
            lambda space, found: kept.erase(space, found, actor_id=actor_id, now=now),
            actor_id,
        )

    def playback(self, space_id: SpaceId, *, actor_id: UserId) -> Playback:
        """
        Return where to read it, for 15 minutes.

        Raises:
            SpaceNotFound, RecordingNotFound, RecordingPrivate, BlockedByHost.
            RecordingNotReady: it is not rendered, not yet again, or gone.
        """
        _, recording = heard_by(actor_id, space_id, self.recordings)
        now, signer = self.now(), self.open_urls()
        expired = recording.expires_at is not None and recording.expires_at <= now
        if recording.state is not RecordingState.READY or expired:
            raise RecordingNotReady(recording.state.value)
        return Playback(
            version=recording.version,
            urls={
                file: signer.sign(
                    render_file(recording.id, recording.version, file),
                    now=now,
                    lifetime=PLAYBACK_LIFETIME,
                )
                for file in PLAYED
            },
            expires_at=now + PLAYBACK_LIFETIME,
            duration_ms=recording.duration_ms,
        )

    def _changed(
        self, space_id: SpaceId, decide: Decide, actor_id: UserId
    ) -> SeenRecording:
        space, decision = self.recordings.update(space_id, decide)
        for effect in decision.effects:
            self.effects.release(effect)
        return self._seen(space, decision.recording, actor_id)

    def _seen(
        self, space: Space, stored: Recording | None, actor_id: UserId
    ) -> SeenRecording:
        if stored is None:
            return SeenRecording(space=space, recording=None)
        recording = rules.settled(space, stored)
        hosts_it = actor_id in space.host_ids and recording.state in OPEN
        return SeenRecording(
            space=space,
            recording=recording,
            tally=rules.tally(space, recording) if hosts_it else None,
            percent=self._percent(recording),
        )

    def _percent(self, recording: Recording) -> int | None:
        if recording.state is not RecordingState.FINISHING:
            return None
        progress = self.open_objects().progress(recording.id, recording.version)
        return progress.percent if progress else 0


def heard_by(
    actor_id: UserId, space_id: SpaceId, recordings: RecordingStore
) -> tuple[Space, Recording]:
    """
    Return the recording of a Space, where the actor may hear it.

    A private one is for its hosts, and for those whose voice is in it; of any other
    only those whom the host has blocked are kept away, as from the Space.

    Raises:
        SpaceNotFound, RecordingNotFound, RecordingPrivate, BlockedByHost.
    """
    space, recording = recordings.get(space_id)
    if recording is None:
        raise RecordingNotFound
    concerned = actor_id in space.host_ids or recording.voice_of(actor_id)
    if recording.private and not concerned:
        raise RecordingPrivate
    if not concerned and recordings.is_blocked(actor_id, by=space.creator_id):
        raise BlockedByHost
    return space, recording


PLAYED: Final = (
    RenderFile.AUDIO,
    RenderFile.WAVEFORM,
    RenderFile.MARKERS,
    RenderFile.MANIFEST,
)
