"""Buckets of S3 and of Google's, by doubles of both, as a recording's stores."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from moto.server import ThreadedMotoServer

from media_worker.recording.opening import open_stores
from media_worker.recording.stores import erase_stem, object_names
from spaces_contract.recording_render import RenderState
from tests.audio import voice
from tests.gcs import a_gcs_bucket, an_account, serving_gcs
from tests.stems import (
    RECORDING,
    Stage,
    a_job,
    render,
    rendered_sound,
    stem_of,
)

SAID = voice(1)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve S3 on loopback, with a bucket for objects and one for keys."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
    }.items():
        monkeypatch.setenv(name, value)
    for bucket in ("parley-recordings", "parley-keys"):
        requests.put(f"http://127.0.0.1:{port}/{bucket}", timeout=60)
    yield
    server.stop()


@pytest.fixture
def gs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve what stands in for Google's, with such buckets too."""
    with serving_gcs() as address:
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", an_account(address))
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        for bucket in ("parley-gs-recordings", "parley-gs-keys"):
            a_gcs_bucket(address, bucket)
        yield


@pytest.mark.parametrize(
    ("scheme", "prefix"), [("s3", "s3://parley"), ("gs", "gs://parley-gs")]
)
async def test_buckets_serve_as_well_as_a_folder(
    request: pytest.FixtureRequest, tmp_path: Path, scheme: str, prefix: str
) -> None:
    """
    Record, render, withdraw and render again on S3, by moto's server; and on GCS.
    """
    request.getfixturevalue(scheme)
    stage = Stage(tmp_path)
    stage.use(
        open_stores(
            recordings_url=f"{prefix}-recordings",
            keys_url=f"{prefix}-keys",
            key_encryption_url=(tmp_path / "kek.json").as_uri(),
            spool_dir=tmp_path / "spool",
        )
    )
    stores = stage.stores
    stage.desire("ana", on_stage={"ana": False})
    await stage.keyed(1)
    for _ in range(2):
        await stage.talk({"ana": SAID})
    await stage.finish()
    first = await asyncio.to_thread(render, stores, a_job("ana"))
    sound = await asyncio.to_thread(rendered_sound, stores)
    await erase_stem(stores.objects, stores.keys, RECORDING, stem_of("ana"))
    second = await asyncio.to_thread(render, stores, a_job("ana", version=2))
    left = await asyncio.to_thread(object_names, stores.objects, "")

    assert (first.state, len(sound) // 48_000) == (RenderState.DONE, 2)
    assert second.state is RenderState.FAILED
    assert not any(stem_of("ana") in name for name in left)
