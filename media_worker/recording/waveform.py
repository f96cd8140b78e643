"""A recording's outline, for the replay page to draw."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spaces_contract.media import SAMPLE_RATE_HZ

WAVEFORM_SCHEMA: Final = 1
POINTS: Final = 1_000
FINEST_SAMPLES: Final = SAMPLE_RATE_HZ // 10
FULL: Final = 100


def waveform(
    blocks: Iterable[NDArray[np.int16]], samples: int, *, gain_db: float
) -> dict[str, Any]:
    """
    Return the peaks of about `POINTS` equal intervals, 0 to `FULL`.

    Args:
        blocks: All of `samples`, in order; what amplifies them is `gain_db`.
    """
    interval = max(FINEST_SAMPLES, -(-samples // POINTS))
    peaks = np.zeros(-(-samples // interval), np.float64)
    position = 0
    for block in blocks:
        loudest = np.abs(block.astype(np.float64))
        places = (position + np.arange(len(block))) // interval
        np.maximum.at(peaks, places, loudest)
        position += len(block)
    scale = 10 ** (gain_db / 20) * FULL / 32_768
    return {
        "schema": WAVEFORM_SCHEMA,
        "interval_ms": interval * 1_000 / SAMPLE_RATE_HZ,
        "peaks": [int(peak) for peak in np.minimum(FULL, np.round(peaks * scale))],
    }
