"""
Finds a voice without consent in the microphone of somebody who consents.

What the room hears of those who did not consent is correlated, at lags of 20 to
400 ms, with what each consenting speaker sends: whitened (GCC-PHAT), so that an echo
20 dB below a voice still stands out, and summed up over about a second, since an echo's
lag stays while chance moves on.  All of it is in memory alone, and gone in seconds.

The thresholds are in units of the correlation's own deviation.  Measured on recorded
speech through Opus: clean talk at the same time is nearly always below 12 at once and
9 summed up, rarely at 15 and 12; an echo alone is at 28 to 60; one 20 dB below a voice
that talks over it at 6 to 22.  What that costs, `python -m tests.benchmarks recording`
says.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spaces_contract.ids import UserId
from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ

from ..audio.opus import Block

RATE_HZ: Final = 8_000
STEP: Final = SAMPLE_RATE_HZ // RATE_HZ
BLOCK: Final = BLOCK_SAMPLES // STEP
WINDOW: Final = RATE_HZ // 2  # of the microphone
MAX_LAG: Final = RATE_HZ * 2 // 5
MIN_LAG: Final = RATE_HZ // 50
HISTORY: Final = WINDOW + MAX_LAG
SIZE: Final = 8_192  # holds both without wrapping into the lags
AUDIBLE_RMS: Final = 60.0  # -55 dBov: quieter than this nobody is heard
MIC_RMS: Final = 10.0
AT_ONCE: Final = 13.0
SUMMED: Final = 9.0
KNOWN: Final = 5.0  # at a lag at which an echo was found before
DECAY: Final = 0.9
LEAST_WEIGHT: Final = 2.5  # of a sum: three windows
NEAR: Final = RATE_HZ // 1_000  # lags within a millisecond are the same
KEEP_CHECKS: Final = 80  # 10 s of the other's talk without echo, and it is forgotten
MAX_PATHS: Final = 13 * 12  # of as many people on stage; 13 KB each
_FLOOR: Final = 0.02

Samples = NDArray[np.float32]
Spectrum = NDArray[np.complexfloating[Any, Any]]
Floats = NDArray[np.floating[Any]]

_HERTZ = np.fft.rfftfreq(SIZE, 1 / RATE_HZ)
_VOICED = (_HERTZ > 150) & (_HERTZ < 3_600)
_MEAN = np.full(STEP, 1 / STEP, np.float32)
_HANN = np.hanning(WINDOW).astype(np.float32)


@dataclass(slots=True)
class _Path:
    """What is known of one voice in one microphone."""

    total: Samples = field(default_factory=lambda: np.zeros(MAX_LAG + 1, np.float32))
    weight: float = 0.0
    known_at: int | None = None
    unheard: int = 0


class EchoGuard:
    """
    Listens to the stage; `check` says whose microphone holds whose voice.

    `hear` is cheap and called with every tick; `check` costs three FFTs of 8,192 points
    and is for a thread.  They must not overlap: `check` works on a `snapshot`.
    """

    def __init__(self) -> None:
        self._heard: dict[UserId, Samples] = {}
        self._ticks: deque[Mapping[UserId, Block]] = deque(maxlen=HISTORY // BLOCK)
        self._paths: dict[tuple[UserId, UserId], _Path] = {}  # last used, last

    def hear(self, blocks: Mapping[UserId, Block]) -> None:
        """
        Take what each speaker adds to the mix of one tick; silence is left out.

        Args:
            blocks: Nobody may change these any more.
        """
        self._ticks.append(blocks)

    def forget(self) -> None:
        """Let go of what was heard."""
        self._ticks.clear()
        self._heard.clear()

    def snapshot(self) -> dict[UserId, Samples]:
        """Return the last 0.9 s of everybody who was heard in them."""
        ticks = list(self._ticks)
        self._ticks.clear()
        people = self._heard.keys() | {uid for blocks in ticks for uid in blocks}
        moved = {user_id: self._moved(user_id, ticks) for user_id in people}
        self._heard = {uid: history for uid, history in moved.items() if history.any()}
        return dict(self._heard)

    def _moved(self, user_id: UserId, ticks: list[Mapping[UserId, Block]]) -> Samples:
        """Return somebody's history with these ticks at its end."""
        fresh = np.zeros((len(ticks), BLOCK_SAMPLES), np.float32)
        for row, blocks in zip(fresh, ticks, strict=True):
            block = blocks.get(user_id)
            if block is not None:
                row[:] = block
        history = np.zeros(HISTORY, np.float32)
        size = len(ticks) * BLOCK
        before = self._heard.get(user_id)
        if before is not None:
            history[: HISTORY - size] = before[size:]
        history[HISTORY - size :] = fresh.reshape(-1, STEP) @ _MEAN
        return history

    def check(
        self,
        heard: Mapping[UserId, Samples],
        *,
        consenting: Iterable[UserId],
        others: Iterable[UserId],
    ) -> set[UserId]:
        """
        Return who of the consenting sends the voice of one of the others just now.

        Args:
            heard: A snapshot; to be taken about eight times a second.
        """
        microphones = {
            user_id: _whole(heard[user_id][-WINDOW:] * _HANN)
            for user_id in consenting
            if user_id in heard and _rms(heard[user_id][-WINDOW:]) > MIC_RMS
        }
        voices = {
            user_id: _whole(heard[user_id])
            for user_id in others
            if user_id in heard and _rms(heard[user_id]) > AUDIBLE_RMS
        }
        return {
            speaker
            for speaker, microphone in microphones.items()
            for other, voice in voices.items()
            if other != speaker  # who has just agreed
            and self._echoes(speaker, other, _likeness(microphone, voice))
        }

    def _echoes(self, speaker: UserId, other: UserId, likeness: Samples) -> bool:
        path = self._path(speaker, other)
        path.total = DECAY * path.total + likeness
        path.weight = DECAY * DECAY * path.weight + 1
        summed = np.abs(path.total) / _deviation(path.total)
        lag, found = _peak(np.abs(likeness), AT_ONCE)
        if not found and path.weight > LEAST_WEIGHT:
            lag, found = _peak(summed, SUMMED)
        if not found and path.known_at is not None:
            near = summed[max(0, path.known_at - NEAR) : path.known_at + NEAR + 1]
            lag, found = path.known_at, bool(near.max() > KNOWN)
        if found:
            path.known_at, path.unheard = lag, 0
        elif path.known_at is not None:
            path.unheard += 1
            if path.unheard > KEEP_CHECKS:
                path.known_at = None
        return found

    def _path(self, speaker: UserId, other: UserId) -> _Path:
        path = self._paths.pop((speaker, other), None) or _Path()
        self._paths[speaker, other] = path
        if len(self._paths) > MAX_PATHS:  # people have gone since
            del self._paths[next(iter(self._paths))]
        return path


def _whole(samples: Samples) -> Spectrum:
    spectrum: Spectrum = np.fft.rfft(samples, SIZE)
    return spectrum


def _likeness(microphone: Spectrum, voice: Spectrum) -> Samples:
    """Return the whitened correlation by place in the voice, deviation 1."""
    cross = np.conj(microphone) * voice
    size = np.abs(cross)
    floor = _FLOOR * size[_VOICED].mean() + 1e-9
    white = np.where(_VOICED, cross / (size + floor), 0)
    # Place 0 is the voice `MAX_LAG` ago, the last one the voice just now.
    correlation = np.fft.irfft(white, SIZE)[: MAX_LAG + 1]
    likeness: Samples = (correlation / _deviation(correlation)).astype(np.float32)
    return likeness


def _peak(values: Floats, threshold: float) -> tuple[int, bool]:
    place = int(np.argmax(values[: MAX_LAG + 1 - MIN_LAG]))
    return place, bool(values[place] > threshold)


def _deviation(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) + 1e-12


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))
