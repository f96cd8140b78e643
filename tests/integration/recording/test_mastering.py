"""From mix to file in parts at the same time: nobody hears where they meet."""

import itertools
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from media_worker.recording import sound
from media_worker.recording.loudness import Meter, integrated, measured
from media_worker.recording.mastering import gain_for, write_m4a
from media_worker.recording.sound import LEAD, Sound
from tests.audio import Samples, snr_db
from tests.speech import DATA, load

LENGTH = 6 * LEAD + 12_345  # 9.9 s: no whole number of anything


@pytest.fixture(scope="module")
def mix() -> Samples:
    """Return two readings at once."""
    one, other = (load(path) for path in sorted(DATA.glob("*.wav")))
    whole: Samples = np.resize(one, LENGTH) // 2 + np.resize(other, LENGTH) // 6
    return whole.astype(np.int16)


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return what sets how long a part is."""
    return lambda samples: monkeypatch.setattr(sound, "PART", samples)


def decoded(path: Path) -> NDArray[np.float64]:
    """Return the samples of a file."""
    with av.open(str(path), "r") as file:
        frames = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    return np.concatenate(frames).astype(np.float64) * 32_768


def test_parts_meet_without_a_trace(
    tmp_path: Path, mix: Samples, parted: Callable[[int], None]
) -> None:
    """
    Written in parts of 3.2 s or at once: as long, as loud, and around each seam as
    true to the mix as anywhere.
    """
    files, loudness = {}, {}
    for name, part in (("parts", 2 * LEAD), ("whole", 100 * LEAD)):
        parted(part)
        path = tmp_path / name
        loudness[name] = write_m4a(path, Sound.of_array(mix), gain_db=0)
        files[name] = decoded(path)

    assert len(files["parts"]) == len(files["whole"])
    assert loudness["parts"] == pytest.approx(loudness["whole"], abs=0.05)
    for seam in range(2 * LEAD, LENGTH - 4_096, 2 * LEAD):
        around = slice(seam - 2_048, seam + 2_048)
        there = snr_db(mix[around], files["parts"][around])
        assert there > snr_db(mix[around], files["whole"][around]) - 3


def test_readings_add_up(mix: Samples, parted: Callable[[int], None]) -> None:
    """
    Measured while it is made, in parts, or at once: the same loudness; louder by what
    is asked for, until the limiter takes some of it.
    """
    meter = Meter()
    for at in range(0, LENGTH, 48_000):
        meter.push(mix[at : at + 48_000])
    plain = integrated(meter.readings())
    found = []
    for part in (LEAD, 100 * LEAD):
        parted(part)
        found.append(integrated(measured(Sound.of_array(mix), gain_db=6)))

    assert plain is not None
    assert found == pytest.approx([plain + 6] * 2, abs=0.05)


@pytest.mark.parametrize("below_db", [0, 12])
def test_loud_and_quiet_mixes_come_out_alike(
    tmp_path: Path, mix: Samples, below_db: float
) -> None:
    """
    At -16 LUFS, whatever the limiter takes.
    """
    quiet = (mix * 10 ** (-below_db / 20)).astype(np.int16)
    whole = Sound.of_array(quiet)

    gain_db = gain_for(whole, measured(whole, gain_db=0))

    assert write_m4a(tmp_path / "a", whole, gain_db=gain_db) == pytest.approx(
        -16, abs=0.5
    )


def test_silence_is_written_as_it_is(tmp_path: Path) -> None:
    """
    No loudness, no gain, and a file all the same.
    """
    silent = Sound.of_array(np.zeros(60_000, np.int16))

    assert gain_for(silent, measured(silent, gain_db=0)) == 0
    assert write_m4a(tmp_path / "a", silent, gain_db=0) is None
    assert not decoded(tmp_path / "a").any()


def test_a_file_is_read_as_an_array_is(tmp_path: Path, mix: Samples) -> None:
    """
    Whole, in seconds, and from within.
    """
    path = tmp_path / "mix"
    path.write_bytes(mix.tobytes())
    one, other = Sound.of_file(path), Sound.of_array(mix)

    assert one.samples == other.samples
    for start, end in itertools.pairwise((0, 1, 48_001, LENGTH)):
        assert np.array_equal(one.read(start, end), other.read(start, end))
    assert np.array_equal(np.concatenate(list(one.blocks())), mix)
