"""Erasing and signing in stores: a folder, S3 as moto serves it, and GCS by that."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
import requests
from moto.server import ThreadedMotoServer
from obstore.store import ObjectStore, S3Store

from spaces.adapters.object_stores import open_store
from spaces.adapters.recording_objects import (
    SignedPlaybackUrls,
    StoredRecordingObjects,
)
from spaces.domain.errors import DependencyUnavailable
from spaces.domain.render import job_of
from spaces_contract import recording_objects as names
from spaces_contract.recording import RecordingId, StemId
from spaces_contract.recording_objects import ClipFile, RenderFile, StemObject
from spaces_contract.recording_render import RenderJob, RenderProgress, RenderState
from tests.builders import SPACE_ID, a_space
from tests.gcs import a_gcs_bucket, serving_gcs
from tests.recording_builders import a_recording, a_voice

RECORDING = RecordingId(SPACE_ID)
OTHER = RecordingId("2Space2Space2")
ANA, BO = StemId("stem-ana-1"), StemId("stem-bo-1")
REGION = "eu-west-1"


@dataclass
class Stores:
    """Two stores, and the adapter over them."""

    recordings: ObjectStore
    keys: ObjectStore

    @property
    def objects(self) -> StoredRecordingObjects:
        """The adapter."""
        return StoredRecordingObjects(self.recordings, self.keys)

    def fill(self) -> None:
        """Store two voices of two recordings, under two versions, with two renders."""
        for recording in (RECORDING, OTHER):
            for stem in (ANA, BO):
                obstore.put(self.keys, names.stem_key(recording, stem, 1), b"key")
                for version in (1, 2):
                    pages = StemObject(
                        recording_id=recording,
                        version=version,
                        epoch=1,
                        stem=stem,
                        seq=0,
                    )
                    obstore.put(self.recordings, pages.name, b"sealed")
            for version in (1, 2):
                for file in RenderFile:
                    name = names.render_file(recording, version, file)
                    obstore.put(self.recordings, name, b"{}")

    def left(self, store: ObjectStore, recording: RecordingId) -> list[str]:
        """Return the names that are left of a recording."""
        prefix = names.recording_prefix(recording)
        pages = obstore.list(store, prefix)
        return sorted(entry["path"] for page in pages for entry in page)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Yield the address of an S3 of the tests' own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _bucket(s3: str, name: str) -> S3Store:
    configuration = {"LocationConstraint": REGION}
    body = "".join(f"<{k}>{v}</{k}>" for k, v in configuration.items())
    requests.put(
        f"{s3}/{name}",
        data=f"<CreateBucketConfiguration>{body}</CreateBucketConfiguration>",
        timeout=60,
    ).raise_for_status()
    return S3Store(
        name,
        endpoint=s3,
        region=REGION,
        access_key_id="test",
        secret_access_key="test",
        client_options={"allow_http": True},
    )


@pytest.fixture(scope="module")
def gcs() -> Iterator[str]:
    """Yield the address of a stand-in for Google's."""
    with serving_gcs() as address:
        yield address


