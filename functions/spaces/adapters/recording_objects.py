"""A recording's objects, in any store that obstore knows."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore.store import GCSStore, ObjectStore, S3Store, from_url

from spaces_contract.recording import RecordingId, StemId
from spaces_contract.recording_objects import (
    RenderFile,
    parse_stem_object,
    recording_prefix,
    render_file,
    stem_keys,
)
from spaces_contract.recording_render import (
    InvalidDocument,
    RenderJob,
    RenderProgress,
)

from ..domain.errors import DependencyUnavailable

if TYPE_CHECKING:  # these two are in the stubs alone
    from obstore.store import ClientConfig, RetryConfig

LOCAL_SCHEME: Final = "file://"
CLIENT_OPTIONS: Final["ClientConfig"] = {"connect_timeout": "2s", "timeout": "5s"}
RETRY: Final["RetryConfig"] = {"max_retries": 2, "retry_timeout": timedelta(seconds=6)}
# What a render makes of voices; jobs and progress hold none, but go with the rest.
RENDERED: Final = tuple(RenderFile)


def open_store(url: str) -> ObjectStore:
    """
    Return the store of `url`: "file:///…", "s3://…" or "gs://…".

    One that does not answer is given up in seconds, not in the library's minutes.
    """
    if url.startswith(LOCAL_SCHEME):
        return from_url(url, mkdir=True)
    return from_url(url, client_options=CLIENT_OPTIONS, retry_config=RETRY)


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
            _delete(self._keys, prefix, lambda _: True)
        _delete(
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
        _delete(
            self._recordings, recording_prefix(recording_id), lambda name: name in old
        )

    def erase(self, recording_id: RecordingId) -> None:
        """Empty both prefixes; see `RecordingObjects`."""
        for store in (self._keys, self._recordings):
            _delete(store, recording_prefix(recording_id), lambda _: True)

    def put_job(self, job: RenderJob) -> None:
        """Write `job.json`; see `RecordingObjects`."""
        name = render_file(job.recording_id, job.version, RenderFile.JOB)
        with _store_errors():
            obstore.put(self._recordings, name, json.dumps(job.to_json()).encode())

    def progress(
        self, recording_id: RecordingId, version: int
    ) -> RenderProgress | None:
        """Read `progress.json`; one that is no such thing says nothing."""
        name = render_file(recording_id, version, RenderFile.PROGRESS)
        try:
            with _store_errors():
                text = obstore.get(self._recordings, name).bytes().to_bytes()
            return RenderProgress.from_json(json.loads(text))
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

    def sign(
        self,
        recording_id: RecordingId,
        version: int,
        file: RenderFile,
        *,
        now: datetime,
        lifetime: timedelta,
    ) -> str:
        """Sign a GET, from the machine's own time on; see `PlaybackUrls`."""
        name = render_file(recording_id, version, file)
        with _store_errors():
            return obstore.sign(self._recordings, "GET", name, expires_in=lifetime)


def _delete(store: ObjectStore, prefix: str, wanted: Callable[[str], bool]) -> None:
    with _store_errors():
        while names := _names(store, prefix, wanted):
            try:
                obstore.delete(store, names)
            except FileNotFoundError:  # by another task, meanwhile: see what is left
                continue


def _names(store: ObjectStore, prefix: str, wanted: Callable[[str], bool]) -> list[str]:
    entries = (entry for page in obstore.list(store, prefix) for entry in page)
    return [entry["path"] for entry in entries if wanted(entry["path"])]


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (obstore.exceptions.BaseError, OSError) as error:
        raise DependencyUnavailable from error
