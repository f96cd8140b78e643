"""Whose voice is in a recording: by the samples of the file and the bytes on disk."""

from pathlib import Path

import numpy as np
import pytest

from media_worker.audio.opus import Encoder
from media_worker.recording.stem_set import stem_set
from media_worker.recording.stores import erase_stem
from spaces_contract.recording import RecordingState
from spaces_contract.recording_render import RenderState
from tests.audio import Samples, blocks_of, rms, similarity
from tests.speech import DATA, load
from tests.stems import (
    RECORDING,
    Stage,
    a_job,
    a_receipt,
    files_below,
    pages_below,
    render,
    rendered_manifest,
    rendered_sound,
    stem_of,
)

PAUSE = np.zeros(48_000 // 2, np.int16)
# A tenth of a percent of what a voice has at -16 LUFS: -60 dB below it.
NOISE_FLOOR_RMS = 5.0


@pytest.fixture(scope="module")
def turns() -> dict[str, Samples]:
    """Three turns of recorded speech, each of whole blocks."""
    cold, ill = (load(path) for path in sorted(DATA.glob("*.wav")))
    parts = {"ana": cold[: 48_000 * 2], "bo": ill[: 48_000 * 2], "cy": cold[-96_000:]}
    return {name: part.copy() for name, part in parts.items()}


def conversation(turns: dict[str, Samples]) -> dict[str, Samples]:
    """Let them talk one after another, with pauses between."""
    return {
        speaker: np.concatenate(
            [
                part
                for turn, said in turns.items()
                for part in (said if turn == speaker else np.zeros_like(said), PAUSE)
            ]
        )
        for speaker in turns
    }


def turn_in(sound: Samples, turns: dict[str, Samples], speaker: str) -> Samples:
    """Return what the file holds at the time of somebody's turn."""
    start = sum(
        len(said) + len(PAUSE)
        for name, said in turns.items()
        if list(turns).index(name) < list(turns).index(speaker)
    )
    return sound[start : start + len(turns[speaker])]


async def recorded(stage: Stage, voices: dict[str, Samples], *consenting: str) -> None:
    """Record a conversation to its end."""
    stage.desire(*consenting, on_stage=dict.fromkeys(voices, False))
    await stage.keyed(len(consenting))
    await stage.talk(voices)
    stage.desire(
        *consenting,
        on_stage=dict.fromkeys(voices, False),
        state=RecordingState.FINISHING,
    )
    await stage.finish()


async def test_a_render_holds_exactly_the_consenting_voices(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    One of three declines, one withdraws later: each file has who agrees, and no other.
    """
    stage = Stage(tmp_path)
    await recorded(stage, conversation(turns), "ana", "bo")
    chain = [a_receipt("ana").commitment, a_receipt("bo").commitment]
    first = render(stage.stores, a_job("ana", "bo", commitments=chain))
    before = rendered_sound(stage.stores)

    await erase_stem(stage.stores.objects, stage.stores.keys, RECORDING, stem_of("bo"))
    second = render(stage.stores, a_job("ana", version=2, commitments=chain))
    after = rendered_sound(stage.stores, version=2)

    assert (first.state, second.state) == (RenderState.DONE, RenderState.DONE)
    assert similarity(turns["ana"], turn_in(before, turns, "ana")) > 0.9
    assert similarity(turns["bo"], turn_in(before, turns, "bo")) > 0.9
    assert rms(turn_in(before, turns, "cy")) < NOISE_FLOOR_RMS
    assert similarity(turns["ana"], turn_in(after, turns, "ana")) > 0.9
    assert rms(turn_in(after, turns, "bo")) < NOISE_FLOOR_RMS
    assert rms(turn_in(after, turns, "cy")) < NOISE_FLOOR_RMS
    assert not any(stem_of("bo") in name for name in files_below(tmp_path))


async def test_the_manifest_names_who_is_heard_and_nobody_else(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    Neither who declined nor who withdrew is named, and markers tell each one's turns.
    """
    stage = Stage(tmp_path)
    await recorded(stage, conversation(turns), "ana", "bo")
    render(stage.stores, a_job("ana", "bo"))
    manifest = rendered_manifest(stage.stores)

    assert [stem.uid for stem in manifest.stems] == ["ana", "bo"]
    assert b"cy" not in manifest.signed_bytes()
    assert not manifest.partial
    assert manifest.loudness_lufs == pytest.approx(-16, abs=0.5)
    ana, bo = (stem.heard for stem in manifest.stems)
    assert ana[0][0] < 400
    assert ana[-1][1] <= 2_200
    assert 2_300 < bo[0][0] < 3_000


async def test_no_byte_of_a_decliner_is_ever_written(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    No packet of somebody who declined or was muted is on any disk, sealed or not.

    A consenter's packets are all there once unsealed, and nowhere in the clear.
    """
    stage = Stage(tmp_path)
    voices = {"ana": turns["ana"], "cy": turns["cy"], "di": turns["bo"]}
    stage.desire("ana", "di", on_stage={"ana": False, "cy": False, "di": True})
    await stage.keyed(2)
    await stage.talk(voices)
    await stage.finish()

    clear = b"".join(files_below(tmp_path).values())
    unsealed = {
        packet
        for item in stem_set(a_job("ana", "cy", "di"), stage.stores).epochs
        for page in item.reader.pages()
        for packet in page.packets
    }

    assert unsealed == set(packets_of(voices["ana"]))
    for voice in voices.values():
        assert not any(p in clear for p in packets_of(voice) if len(p) > 20)
    assert not any(stem_of("di") in path for path in pages_below(tmp_path))


def packets_of(said: Samples) -> list[bytes]:
    """Return the packets of somebody's client."""
    with Encoder() as encoder:
        return [encoder.encode(block) for block in blocks_of(said)]


async def test_a_withdrawal_while_recording_stops_at_once(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    From the next packet on nothing is kept, and all that was kept is deleted.
    """
    stage = Stage(tmp_path)
    both = {"ana": False, "bo": False}
    stage.desire("ana", "bo", on_stage=both)
    await stage.keyed(2)
    await stage.talk({"ana": turns["ana"], "bo": turns["bo"]})
    await stage.clock.advance(10)
    await stage.recorder.flush()
    await stage.recorder.upload()

    stage.desire("ana", on_stage=both, version=2)
    await stage.talk({"ana": turns["ana"], "bo": turns["bo"]})
    await stage.finish()
    left = files_below(tmp_path)

    assert any(stem_of("ana") in path for path in left)
    assert any("/v2/" in path for path in left)
    assert not any(stem_of("bo") in path for path in left)


async def test_stale_knowledge_closes_the_gate_and_is_told(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    A worker cut off from Firestore during a withdrawal stores nothing of that time.
    """
    stage = Stage(tmp_path)
    stage.desire("ana", on_stage={"ana": False})
    await stage.keyed(1)
    await stage.talk({"ana": turns["ana"]})
    stage.fresh = False
    state_while_cut_off = stage.recorder.state
    await stage.talk({"ana": turns["bo"]})
    stage.fresh = True
    await stage.talk({"ana": turns["cy"]})
    await stage.finish()
    progress = render(stage.stores, a_job("ana"))
    sound, manifest = rendered_sound(stage.stores), rendered_manifest(stage.stores)

    assert state_while_cut_off is RecordingState.PAUSED
    assert progress.partial
    assert rms(sound[100_000:190_000]) < NOISE_FLOOR_RMS
    assert similarity(turns["cy"], sound[192_000:]) > 0.9
    (gap,) = manifest.gaps
    assert (gap.reason.value, gap.uid) == ("consent-unknown", "ana")
    assert gap.from_ms == pytest.approx(2_000, abs=25)
    assert gap.to_ms == pytest.approx(4_000, abs=25)


@pytest.mark.parametrize(
    "state",
    [s for s in RecordingState if s is not RecordingState.RECORDING],
)
async def test_only_a_running_recording_stores(
    tmp_path: Path, turns: dict[str, Samples], state: RecordingState
) -> None:
    """
    Off, pending, paused, finishing and all the ends: no page is ever written.
    """
    stage = Stage(tmp_path)
    stage.desire("ana", on_stage={"ana": False}, state=state)
    await stage.talk({"ana": turns["ana"][:24_000]})
    await stage.finish()

    assert pages_below(tmp_path) == []


async def test_a_superseded_or_ended_room_stores_nothing(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    A zombie whose Space has a higher epoch, or has ended, writes no further page.
    """
    for number, room in enumerate(({"epoch": 2}, {"live": False})):
        stage = Stage(tmp_path / str(number))
        stage.desire("ana", on_stage={"ana": False})
        await stage.keyed(1)
        stage.desire("ana", on_stage={"ana": False}, **room)  # type: ignore[arg-type] # one of two keywords
        await stage.talk({"ana": turns["ana"][:24_000]})
        await stage.finish()

    assert pages_below(tmp_path) == []


async def test_a_key_that_cannot_be_stored_keeps_the_gate_closed(
    tmp_path: Path, turns: dict[str, Samples]
) -> None:
    """
    Pages that nobody could ever read are not written; the gap says why.
    """
    stage = Stage(tmp_path)
    keys = tmp_path / "keys"
    keys.rmdir()
    keys.write_text("not a folder")
    stage.desire("ana", on_stage={"ana": False})
    await stage.talk({"ana": turns["ana"][:24_000]})

    keys.unlink()
    keys.mkdir()
    await stage.clock.advance(2)
    await stage.keyed(1)
    await stage.talk({"ana": turns["ana"]})
    await stage.finish()
    render(stage.stores, a_job("ana"))

    (gap,) = rendered_manifest(stage.stores).gaps
    assert (gap.reason.value, gap.from_ms) == ("key-unavailable", 0)