@pytest.fixture(params=["folder", "s3", "gcs"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Return filled stores, once of each kind."""
    if request.param == "folder":
        found = Stores(
            open_store((tmp_path / "recordings").as_uri()),
            open_store((tmp_path / "keys").as_uri()),
        )
    else:
        address = request.getfixturevalue(request.param)
        bucket = _bucket if request.param == "s3" else a_gcs_bucket
        test = request.node.name.split("[")[0].replace("_", "-")[:40]
        found = Stores(
            bucket(address, f"{test}-{request.param}-r"),
            bucket(address, f"{test}-{request.param}-k"),
        )
    found.fill()
    return found


def test_a_withdrawn_stem_is_gone_from_both_stores(stores: Stores) -> None:
    """
    Its keys and its pages of every version; the others' stay, and so do the renders,
    which are another step.
    """
    stores.objects.erase_stems(RECORDING, [ANA])

    assert not [n for n in stores.left(stores.recordings, RECORDING) if ANA in n]
    assert len([n for n in stores.left(stores.recordings, RECORDING) if BO in n]) == 2
    assert stores.left(stores.keys, RECORDING) == [names.stem_key(RECORDING, BO, 1)]
    assert len(stores.left(stores.recordings, OTHER)) == 4 + 2 * len(RenderFile)


def test_erasing_again_is_harmless(stores: Stores) -> None:
    """
    The second erasure finds nothing, and one of nothing deletes nothing.
    """
    stores.objects.erase_stems(RECORDING, [ANA])
    before = stores.left(stores.recordings, RECORDING)

    stores.objects.erase_stems(RECORDING, [ANA])
    stores.objects.erase_stems(RECORDING, [])

    assert stores.left(stores.recordings, RECORDING) == before


def test_clips_that_are_gone_go_and_others_stay(stores: Stores) -> None:
    """
    Job, progress and sound of those that are named, of this recording alone; renders,
    voices and a clip that came meanwhile stay; again is harmless.
    """
    for recording in (RECORDING, OTHER):
        for number in (1, 2, 12):
            for file in ClipFile:
                name = names.clip_file(recording, number, file)
                obstore.put(stores.recordings, name, b"{}")
    before = stores.left(stores.recordings, RECORDING)

    stores.objects.erase_clips(RECORDING, {1, 7})
    stores.objects.erase_clips(RECORDING, {1, 7})

    gone = {names.clip_file(RECORDING, 1, file) for file in ClipFile}
    assert set(before) - set(stores.left(stores.recordings, RECORDING)) == gone
    clips = [n for n in stores.left(stores.recordings, OTHER) if "/clips/" in n]
    assert len(clips) == 3 * len(ClipFile)


def test_older_renders_go_and_voices_stay(stores: Stores) -> None:
    """
    Below version 2 no file of a render is left; stems of version 1 are still needed.
    """
    stores.objects.erase_renders(RECORDING, below=2)

    left = stores.left(stores.recordings, RECORDING)
    assert not [n for n in left if "/v1/" in n and not n.endswith(".pages")]
    assert len([n for n in left if n.endswith(".pages")]) == 4
    assert len([n for n in left if "/v2/" in n]) == 2 + len(RenderFile)


def test_a_whole_recording_goes_and_no_other(stores: Stores) -> None:
    """
    Both prefixes are empty; the neighbour is untouched.
    """
    stores.objects.erase(RECORDING)

    for store in (stores.recordings, stores.keys):
        assert stores.left(store, RECORDING) == []
        assert stores.left(store, OTHER)


def test_what_functions_and_render_say_to_each_other(stores: Stores) -> None:
    """
    The job comes out as it went in; progress that is missing or none says nothing.
    """
    job = job_of(a_space(), a_recording(voices=(a_voice(),), version=3))
    progress = RenderProgress(state=RenderState.RENDERING, percent=7, updated_at_ms=1)
    stores.objects.put_job(job)
    name = names.render_file(RECORDING, 3, RenderFile.PROGRESS)
    obstore.put(stores.recordings, name, json.dumps(progress.to_json()).encode())

    stored = obstore.get(
        stores.recordings, names.render_file(RECORDING, 3, RenderFile.JOB)
    )
    assert RenderJob.from_json(json.loads(bytes(stored.bytes()))) == job
    assert stores.objects.progress(RECORDING, 3) == progress
    assert stores.objects.progress(RECORDING, 4) is None
    assert stores.objects.progress(RECORDING, 1) is None


def test_a_clip_is_proved_once_its_manifest_is_there(stores: Stores) -> None:
    """
    Its audio alone, or another clip's manifest, is no proof.
    """
    obstore.put(stores.recordings, names.clip_file(RECORDING, 1, ClipFile.AUDIO), b"a")
    obstore.put(
        stores.recordings, names.clip_file(RECORDING, 2, ClipFile.MANIFEST), b"{}"
    )

    assert not stores.objects.is_clip_proved(RECORDING, 1)
    assert stores.objects.is_clip_proved(RECORDING, 2)


def test_a_signed_url_reads_one_file_until_it_is_deleted(s3: str) -> None:
    """
    S3's own signature lets anybody read it; without it, or once it is gone, nobody.
    """
    store = _bucket(s3, "signed")
    name = names.render_file(RECORDING, 1, RenderFile.AUDIO)
    obstore.put(store, name, b"audio")
    now = datetime(2030, 5, 4, tzinfo=UTC)

    url = SignedPlaybackUrls(store).sign(name, now=now, lifetime=timedelta(minutes=15))

    assert "X-Amz-Expires=900" in url
    assert requests.get(url, timeout=60).content == b"audio"
    obstore.delete(store, name)
    assert requests.get(url, timeout=60).status_code == 404


Call = Callable[[StoredRecordingObjects], object]


@pytest.mark.parametrize(
    "call",
    [
        lambda objects: objects.erase(RECORDING),
        lambda objects: objects.erase_stems(RECORDING, [ANA]),
        lambda objects: objects.progress(RECORDING, 1),
        lambda objects: objects.is_clip_proved(RECORDING, 1),
    ],
)
def test_a_store_that_does_not_answer_is_told(call: Call) -> None:
    """
    The task comes again later; nothing is taken for erased that is not.
    """
    nowhere = S3Store(
        "nowhere",
        endpoint="http://127.0.0.1:9",
        region=REGION,
        access_key_id="test",
        secret_access_key="test",
        client_options={"allow_http": True, "timeout": "1s"},
        retry_config={"max_retries": 0},
    )

    with pytest.raises(DependencyUnavailable):
        call(StoredRecordingObjects(nowhere, nowhere))


def test_a_store_is_given_up_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As it is opened in production, a store that is down is asked three times, not for
    three minutes: a request is told 503.
    """
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://nowhere")

    with pytest.raises(DependencyUnavailable) as error:
        StoredRecordingObjects(store, store).progress(RECORDING, 1)

    assert "max_retries: 2" in str(error.value.__cause__)


def test_a_folder_cannot_sign(tmp_path: Path) -> None:
    """
    Whoever configures one in production is told so.
    """
    with pytest.raises(ValueError, match="s3"):
        SignedPlaybackUrls(open_store(tmp_path.as_uri()))
