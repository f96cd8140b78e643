"""Recorded human speech of `tests/data`, as samples and as files for Chromium."""

import wave
from pathlib import Path
from typing import Any, Final

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


def silence(like: npt.NDArray[Any]) -> Samples:
    """Return as much silence as `like` has samples."""
    return np.zeros(len(like), np.int16)
