"""Tones, synthetic voices, and how alike two recordings are."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE_HZ = 48_000
BLOCK = 960  # 20 ms


def tone(
    frequency_hz: float, *, amplitude: float = 8_000, seconds: float = 0.02
) -> Samples:
    """Return a sine as `int16`, shape `(n,)`, 48 kHz, beginning at phase 0."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = amplitude * np.sin(2 * np.pi * frequency_hz * time_s)
    return np.round(wave).astype(np.int16)


def voice(
    seconds: float, *, pitch_hz: float = 120, amplitude: float = 6_000, seed: int = 1
) -> Samples:
    """Return something like speech: gliding harmonics in syllables, and breath."""
    noise = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * time_s + seed))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    turn = np.exp(1j * phase)
    # Horner's way to the sum of sin(k * phase) / k: a third of the time of 24 sines.
    tones: NDArray[np.complex128] = np.zeros_like(turn)
    for k in range(24, 0, -1):
        tones += 1 / k
        tones *= turn
    syllables = np.clip(0.55 + 0.6 * np.sin(2 * np.pi * 3.1 * time_s), 0.02, 1)
    wave = amplitude * 0.5 * tones.imag * syllables + noise.normal(0, 30, time_s.size)
    return np.clip(wave, -32_000, 32_000).astype(np.int16)


def blocks_of(samples: Samples) -> list[Samples]:
    """Return whole blocks of 20 ms; what is left over is dropped."""
    whole = samples.size // BLOCK * BLOCK
    return list(samples[:whole].reshape(-1, BLOCK))


def level_at(samples: NDArray[Any], frequency_hz: float) -> float:
    """Return the amplitude of the sine at `frequency_hz` within `samples`."""
    signal = samples.astype(np.float64)
    time_s = np.arange(signal.size) / RATE_HZ
    turn = np.exp(-2j * np.pi * frequency_hz * time_s)
    return float(2 * abs(np.mean(signal * turn)))


def rms(samples: NDArray[Any]) -> float:
    """Return the root mean square of `samples`."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def snr_db(reference: NDArray[Any], heard: NDArray[Any]) -> float:
    """Return how far below `reference` the difference lies; infinite when equal."""
    signal = reference.astype(np.float64)
    noise = float(np.sum((signal - heard) ** 2))
    return math.inf if noise == 0 else 10 * math.log10(np.sum(signal**2) / noise)


def alignment(source: NDArray[Any], heard: NDArray[Any]) -> int:
    """Return how many samples `heard` lags behind `source`, by cross-correlation."""
    size = 1 << (source.size + heard.size - 1).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(
        np.fft.rfft(source.astype(np.float64), size)
    )
    correlation = np.fft.irfft(spectrum, size)
    lag = int(np.argmax(correlation))
    return lag if lag < size // 2 else lag - size


def similarity(source: NDArray[Any], heard: NDArray[Any]) -> float:
    """Return the normalised correlation after alignment: 1 is the same, 0 unlike."""
    lag = alignment(source, heard)
    first = source[max(0, -lag) :].astype(np.float64)
    second = heard[max(0, lag) :].astype(np.float64)
    size = min(first.size, second.size)
    first, second = first[:size], second[:size]
    power = float(np.sqrt(np.sum(first**2) * np.sum(second**2)))
    return 0.0 if power == 0 else float(np.sum(first * second)) / power


def roughness(samples: Samples) -> float:
    """Return the largest jump between neighbouring samples: a click shows here."""
    return float(np.max(np.abs(np.diff(samples.astype(np.float64)))))
