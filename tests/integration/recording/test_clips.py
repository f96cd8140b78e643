"""Clips: the right voices at the right place, and nothing left of what is unwanted."""

import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import obstore
import pytest

from media_worker.audio.frames import ReceivedPacket
from media_worker.recording.__main__ import ExitCode, main
from media_worker.recording.clip import ClipMaking
from media_worker.recording.loudness import integrated, measured
from media_worker.recording.opening import Stores
from media_worker.recording.proof import ManifestSigner
from media_worker.recording.sound import Sound
from media_worker.recording.stores import erase_stem, object_names
from spaces_contract import recording_objects as names
from spaces_contract.clip_manifest import ClipManifest
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import ConsentScope
from spaces_contract.recording_objects import (
    ClipFile,
    clip_file,
    parse_stem_object,
)
from spaces_contract.recording_render import ClipJob, RenderProgress, RenderState
from tests.audio import Samples, alignment, similarity
from tests.crash.recording import ROOT
from tests.long_recording import Talker, speech_packets, store_recording
from tests.speech import DATA, load
from tests.stems import (
    PROOF_PEM,
    RECORDING,
    a_job,
    a_receipt,
    recording_settings,
    stem_of,
    stores_in,
)

START_MS, LENGTH_MS = 72_300, 4_000
PLACE = START_MS * 48


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """Return two minutes of Ana and Bo, who both talk all the time."""
    stores, (ana, bo) = stores_in(tmp_path), speech_packets()
    store_recording(stores, [Talker("ana", ana), Talker("bo", bo)], seconds=120)
    return stores


def a_clip(stores: Stores, *user_ids: str, number: int = 1) -> ClipJob:
    """Return the job of a clip of these voices, told to its job."""
    whole = a_job(*user_ids)
    job = ClipJob(
        recording_id=RECORDING,
        version=1,
        number=number,
        start_ms=START_MS,
        end_ms=START_MS + LENGTH_MS,
        stems=tuple(replace(stem, scopes=tuple(ConsentScope)) for stem in whole.stems),
        commitments=whole.commitments,
    )
    name = clip_file(RECORDING, number, ClipFile.JOB)
    obstore.put(stores.objects, name, json.dumps(job.to_json()).encode())
    return job


def made(job: ClipJob, stores: Stores) -> RenderProgress:
    """Have a clip made, at a fixed time with the tests' key."""
    signer, moment = ManifestSigner(PROOF_PEM), datetime(2026, 1, 1, 13, tzinfo=UTC)
    making = ClipMaking(
        job, stores, signer=signer, end_in=lambda _: None, now=lambda: moment
    )
    return making.run()


def clip_sound(stores: Stores, number: int = 1) -> Samples:
    """Return the samples of a clip."""
    name = clip_file(RECORDING, number, ClipFile.AUDIO)
    data = bytes(obstore.get(stores.objects, name).bytes())
    with av.open(io.BytesIO(data), "r") as file:
        frames = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    return (np.concatenate(frames) * 32_767).astype(np.int16)


