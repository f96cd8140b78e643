"""What tasks do for clips: see that they are made, and that they are gone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from spaces_contract.ids import SpaceId

from ..domain import clipping
from ..domain.clip import Clip
from ..domain.effects import RecordingStep
from ..domain.recording import Recording, step_at
from .independent import all_of
from .ports import Clock, EffectQueue, Launcher, Workload, WorkloadKind
from .recording_ports import RecordingObjects, RecordingStore

LOOK_AGAIN: Final = timedelta(seconds=1)  # then the next of the numbered looks


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTasks:
    """Each may run twice, late, or for clips that are gone."""

    recordings: RecordingStore
    open_objects: Callable[[], RecordingObjects]  # when first needed
    launcher: Launcher
    effects: EffectQueue
    now: Clock

    def look(self, space_id: SpaceId) -> None:
        """
        See clips through until they are made or given up.

        Raises:
            SpaceNotFound, LaunchRefused, DependencyUnavailable, Contended.
        """
        _, stored = self.recordings.get(space_id)
        waiting = clipping.pending(stored)
        if stored is None or not waiting:
            return
        now = self.now()
        # First, so that somebody looks again where the rest does not succeed.
        self.effects.put(step_at(stored, RecordingStep.CLIP, now + LOOK_AGAIN))
        objects = self.open_objects()
        said = {
            clip.number: objects.clip_progress(stored.id, clip.number)
            for clip in waiting
        }
        _, decision = self.recordings.update(
            space_id, lambda _, found: clipping.look(found, said, now=now)
        )
        after = decision.recording
        for clip in clipping.pending(after):
            if after is not None and clip.attempted_at is not None:
                self._launch(after, clip)

    def erase(self, space_id: SpaceId) -> None:
        """
        Delete what is left of clips that are gone.

        Raises:
            SpaceNotFound, DependencyUnavailable.
        """
        _, recording = self.recordings.get(space_id)
        if recording is not None:
            self._erase_gone(recording)

    def mend(self, before: datetime, *, limit: int) -> None:
        """
        Do what tasks for clips should have done by then, had they not been lost.

        Raises:
            DependencyUnavailable: the next one goes on.
        """
        found = self.recordings.clips_due(before, limit=limit)
        all_of(*(partial(self._mend, space_id) for space_id in found))

    def _mend(self, space_id: SpaceId) -> None:
        _, recording = self.recordings.get(space_id)
        if recording is None or recording.clips_due_at is None:
            return
        due_at = recording.clips_due_at
        self._erase_gone(recording)
        if clipping.pending(recording):
            # Of one that takes so long, it is the look that comes anyway.
            self.effects.put(step_at(recording, RecordingStep.CLIP, self.now()))
            return
        now = self.now()
        self.recordings.update(
            space_id, lambda _, found: clipping.looked_after(found, due_at, now=now)
        )

    def _erase_gone(self, recording: Recording) -> None:
        # By their numbers: one that is made meanwhile is none of them.
        gone = {*range(1, recording.clips_made + 1)}
        gone -= {clip.number for clip in recording.clips}
        if gone:
            self.open_objects().erase_clips(recording.id, gone)

    def _launch(self, recording: Recording, clip: Clip) -> None:
        self.open_objects().put_clip_job(clipping.job_of(recording, clip))
        self.launcher.launch(
            Workload(
                kind=WorkloadKind.CLIP,
                key=recording.id,
                epoch=clip.number,
                index=clip.attempt,
            )
        )
