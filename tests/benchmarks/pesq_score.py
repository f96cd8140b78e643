"""PESQ, wide band (ITU-T P.862.2), of what was heard against what was said."""

import functools
import importlib
import importlib.util
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tests.audio import Samples, alignment
from tests.speech import SAMPLE_RATE_HZ

RATE_HZ: Final = 16_000
STEP: Final = SAMPLE_RATE_HZ // RATE_HZ
HALF_TAPS: Final = 96  # of the low-pass before every third sample is kept
CUT_OFF: Final = 2 * 7_600 / SAMPLE_RATE_HZ


def is_installed() -> bool:
    """Tell whether the package `pesq` is there; to build it takes a C compiler."""
    return importlib.util.find_spec("pesq") is not None


def pesq(said: Samples, heard: Samples) -> float:
    """
    Return from 1.04, unbearable, to 4.64, the same.

    Args:
        said: 48 kHz.
        heard: Likewise, from before its beginning in `heard` on; however late.
    """
    module: Any = importlib.import_module("pesq")  # it has no types
    lag = max(0, alignment(said, heard))
    whole = np.zeros_like(said)
    part = heard[lag : lag + said.size]
    whole[: part.size] = part
    return float(module.pesq(RATE_HZ, _at_16_khz(said), _at_16_khz(whole), "wb"))


def _at_16_khz(samples: Samples) -> Samples:
    low = np.convolve(samples.astype(np.float64), _low_pass(), "same")[::STEP]
    return np.clip(low, -32_768, 32_767).astype(np.int16)


@functools.cache
def _low_pass() -> npt.NDArray[np.float64]:
    taps = np.arange(-HALF_TAPS, HALF_TAPS + 1)
    shape = np.sinc(taps * CUT_OFF) * np.kaiser(taps.size, 8)
    return np.asarray(shape / shape.sum(), np.float64)
