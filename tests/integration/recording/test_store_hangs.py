"""A store that takes requests and answers none: nobody waits for it without end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import obstore
import pytest

from media_worker.recording.key_encryption import LocalKeyEncryption
from media_worker.recording.opening import Stores
from media_worker.recording.sealing import StemPlace, new_key
from media_worker.recording.spool import Spool
from media_worker.recording.stores import (
    StemKeys,
    StoreErrors,
    erase_stem,
    object_names,
    open_store,
)
from spaces_contract.recording_render import RenderState
from tests.audio import similarity, voice
from tests.faulty_s3 import BUCKET, Fault, FaultyS3
from tests.stems import (
    PATIENCE_S,
    RECORDING,
    Stage,
    a_job,
    pages_below,
    render,
    rendered_manifest,
    rendered_sound,
    stem_of,
)

SAID = voice(1)
# Far shorter than the store hangs: whoever waits for its answer gets it, and no error.
REQUEST, RETRY_S = "200ms", 0.2
PATIENT = "30s"  # of whoever is to be answered, however busy the machine is
PLACE = StemPlace(recording_id=RECORDING, stem=stem_of("ana"), epoch=1)


@pytest.fixture
async def s3(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultyS3]:
    """Serve a store that does as it is told."""
    async with FaultyS3() as server:
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_TIMEOUT", REQUEST)
        yield server


def stores_of(folder: Path) -> Stores:
    """Open what `s3` serves, with little patience."""
    encryption = LocalKeyEncryption(folder / "kek.json")
    keys, objects = (
        open_store(f"s3://{BUCKET}/{folder}", retry_s=RETRY_S)
        for folder in ("keys", "objects")
    )
    return Stores(objects, StemKeys(keys, encryption), Spool(folder / "spool"))


@pytest.mark.parametrize(
    "call",
    [
        lambda stores: obstore.get(stores.objects, "a"),
        lambda stores: obstore.put(stores.objects, "a", b"x"),
        lambda stores: object_names(stores.objects, "a"),
        lambda stores: stores.keys.get(PLACE),
        lambda stores: asyncio.run(stores.keys.put(PLACE, new_key())),
        lambda stores: asyncio.run(
            erase_stem(stores.objects, stores.keys, RECORDING, stem_of("ana"))
        ),
    ],
    ids=["get", "put", "list", "get-key", "put-key", "erase"],
)
async def test_every_call_is_given_up(
    s3: FaultyS3, tmp_path: Path, call: Callable[[Stores], Any]
) -> None:
    """
    Whatever is asked of it ends with an error that says: not now.
    """
    stores = stores_of(tmp_path)
    s3.fault = Fault.HANGS

    with pytest.raises(StoreErrors):
        await asyncio.to_thread(call, stores)


async def test_a_room_records_on_while_its_stores_hang(
    s3: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ana is recorded without a gap, page by page; Bo, who agrees meanwhile, from when his
    key is stored.  Nothing that was taken is lost.
    """
    stage = Stage(tmp_path)
    stage.use(stores_of(tmp_path))
    stage.desire("ana", on_stage={"ana": False})
    await stage.keyed(1)
    s3.fault = Fault.HANGS
    stage.desire("ana", "bo", on_stage={"ana": False, "bo": False})

    uploading = asyncio.ensure_future(stage.recorder.upload())
    for _ in range(2):
        await stage.talk({"ana": SAID, "bo": SAID})
    await stage.recorder.upload()
    await uploading
    spooled = pages_below(tmp_path / "spool")
    keyed_meanwhile = stage.recorder.open_stems
    s3.fault = Fault.NONE
    await eventually_keyed(stage, 2)
    await stage.finish()
    monkeypatch.setenv("AWS_TIMEOUT", PATIENT)
    patient = stores_of(tmp_path)
    progress = await asyncio.to_thread(render, patient, a_job("ana", "bo"))

    assert len(spooled) == 1
    assert keyed_meanwhile == 1
    assert pages_below(tmp_path / "spool") == []
    assert (progress.state, progress.duration_ms) == (RenderState.DONE, 2_000)


async def eventually_keyed(stage: Stage, stems: int) -> None:
    """Let time pass until so many stems have their keys."""
    async with asyncio.timeout(PATIENCE_S):
        while stage.recorder.open_stems < stems:
            await stage.clock.advance(1)
            await asyncio.sleep(0.01)


async def test_a_render_is_interrupted_and_loses_nothing(
    s3: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where the store hangs it is given up, to be run again; what the spool held is there.
    """
    stage = Stage(tmp_path)
    stage.use(stores_of(tmp_path))
    stage.desire("ana", on_stage={"ana": False})
    await stage.keyed(1)
    await stage.talk({"ana": SAID})
    await stage.recorder.flush()
    s3.fault = Fault.HANGS

    with pytest.raises(StoreErrors):
        await asyncio.to_thread(render, stage.stores, a_job("ana"))
    spooled = pages_below(tmp_path / "spool")
    s3.fault = Fault.NONE
    monkeypatch.setenv("AWS_TIMEOUT", PATIENT)
    patient = stores_of(tmp_path)
    progress = await asyncio.to_thread(render, patient, a_job("ana"))
    sound = await asyncio.to_thread(rendered_sound, patient)
    manifest = await asyncio.to_thread(rendered_manifest, patient)

    assert len(spooled) == 1
    assert progress.state is RenderState.DONE
    assert similarity(SAID, sound[:48_000]) > 0.9
    assert [stem.uid for stem in manifest.stems] == ["ana"]
