"""Renders: in place, at the right loudness, once, and true about what is missing."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import pytest
from obstore.store import ObjectStore

from media_worker.recording.__main__ import ExitCode, main
from media_worker.recording.placed_pages import PlacedPage
from media_worker.recording.sealing import records
from media_worker.recording.stem_decoder import segments
from media_worker.recording.stores import object_names
from spaces_contract import recording_objects as names
from spaces_contract.recording import GapReason
from spaces_contract.recording_objects import RenderFile
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.audio import Samples, alignment, rms, voice
from tests.long_recording import Talker, encoded, speech_packets, store_recording
from tests.stems import (
    RECORDING,
    a_job,
    put_job,
    recording_settings,
    render,
    rendered_bytes,
    rendered_manifest,
    rendered_sound,
    stores_in,
)

PAIR = ("ana", "bo")


def two_talkers(*, drift: float = 0.0) -> list[Talker]:
    """Return Ana and Bo, who take turns of 10 s."""
    ana, bo = speech_packets()
    return [Talker("ana", ana, 0, 2), Talker("bo", bo, 1, 2, drift)]


def test_stems_stay_in_place_though_a_clock_drifts(tmp_path: Path) -> None:
    """
    Bo's clock is 200 ppm fast; the last turn is within 20 ms of where it was said.
    """
    stores = stores_in(tmp_path)
    talkers = two_talkers(drift=2e-4)
    store_recording(stores, talkers, seconds=60)
    render(stores, a_job(*PAIR))
    sound = rendered_sound(stores)

    number = 52 * 50  # two seconds into Bo's last turn
    (page,) = decoded_pages(talkers[1].packets, number)
    place = round(number * 960 / 1.0002)
    heard = sound[place - 2_400 : place + len(page) + 2_400]
    assert abs(alignment(page, heard) - 2_400) < 960
    assert rendered_manifest(stores).loudness_lufs == pytest.approx(-16, abs=0.3)


def decoded_pages(packets: Sequence[bytes], number: int) -> list[Samples]:
    """Return a second of a looped talker, as it sounds."""
    looped = tuple(packets[(number + i) % len(packets)] for i in range(50))
    page = PlacedPage(start=0, end=48_000, packets=looped)
    return [block for _, block in segments([page])]


def test_what_is_taken_back_while_it_is_stored_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The job deleted in the middle, as a withdrawal does: the render deletes its files.
    """
    stores = stores_in(tmp_path)
    store_recording(stores, two_talkers(), seconds=2)
    put, job = obstore.put, names.render_file(RECORDING, 1, RenderFile.JOB)

    def taken_back(store: ObjectStore, name: str, data: Any) -> Any:
        if name.endswith(RenderFile.WAVEFORM):
            obstore.delete(store, job)
        return put(store, name, data)

    monkeypatch.setattr(obstore, "put", taken_back)
    ended = render(stores, a_job(*PAIR))

    left = object_names(stores.objects, names.version_prefix(RECORDING, 1))
    assert ended.state is RenderState.ERASED
    assert not [name for name in left if name.endswith(("m4a", "form.json", "st.json"))]


def test_a_render_is_done_once(tmp_path: Path) -> None:
    """
    Launched again, a job that is done says so, and touches nothing.
    """
    stores = stores_in(tmp_path)
    store_recording(stores, two_talkers(), seconds=20)
    first = render(stores, a_job(*PAIR))
    before = rendered_bytes(stores, RenderFile.MANIFEST)
    obstore.delete(stores.objects, stores_name(RenderFile.PROGRESS))
    again = render(stores, a_job(*PAIR))

    assert (first.state, again.state) == (RenderState.DONE, RenderState.DONE)
    assert again.duration_ms == first.duration_ms == 20_000
    assert rendered_bytes(stores, RenderFile.MANIFEST) == before


def stores_name(file: RenderFile) -> str:
    """Return the name of the first version's file."""
    return names.render_file(RECORDING, 1, file)


