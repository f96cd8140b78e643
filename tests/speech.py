"""Recorded human speech of `tests/data`, as samples and as files for Chromium."""

import wave
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

DATA: Final = Path(__file__).parent / "data"
SAMPLE_RATE_HZ: Final = 48_000

Samples = npt.NDArray[np.int16]


def load(path: Path) -> Samples:
    """
    Read a WAV file: mono, 16 bit, 48 kHz.

    Raises:
        ValueError: it has another form.
    """
    with wave.open(str(path)) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if form != (1, 2, SAMPLE_RATE_HZ):
            raise ValueError(f"{path.name} is not mono, 16 bit, 48 kHz: {form}")
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def conversation(speakers: int) -> list[Samples]:
    """Return one loop for each speaker; all are as long, and one talks at a time."""
    paths = sorted(DATA.glob("*.wav"))
    turns = [load(paths[number % len(paths)]) for number in range(speakers)]
    return [
        np.concatenate([said if mine else np.zeros_like(said) for mine, said in parts])
        for parts in (
            [(turn == number, said) for turn, said in enumerate(turns)]
            for number in range(speakers)
        )
    ]
