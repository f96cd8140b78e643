"""How like what was heard is to what was said, whatever the delay."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tests.speech import SAMPLE_RATE_HZ, Samples

ENVELOPE_SAMPLES: Final = SAMPLE_RATE_HZ // 100  # 10 ms: syllables, not pitch
WINDOW_SAMPLES: Final = SAMPLE_RATE_HZ * 2 // 5
PHRASE: Final = 160  # of the envelope: long enough not to be like any other phrase
# Clocks and jitter buffers stretch speech, and wait once where packets are late: each
# window may find itself so far from where all of it is most alike.
SLACK_SAMPLES: Final = SAMPLE_RATE_HZ // 2
AUDIBLE_RMS: Final = 200.0  # about -44 dBFS; below, codecs owe no waveform

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """
    Two correlations, each 1 for a copy and near 0 for another voice.

    Args:
        envelope: Of the loudness over time: mean over phrases of 1.6 s.
        waveform: Median over windows of 400 ms that hold speech; 0 without any.
    """

    envelope: float
    waveform: float


def likeness(heard: Samples, said: Samples) -> Likeness:
    """
    Compare `heard` with `said`, which was played in a loop; both 48 kHz mono.

    Raises:
        ValueError: what was heard is shorter than a phrase.
    """
    if len(heard) < PHRASE * ENVELOPE_SAMPLES:
        raise ValueError("too little was heard to compare")
    looped = np.tile(said.astype(np.float64), 2 + len(heard) // len(said))
    spoken = heard.astype(np.float64)
    loud, heard_loud = _envelope(looped), _envelope(spoken)
    lag = int(np.argmax(_correlation(loud, heard_loud)))
    return Likeness(
        envelope=_phrases(heard_loud, loud, lag),
        waveform=_waveform(spoken, looped, lag * ENVELOPE_SAMPLES),
    )


def rms(samples: npt.NDArray[Any]) -> float:
    """Return the root mean square, in the samples' own unit."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


def _phrases(heard: Floats, looped: Floats, lag: int) -> float:
    slack = SLACK_SAMPLES // ENVELOPE_SAMPLES
    scores = []
    for start in range(0, len(heard) - PHRASE + 1, PHRASE // 2):
        first = max(0, lag + start - slack)
        near = looped[first : first + PHRASE + 2 * slack]
        if len(near) >= PHRASE:
            scores.append(_correlation(near, heard[start : start + PHRASE]).max())
    return float(np.mean(scores)) if scores else 0.0


def _waveform(heard: Floats, looped: Floats, lag: int) -> float:
    scores = []
    for start in range(0, len(heard) - WINDOW_SAMPLES, WINDOW_SAMPLES):
        window = heard[start : start + WINDOW_SAMPLES]
        if rms(window) < AUDIBLE_RMS:
            continue
        first = max(0, lag + start - SLACK_SAMPLES)
        near = looped[first : first + WINDOW_SAMPLES + 2 * SLACK_SAMPLES]
        if len(near) > WINDOW_SAMPLES:
            scores.append(float(_correlation(near, window).max()))
    return float(np.median(scores)) if scores else 0.0


def _envelope(samples: Floats) -> Floats:
    whole = len(samples) // ENVELOPE_SAMPLES * ENVELOPE_SAMPLES
    blocks = samples[:whole].reshape(-1, ENVELOPE_SAMPLES)
    loudness: Floats = np.sqrt(np.mean(np.square(blocks), axis=1))
    return loudness


def _correlation(long: Floats, short: Floats) -> Floats:
    """Return Pearson's r of `short` with every window of `long` of its length."""
    size = len(long) + len(short)
    centred = short - short.mean()
    products = np.fft.irfft(
        np.fft.rfft(long, size) * np.conj(np.fft.rfft(centred, size)), size
    )[: len(long) - len(short) + 1]
    spread = _window_spread(long, len(short)) * np.sqrt(np.sum(np.square(centred)))
    scores: Floats = products / np.maximum(spread, 1e-9)
    return scores


def _window_spread(samples: Floats, length: int) -> Floats:
    """Return the root of the centred sum of squares of every window."""
    sums = np.concatenate([[0.0], np.cumsum(samples)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(samples))])
    total = sums[length:] - sums[:-length]
    energy = squares[length:] - squares[:-length]
    spread: Floats = np.sqrt(np.maximum(energy - np.square(total) / length, 0.0))
    return spread
