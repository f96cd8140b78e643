"""Shortens or lengthens speech by one pitch period, inaudibly."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .opus import Block

MIN_LAG_SAMPLES: Final = 120  # 2.5 ms: 400 Hz
MAX_LAG_SAMPLES: Final = 480  # 10 ms: two periods of it fit into one block
STEP: Final = 4  # search at 12 kHz; finer gains nothing audible
QUIET_RMS: Final = 60.0  # about -55 dBov: any cut is inaudible


def shorten(samples: Block, most: int) -> Block:
    """
    Return `samples` without one period, or unchanged where `most` is too small.

    Args:
        samples: `int16`, shape `(n,)`, n >= 960.
        most: Largest number of samples to take out.
    """
    lag = _lag(samples, most)
    if lag is None:
        return samples
    joined = _crossfade(samples[:lag], samples[lag : 2 * lag])
    return np.concatenate([joined, samples[2 * lag :]])


def lengthen(samples: Block, most: int) -> Block:
    """Return `samples` with one period played twice; otherwise as `shorten`."""
    lag = _lag(samples, most)
    if lag is None:
        return samples
    joined = _crossfade(samples[lag : 2 * lag], samples[:lag])
    return np.concatenate([samples[:lag], joined, samples[lag:]])


def is_quiet(samples: Block) -> bool:
    """Tell whether nobody would hear what is cut out of `samples`."""
    signal = samples.astype(np.float32)
    return float(np.sqrt(np.mean(signal * signal))) < QUIET_RMS


def _lag(samples: Block, most: int) -> int | None:
    """Return the length to cut: the pitch period, or all there is in silence."""
    longest = min(most, MAX_LAG_SAMPLES, samples.size // 2)
    if longest < MIN_LAG_SAMPLES:
        return None
    signal = samples[: 2 * longest]
    if is_quiet(signal):
        return longest
    sparse = signal[::STEP].astype(np.float32)
    return _pitch(sparse, MIN_LAG_SAMPLES // STEP, longest // STEP) * STEP


def _pitch(signal: NDArray[np.float32], shortest: int, longest: int) -> int:
    """Return the lag at which `signal`, 2 * `longest` long, is most like itself."""
    later = signal[shortest:]
    scores = np.correlate(later, signal[:longest])
    energies = np.convolve(later * later, np.ones(longest, np.float32), "valid")
    return shortest + int(np.argmax(scores / np.sqrt(energies + 1.0)))


def _crossfade(first: Block, second: Block) -> Block:
    fade = np.linspace(0.0, 1.0, first.size, dtype=np.float32)
    mixed: Block = (first * (1.0 - fade) + second * fade).astype(np.int16)
    return mixed
