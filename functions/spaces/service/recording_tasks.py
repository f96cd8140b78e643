"""What tasks do for recordings: ask, render, erase, expire, tell."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from spaces_contract.ids import SpaceId
from spaces_contract.recording import RecordingState

from ..domain import recording as rules
from ..domain import recording_kept, render
from ..domain.recording import Recording
from ..domain.recording_states import KEPT, OPEN, UNFINISHED
from ..domain.space import Space
from ..domain.states import SpaceState
from .clip_tasks import ClipTasks
from .independent import all_of
from .ports import Clock, EffectQueue, Launcher, Workload, WorkloadKind
from .recording_ports import Decide, RecordingNews, RecordingObjects, RecordingStore

LOOK_AGAIN: Final = timedelta(seconds=1)  # then the next of the numbered looks
LOST_AFTER: Final = timedelta(minutes=10)  # a task that comes late is not lost
MEND_AT_ONCE: Final = 50

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingTasks:
    """
    Each may run twice, late, or for a version that is over.

    `SpaceNotFound` and `LaunchRefused` are for good; `Unavailable` errors pass.

    Args:
        kept_for: How long a recording is kept; see `render.look`.
    """

    recordings: RecordingStore
    open_objects: Callable[[], RecordingObjects]  # when first needed
    launcher: Launcher
    clips: ClipTasks
    news: RecordingNews
    effects: EffectQueue
    now: Clock
    kept_for: timedelta

    def space_over(self, space: Space) -> None:
        """End the recording of a Space that is over; raises DependencyUnavailable."""
        if space.state is SpaceState.LIVE or space.recording_state not in OPEN:
            return
        now = self.now()
        self._changed(
            space.id, lambda there, found: rules.finish(there, found, now=now)
        )

    def ask(self, space_id: SpaceId) -> None:
        """Tell the stage that it is asked, if it still is."""
        space, recording = self.recordings.get(space_id)
        if recording and rules.settled(space, recording).state in OPEN:
            self.news.asked(space, recording)

    def render(self, space_id: SpaceId, version: int) -> None:
        """
        See a render through, until it is published or given up.

        What must not be in it is erased first, again and again: a worker that was cut
        off may have stored it since.

        Raises:
            SpaceNotFound, LaunchRefused, DependencyUnavailable, Contended.
        """
        _, stored = self.recordings.get(space_id)
        if not render.is_due(stored, version):
            return
        now = self.now()
        # First, so that somebody looks again where the rest does not succeed.
        self.effects.put(rules.look_at(stored, now + LOOK_AGAIN))
        self.open_objects().erase_stems(stored.id, stored.withdrawn)
        self.open_objects().erase_renders(stored.id, below=version)
        progress = self.open_objects().progress(stored.id, version)
        space, after = self._changed(
            space_id,
            lambda _, found: render.look(
                found, progress, version=version, kept_for=self.kept_for, now=now
            ),
        )
        if render.is_due(after, version):
            self._launch(space, after)
        elif after is not None:
            logger.info(
                "render over",
                extra={
                    "space_id": space_id,
                    "version": version,
                    "state": after.state.value,
                    "detail": progress.detail if progress else "",
                },
            )

    def erase_stems(self, space_id: SpaceId) -> None:
        """
        Delete withdrawn stems, and what was rendered with them.

        Raises:
            SpaceNotFound, DependencyUnavailable.
        """
        _, recording = self.recordings.get(space_id)
        if recording is None:
            return
        self.open_objects().erase_stems(recording.id, recording.withdrawn)
        if recording.state in KEPT:
            self.open_objects().erase_renders(recording.id, below=recording.version)

    def erase(self, space_id: SpaceId) -> None:
        """Delete everything of an erased recording; raises as `erase_stems`."""
        _, recording = self.recordings.get(space_id)
        if recording is not None and recording.state is RecordingState.ERASED:
            self.open_objects().erase(recording.id)

    def expire(self, space_id: SpaceId) -> None:
        """Erase a recording whose time is up, or wait on; raises as `erase_stems`."""
        now = self.now()
        _, after = self._changed(
            space_id, lambda _, found: recording_kept.expire(found, now=now)
        )
        if after is not None and after.state in KEPT:
            for step in render.expiry_step(after, now):
                self.effects.put(step)

    def mend(self) -> None:
        """
        Do what a recording's own task should have done, had it not been lost.

        Raises:
            DependencyUnavailable: the next one goes on.
        """
        before = self.now() - LOST_AFTER
        all_of(
            partial(self._mend_ends, before),
            partial(self._mend_expiries, before),
            partial(self._mend_timeless, before - self.kept_for),
            partial(self.clips.mend, before, limit=MEND_AT_ONCE),
        )

    def _mend_ends(self, before: datetime) -> None:
        """See that what Spaces that are over have recorded is rendered."""
        found = self.recordings.ended(UNFINISHED, before, limit=MEND_AT_ONCE)
        all_of(*(partial(self._mend_end, space_id) for space_id in found))

    def _mend_end(self, space_id: SpaceId) -> None:
        now = self.now()
        _, before = self.recordings.get(space_id)
        if before is not None and before.state in OPEN:
            logger.warning("end was lost", extra={"space_id": space_id})
        _, after = self._changed(
            space_id, lambda there, found: rules.finish(there, found, now=now)
        )
        if after is not None:
            # Of a render that takes so long, it is the look that comes anyway.
            for look in rules.rendered_later(after, now):
                self.effects.put(look)

    def _mend_expiries(self, before: datetime) -> None:
        found = self.recordings.overdue(before, limit=MEND_AT_ONCE)
        all_of(*(partial(self._mend_expiry, space_id) for space_id in found))

    def _mend_expiry(self, space_id: SpaceId) -> None:
        """Erase what has outlived its time; of what is erased, what may be left."""
        _, recording = self.recordings.get(space_id)
        if recording is None:
            return
        if recording.state is not RecordingState.ERASED:
            logger.warning("expiry was lost", extra={"space_id": space_id})
            self.expire(space_id)
            return
        self.open_objects().erase(recording.id)
        self._changed(space_id, lambda _, found: recording_kept.cleared(found))

    def _mend_timeless(self, before: datetime) -> None:
        found = self.recordings.timeless(before, limit=MEND_AT_ONCE)
        all_of(*(partial(self._expire_timeless, space_id) for space_id in found))

    def _expire_timeless(self, space_id: SpaceId) -> None:
        now = self.now()
        self._changed(
            space_id, lambda _, found: recording_kept.expire_timeless(found, now=now)
        )

    def tell(self, space_id: SpaceId, version: int) -> None:
        """Tell who is concerned what became of a version; a later one tells itself."""
        space, recording = self.recordings.get(space_id)
        if recording is not None and recording.version == version:
            self.news.changed(space, recording)

    def _launch(self, space: Space, recording: Recording) -> None:
        self.open_objects().put_job(render.job_of(space, recording))
        ref = self.launcher.launch(
            Workload(
                kind=WorkloadKind.RENDER,
                key=recording.id,
                epoch=recording.version,
                index=recording.attempt,
            )
        )
        logger.info("render launched", extra={"space_id": space.id, "ref": ref})

    def _changed(
        self, space_id: SpaceId, decide: Decide
    ) -> tuple[Space, Recording | None]:
        space, decision = self.recordings.update(space_id, decide)
        for effect in decision.effects:
            self.effects.release(effect)
        return space, decision.recording
