"""What a job stores while what it is about is taken back, and the job is killed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest

from media_worker.recording.publishing import Publishing
from media_worker.recording.stores import object_names
from spaces.adapters.object_stores import open_store
from spaces.adapters.recording_objects import StoredRecordingObjects
from spaces_contract.recording import (
    ERASE_AGAIN_AFTER_S,
    ERASE_LAST_AFTER_S,
    PUBLISH_S,
    RecordingId,
)
from spaces_contract.recording_objects import ClipFile, clip_file, clips_prefix

RECORDING = RecordingId("recording-1")
FILES = (ClipFile.AUDIO, ClipFile.MANIFEST, ClipFile.PROGRESS)
STEPS = 2 + len(FILES)  # a look, each file, and another look
NEVER = -1


class Killed(BaseException):
    """The process is gone: nothing that it would have done is done."""


class Job:
    """A clip's job that stores its files, each call to the store being a step."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = open_store((folder / "objects").as_uri())
        keys = open_store((folder / "keys").as_uri())
        self.store.put(clip_file(RECORDING, 1, ClipFile.JOB), b"{}")
        self._functions = StoredRecordingObjects(self.store, keys)
        self._limits: list[int] = []
        self._steps: dict[int, list[Callable[[], None]]] = {}
        self._step = 0
        for call in ("head", "put", "delete"):
            monkeypatch.setattr(obstore, call, self._counted(getattr(obstore, call)))
        self._inside = False

    def at(self, step: int, act: Callable[[], None]) -> None:
        """Have something happen right before a step, from 0."""
        self._steps.setdefault(step, []).append(act)

    def erase(self) -> None:
        """Delete the clip as functions do."""
        self._inside = True
        try:
            self._functions.erase_clips(RECORDING, {1})
        finally:
            self._inside = False

    def run(self) -> bool | None:
        """Publish; return what it says, or None where it was killed."""
        publishing = Publishing(
            self.store,
            clip_file(RECORDING, 1, ClipFile.JOB),
            end_in=self._limits.append,
        )
        files: dict[str, Path | bytes] = {
            clip_file(RECORDING, 1, file): b"sound" for file in FILES
        }
        try:
            return publishing.publish(files)
        except Killed:
            return None

    @property
    def left(self) -> list[str]:
        """Names of what there is of clips."""
        return object_names(self.store, clips_prefix(RECORDING))

    @property
    def limits(self) -> list[int]:
        """Within how many seconds it was to end, time after time."""
        return self._limits

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            if not self._inside:
                acts, self._step = self._steps.get(self._step, []), self._step + 1
                for act in acts:
                    act()
            return call(*arguments, **named)

        return step


def killed() -> None:
    """Be killed."""
    raise Killed


@pytest.mark.parametrize("kill", [NEVER, *range(STEPS + len(FILES))])
@pytest.mark.parametrize("withdrawal", range(STEPS))
def test_nothing_of_what_is_taken_back_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, withdrawal: int, kill: int
) -> None:
    """
    Whenever a withdrawal comes, and whenever the job is killed: the job leaves nothing,
    or, killed, nothing that the last sweep does not find.
    """
    job = Job(tmp_path, monkeypatch)
    job.at(withdrawal, job.erase)
    job.at(kill, killed)

    said = job.run()
    if said is None:
        job.erase()

    assert said is None or not said
    assert job.left == []


def test_what_is_wanted_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    All files are there, and the time in which they had to be is not running any more.
    """
    job = Job(tmp_path, monkeypatch)

    assert job.run()
    assert len(job.left) == 1 + len(FILES)
    assert job.limits == [PUBLISH_S, 0]


def test_the_last_sweep_comes_when_no_job_can_store_any_more() -> None:
    """
    A job may be launched once more by who has not heard yet; the sweep before the last
    deletes that one's job, so it began before then.
    """
    assert ERASE_AGAIN_AFTER_S + PUBLISH_S < ERASE_LAST_AFTER_S