def said(number: int) -> Samples:
    """Return what one of the two says within the clip."""
    reading = load(sorted(DATA.glob("*.wav"))[number])
    packets = reading[: len(reading) // 960 * 960]
    looped = np.tile(packets, 2 + (PLACE + LENGTH_MS * 48) // len(packets))
    return looped[PLACE : PLACE + LENGTH_MS * 48]


@pytest.mark.parametrize(
    ("consenting", "heard", "absent"), [(("ana",), 0, 1), (("bo",), 1, 0)]
)
def test_a_clip_holds_the_voices_of_its_job_alone(
    stores: Stores, consenting: tuple[str, ...], heard: int, absent: int
) -> None:
    """
    Both talk; only the one who is in the job is heard, at their place, and as loud as
    any recording.
    """
    done = made(a_clip(stores, *consenting), stores)
    sound = clip_sound(stores)

    assert (done.state, done.duration_ms) == (RenderState.DONE, LENGTH_MS)
    assert abs(len(sound) / 48 - LENGTH_MS) < 50
    middle = said(heard)[48_000:96_000]
    assert abs(alignment(middle, sound) - 48_000) < 960
    assert similarity(said(heard), sound) > 0.9
    assert similarity(said(absent), sound) < 0.1
    assert integrated(measured(Sound.of_array(sound), gain_db=0)) == pytest.approx(
        -16, abs=1
    )


class HeldBack(Talker):
    """Ana, of whom the network holds back what she says around the clip's end."""

    def arrivals(
        self, seconds: int, began_s: int
    ) -> Iterator[tuple[ReceivedPacket, int]]:
        """Yield her packets, those of four seconds 1.5 s late."""
        held = range(PLACE + 2 * SAMPLE_RATE_HZ, PLACE + 6 * SAMPLE_RATE_HZ)
        for packet, arrival in super().arrivals(seconds, began_s):
            late = arrival in held
            yield packet, arrival + (3 * SAMPLE_RATE_HZ // 2 if late else 0)


def test_what_came_late_is_in_its_place(tmp_path: Path) -> None:
    """
    Placed past the clip's end at first, as what follows tells: it is heard before that,
    as in the whole.
    """
    stores, (ana, _) = stores_in(tmp_path), speech_packets()
    store_recording(stores, [HeldBack("ana", ana)], seconds=90)

    made(a_clip(stores, "ana"), stores)
    sound = clip_sound(stores)

    late = slice(2 * SAMPLE_RATE_HZ, None)
    assert abs(alignment(said(0)[late], sound[late])) < 960
    assert similarity(said(0), sound) > 0.9


def test_two_voices_are_mixed(stores: Stores) -> None:
    """
    Where both agreed, both are heard.
    """
    made(a_clip(stores, "ana", "bo"), stores)
    sound = clip_sound(stores)

    assert similarity(said(0), sound) > 0.4
    assert similarity(said(1), sound) > 0.4


def test_no_more_is_read_than_is_heard(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Of two minutes in 16 objects, four seconds take the search and four or five objects:
    what comes before and after may tell that something of theirs was placed too late.
    """
    job, read = a_clip(stores, "ana"), []
    get = obstore.get

    def counted(store: Any, name: str) -> Any:
        read.append(name)
        return get(store, name)

    monkeypatch.setattr(obstore, "get", counted)
    made(job, stores)

    assert 0 < sum(name.endswith(".pages") for name in read) <= 10


@pytest.mark.parametrize("seq", [11, 13])
def test_what_is_damaged_elsewhere_takes_nothing_away(stores: Stores, seq: int) -> None:
    """
    An object without a readable page, later than the clip, does not mislead the search.
    """
    job = a_clip(stores, "ana")
    prefix = names.recording_prefix(RECORDING)
    for name in list(object_names(stores.objects, prefix)):
        found = parse_stem_object(name)
        if found is not None and found.stem == stem_of("ana") and found.seq == seq:
            obstore.put(stores.objects, name, b"no page")

    made(job, stores)

    assert similarity(said(0), clip_sound(stores)) > 0.9


def test_run_again_it_touches_nothing(stores: Stores) -> None:
    """
    A job that is done says so: its file stays to the byte, and so does its time.
    """
    job = a_clip(stores, "ana")
    first = made(job, stores)
    name = clip_file(RECORDING, 1, ClipFile.AUDIO)
    before = obstore.head(stores.objects, name)

    assert made(job, stores) == first
    assert obstore.head(stores.objects, name) == before


def test_a_clip_that_nobody_wants_any_more_is_not_left(stores: Stores) -> None:
    """
    Its job deleted while it was at work, by a withdrawal: no sound of it stays.
    """
    job = a_clip(stores, "ana")
    obstore.delete(stores.objects, clip_file(RECORDING, 1, ClipFile.JOB))

    assert made(job, stores).state is RenderState.ERASED
    prefix = names.clips_prefix(RECORDING)
    assert list(object_names(stores.objects, prefix)) == []


def test_an_erased_voice_makes_no_clip(stores: Stores) -> None:
    """
    Its key gone, there is nothing to hear, and that is said.
    """
    job = a_clip(stores, "ana")
    asyncio.run(erase_stem(stores.objects, stores.keys, RECORDING, stem_of("ana")))

    assert made(job, stores).state is RenderState.ERASED


def clip_manifest(stores: Stores) -> ClipManifest:
    """Return what a clip's job said of it."""
    name = clip_file(RECORDING, 1, ClipFile.MANIFEST)
    return ClipManifest.from_json(
        json.loads(bytes(obstore.get(stores.objects, name).bytes()))
    )


def test_a_clip_is_proved_offline(
    stores: Stores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    File, manifest and receipts are all that is needed; a clip changed by a byte, or one
    of somebody who agreed to no clips, is refused.
    """
    made(a_clip(stores, "ana"), stores)
    paths = [tmp_path / name for name in ("clip.m4a", "manifest.json", "receipt.json")]
    for path, file in zip(paths[:2], (ClipFile.AUDIO, ClipFile.MANIFEST), strict=True):
        name = clip_file(RECORDING, 1, file)
        path.write_bytes(bytes(obstore.get(stores.objects, name).bytes()))
    paths[2].write_text(json.dumps(a_receipt("ana").to_json()))
    files = [str(path) for path in paths]

    assert main(["verify", *files[:2]], {}) is ExitCode.DONE
    told = capsys.readouterr().out
    assert "Ana (ana) is heard 0:00." in told
    assert "a clip of recording recording-1, 1:12.3-1:16.3 after it began" in told
    # Her receipt here is of a yes to the archive alone.
    assert main(["verify", *files], {}) is ExitCode.WRONG
    paths[0].write_bytes(paths[0].read_bytes() + b"x")
    assert main(["verify", *files[:2]], {}) is ExitCode.WRONG


def test_a_clip_names_the_objects_that_it_was_made_of(stores: Stores) -> None:
    """
    Who holds the store can tell that no other encrypted objects than these are in it.
    """
    made(a_clip(stores, "ana"), stores)
    (stem,) = clip_manifest(stores).stems
    whole = hashlib.sha256()
    for name in stem.objects:
        whole.update(bytes(obstore.get(stores.objects, name).bytes()))

    assert 1 <= len(stem.objects) <= 5
    assert stem.digest == hashlib.sha256(whole.digest()).hexdigest()


def test_the_command_makes_it_and_survives_a_kill(
    stores: Stores, tmp_path: Path
) -> None:
    """
    As a process, as tasks launch it; killed at once, the next one is whole.
    """
    a_clip(stores, "ana")
    settings = {**os.environ, **recording_settings(tmp_path)}
    call = ("clip", "--recording", RECORDING, "--clip", "1")
    module = (sys.executable, "-m", "media_worker.recording")
    with subprocess.Popen((*module, *call), env=settings, cwd=ROOT) as process:
        process.kill()

    assert main(call, settings) is ExitCode.DONE
    assert similarity(said(0), clip_sound(stores)) > 0.9


def test_a_job_of_another_clip_is_refused(stores: Stores, tmp_path: Path) -> None:
    """
    A job that is not there, or not the one that was asked for, is no crash.
    """
    settings = recording_settings(tmp_path)
    call = ("clip", "--recording", RECORDING, "--clip", "2")

    assert main(call, settings) is ExitCode.WRONG
    job = a_clip(stores, "ana")
    name = clip_file(RECORDING, 2, ClipFile.JOB)
    obstore.put(stores.objects, name, json.dumps(job.to_json()).encode())
    assert main(call, settings) is ExitCode.WRONG
