"""The short tone by which everybody hears that a recording begins."""

from functools import cache
from typing import Final

import numpy as np

from spaces_contract.ids import UserId
from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from spaces_contract.recording import RecordingState

from ..audio.opus import Block

CHIME: Final = UserId("")  # in the mix like a voice, and nobody's
TONES_HZ: Final = (660.0, 880.0)  # one after the other
TONE_BLOCKS: Final = 8  # 160 ms each
FADE_SAMPLES: Final = SAMPLE_RATE_HZ // 100
AMPLITUDE: Final = 3_000.0  # as loud as quiet speech

RECORDED: Final = frozenset({RecordingState.RECORDING, RecordingState.PAUSED})


def chime_between(before: RecordingState, after: RecordingState) -> tuple[Block, ...]:
    """Return the blocks to be mixed, one each tick; none where nothing has begun."""
    begins = after is RecordingState.RECORDING and before not in RECORDED
    return _chime() if begins else ()


@cache
def _chime() -> tuple[Block, ...]:
    samples = np.concatenate([_tone(hz) for hz in TONES_HZ])
    return tuple(samples.astype(np.int16).reshape(-1, BLOCK_SAMPLES))


def _tone(frequency_hz: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    count = TONE_BLOCKS * BLOCK_SAMPLES
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / FADE_SAMPLES
    wave = np.sin(2 * np.pi * frequency_hz * time_s)
    return AMPLITUDE * np.minimum(1.0, edge) * wave
