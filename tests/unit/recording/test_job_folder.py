"""Where a render or a clip has its files meanwhile, and who takes them away."""

import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from media_worker.recording.job_folder import PREFIX, job_folder


def left_by_a_kill(parent: Path) -> Path:
    """Return a folder of a job that is no more: nobody holds it."""
    folder = parent / f"{PREFIX}killed"
    folder.mkdir()
    (folder / "mix.pcm").write_bytes(b"voices")
    return folder


def test_what_a_killed_job_left_goes_with_the_next(tmp_path: Path) -> None:
    """
    At its start; what is not of jobs stays.
    """
    left = left_by_a_kill(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / f"{PREFIX}notes.txt").write_text("not a folder")
    with job_folder(tmp_path):
        gone = not left.exists()

    assert gone
    assert {path.name for path in tmp_path.iterdir()} == {
        "notes",
        f"{PREFIX}notes.txt",
    }


def test_jobs_that_run_keep_theirs(tmp_path: Path) -> None:
    """
    Several at once, in one folder: each has its own until it ends.
    """
    with job_folder(tmp_path) as first:
        (first / "mix.pcm").write_bytes(b"voices")
        with job_folder(tmp_path) as second:
            both = (first / "mix.pcm").exists() and second.exists()
        kept = first.exists() and not second.exists()

    assert both
    assert kept
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """
    Its folder is gone, and its error is told.
    """

    def fail() -> NoReturn:
        with job_folder(tmp_path) as folder:
            (folder / "mix.pcm").write_bytes(b"voices")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_job_took_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between its making and its lock it looks like that of a killed job.
    """
    make = tempfile.mkdtemp
    taken: list[str] = []

    def made(**where: str) -> str:
        folder = make(**where)
        if not taken:
            taken.append(folder)
            Path(folder).rmdir()
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", made)
    with job_folder(tmp_path) as folder:
        there = folder.exists()

    assert there
    assert taken != [str(folder)]


def test_what_cannot_be_taken_away_holds_no_job_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The folder of temporary files is everybody's; others' are left alone.
    """
    left = left_by_a_kill(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(str(left))

    monkeypatch.setattr("media_worker.recording.job_folder.shutil.rmtree", refuse)
    with job_folder(tmp_path):
        monkeypatch.undo()

    assert list(tmp_path.iterdir()) == [left]
