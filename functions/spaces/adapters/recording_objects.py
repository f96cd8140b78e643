"""A recording's objects, in any store that obstore knows."""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import obstore
from obstore.store import GCSStore, ObjectStore, S3Store

from spaces_contract.json_documents import InvalidDocument
from spaces_contract.recording import RecordingId, StemId
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_objects import (
    ClipFile,
    RenderFile,
    clip_file,
    clip_number,
    clips_prefix,
    parse_stem_object,
    recording_prefix,
    render_file,
    stem_keys,
)
from spaces_contract.recording_render import (
    ClipJob,
    RenderJob,
    RenderProgress,
)

from .object_stores import erase_below, store_errors

T = TypeVar("T")

# What a render makes of voices; jobs and progress hold none, but go with the rest.
RENDERED: Final = tuple(RenderFile)


class StoredRecordingObjects:
    """
    `RecordingObjects` in two stores.

    Args:
        recordings: Stems, renders, and what is said between functions and render.
        keys: Wrapped keys; a store without soft delete or versioning.
    """

    def __init__(self, recordings: ObjectStore, keys: ObjectStore) -> None:
        self._recordings = recordings
        self._keys = keys

    def erase_stems(self, recording_id: RecordingId, stems: Sequence[StemId]) -> None:
        """Delete keys first: without them pages are noise; see `RecordingObjects`."""
        withdrawn = frozenset(stems)
        if not withdrawn:
            return
        for stem in withdrawn:
            prefix = stem_keys(recording_id, stem)
            erase_below(self._keys, prefix)
        erase_below(
            self._recordings,
            recording_prefix(recording_id),
            lambda name: (
                (found := parse_stem_object(name)) is not None
                and found.stem in withdrawn
            ),
        )

    def erase_renders(self, recording_id: RecordingId, *, below: int) -> None:
        """Delete the files of older versions; see `RecordingObjects`."""
        old = {
            render_file(recording_id, version, file)
            for version in range(1, below)
            for file in RENDERED
        }
        erase_below(
            self._recordings, recording_prefix(recording_id), lambda name: name in old
        )

    def erase(self, recording_id: RecordingId) -> None:
        """Empty both prefixes; see `RecordingObjects`."""
        for store in (self._keys, self._recordings):
            erase_below(store, recording_prefix(recording_id))

    def put_job(self, job: RenderJob) -> None:
        """Write `job.json`; see `RecordingObjects`."""
        self._put(render_file(job.recording_id, job.version, RenderFile.JOB), job)

    def progress(
        self, recording_id: RecordingId, version: int
    ) -> RenderProgress | None:
        """Read `progress.json`; one that is no such thing says nothing."""
        name = render_file(recording_id, version, RenderFile.PROGRESS)
        return self._read(name, RenderProgress.from_json)

    def manifest(self, recording_id: RecordingId, version: int) -> Manifest | None:
        """Read `manifest.json`; see `RecordingObjects`."""
        name = render_file(recording_id, version, RenderFile.MANIFEST)
        return self._read(name, Manifest.from_json)

    def put_clip_job(self, job: ClipJob) -> None:
        """Write the clip's `job.json`; see `RecordingObjects`."""
        self._put(clip_file(job.recording_id, job.number, ClipFile.JOB), job)

    def clip_progress(
        self, recording_id: RecordingId, number: int
    ) -> RenderProgress | None:
        """Read the clip's `progress.json`, as `progress` does."""
        name = clip_file(recording_id, number, ClipFile.PROGRESS)
        return self._read(name, RenderProgress.from_json)

    def is_clip_proved(self, recording_id: RecordingId, number: int) -> bool:
        """Look for the clip's `manifest.json`; see `RecordingObjects`."""
        name = clip_file(recording_id, number, ClipFile.MANIFEST)
        try:
            with store_errors():
                obstore.head(self._recordings, name)
        except FileNotFoundError:
            return False
        return True

    def erase_clips(self, recording_id: RecordingId, numbers: Collection[int]) -> None:
        """
        Delete jobs first: one that still runs then stores nothing more; see
        `RecordingObjects`.
        """
        prefix = clips_prefix(recording_id)

        def is_gone(name: str) -> bool:
            return clip_number(name) in numbers

        def is_job(name: str) -> bool:
            return is_gone(name) and name.endswith(f"/{ClipFile.JOB}")

        for wanted in (is_job, is_gone):
            erase_below(self._recordings, prefix, wanted)

    def _put(self, name: str, job: RenderJob | ClipJob) -> None:
        with store_errors():
            obstore.put(self._recordings, name, json.dumps(job.to_json()).encode())

    def _read(self, name: str, of: Callable[[Any], T]) -> T | None:
        try:
            with store_errors():
                text = obstore.get(self._recordings, name).bytes().to_bytes()
            return of(json.loads(text))
        except (FileNotFoundError, InvalidDocument, ValueError):
            return None


class SignedPlaybackUrls:
    """
    `PlaybackUrls` by the store's own signatures: S3's, Google's.

    Raises:
        ValueError: the store cannot sign.
    """

    def __init__(self, recordings: ObjectStore) -> None:
        if not isinstance(recordings, S3Store | GCSStore):
            raise ValueError("recordings are played from s3:// or gs:// only")
        self._recordings = recordings

    def sign(self, name: str, *, now: datetime, lifetime: timedelta) -> str:
        """Sign a GET, from the machine's own time on; see `PlaybackUrls`."""
        with store_errors():
            return obstore.sign(self._recordings, "GET", name, expires_in=lifetime)