def test_the_command_renders_and_tells(tmp_path: Path) -> None:
    """
    `render` reads its job from the store and leaves progress, waveform and markers.
    """
    stores, env = stores_in(tmp_path), recording_settings(tmp_path)
    store_recording(stores, two_talkers(), seconds=20)
    put_job(stores, a_job(*PAIR))
    command = ["render", "--recording", RECORDING, "--version", "1"]

    assert main(command, env) is ExitCode.DONE
    progress = RenderProgress.from_json(
        json.loads(rendered_bytes(stores, RenderFile.PROGRESS))
    )
    waveform = json.loads(rendered_bytes(stores, RenderFile.WAVEFORM))
    markers = json.loads(rendered_bytes(stores, RenderFile.MARKERS))
    assert (progress.state, progress.percent) == (RenderState.DONE, 100)
    assert len(waveform["peaks"]) == 200
    assert max(waveform["peaks"]) > 30
    assert [speaker["uid"] for speaker in markers["speakers"]] == ["ana", "bo"]
    assert main([*command[:-1], "2"], env) is ExitCode.WRONG
    assert main(command, {}) is ExitCode.WRONG


def test_a_lost_key_is_told_as_erased(tmp_path: Path) -> None:
    """
    A stem whose key is gone is left out and counted; with none left, all is erased.
    """
    stores = stores_in(tmp_path)
    store_recording(stores, two_talkers(), seconds=20)
    key_store = tmp_path / "keys/recordings" / RECORDING
    for path in sorted(key_store.rglob("*bo*/*.json")):
        path.write_bytes(b"{}")
    partly = render(stores, a_job(*PAIR))
    manifest = rendered_manifest(stores)
    for path in sorted(key_store.rglob("*.json")):
        path.unlink()
    nothing = render(stores, a_job(*PAIR, version=2))

    assert (partly.state, partly.partial) == (RenderState.DONE, True)
    assert partly.lost_stems == ("stem-of-bo",)
    assert ([s.uid for s in manifest.stems], manifest.lost_stems) == (["ana"], 1)
    assert nothing.state is RenderState.ERASED
    assert len(nothing.lost_stems) == 2


def test_changed_and_missing_objects_are_gaps(tmp_path: Path) -> None:
    """
    What was tampered with is not played, and the manifest says whose it was.
    """
    stores = stores_in(tmp_path)
    store_recording(stores, two_talkers(), seconds=40)
    name = next(n for n in object_names(stores.objects, "") if "stem-of-bo" in n)
    data = bytearray(obstore.get(stores.objects, name).bytes())
    data[len(data) // 2] ^= 1
    obstore.put(stores.objects, name, bytes(data))
    progress = render(stores, a_job(*PAIR))

    assert progress.partial
    assert len(list(records(bytes(data)))) > 2
    (gap,) = rendered_manifest(stores).gaps
    assert (gap.reason, gap.uid) == (GapReason.DAMAGED, "bo")


def test_an_epoch_whose_clock_ran_behind_comes_after_the_one_before(
    tmp_path: Path,
) -> None:
    """
    Two workers' clocks differ by 5 s: nobody is heard twice at the same time.
    """
    stores = stores_in(tmp_path)
    store_recording(stores, two_talkers(), seconds=20)
    store_recording(stores, two_talkers()[:1], seconds=1, epoch=2, began_s=15)
    progress = render(stores, a_job(*PAIR))

    assert progress.duration_ms == pytest.approx(21_000, abs=50)


def test_lost_packets_are_bridged_and_holes_are_silent() -> None:
    """
    40 ms are made up for, two seconds are not; neither moves what follows.
    """
    said = encoded(voice(2))
    pages = [
        PlacedPage(start=0, end=24_000, packets=tuple(said[:25])),
        PlacedPage(start=25_920, end=49_920, packets=tuple(said[27:52])),
        PlacedPage(start=144_000, end=168_000, packets=tuple(said[52:77])),
    ]
    sound = np.zeros(168_000, np.int16)
    end = 0
    for start, block in segments(pages):
        assert start >= end
        sound[start : start + len(block)] = block
        end = start + len(block)

    assert rms(sound[24_000:25_920]) > 200
    assert rms(sound[51_000:143_000]) == 0
    assert rms(sound[146_000:168_000]) > 500
    assert end == 168_000


def test_hostile_packets_keep_their_time() -> None:
    """
    Bytes that libopus refuses are silence of their length, and nothing breaks.
    """
    bad = bytes([0xFB, 0x83, 0xFF])  # three frames of 20 ms, and no room for them
    page = PlacedPage(start=0, end=3 * 960, packets=(bad,))

    ((start, block),) = segments([page])
    assert (start, len(block), rms(block)) == (0, 2_880, 0)
