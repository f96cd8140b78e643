"""Brings a voice slowly to the loudness that all voices of a room have."""

import math
from typing import Final

import numpy as np

from spaces_contract.media import BLOCK_SAMPLES

from .levels import SILENCE_DBOV
from .mixer import Mix
from .opus import Block

# Of speech, without its pauses; clients with AGC send 20 to 26.
TARGET_DBOV: Final = 24.0
TOLERANCE_DB: Final = 3.0  # nobody minds; whoever is within it is left untouched
EARLY_TOLERANCE_DB: Final = 6.0  # a first sentence may be louder than its speaker
ARRIVED_DB: Final = 0.5  # once begun, it is brought so close
MAX_GAIN_DB: Final = 12.0  # up or down: more would raise the noise of the room
SPEECH_DBOV: Final = 48  # louder blocks may be speech,
ABOVE_NOISE_DB: Final = 10  # if they are so much louder than the noise around
FLOOR_RISE_DB: Final = 0.1  # a block: what does not pause for seconds is noise
FIRST_BLOCKS: Final = 50  # of speech, before anything is judged: a second
MEMORY_BLOCKS: Final = 200  # of speech: 4 s
REVIEW_BLOCKS: Final = 5  # of speech: 100 ms
RISE_DB: Final = 0.3  # at a review: 3 dB for each second that somebody speaks
FALL_DB: Final = 0.6
POWERS: Final = [10 ** (-level / 10) for level in range(SILENCE_DBOV + 1)]


class Leveller:
    """
    The gain of one voice, which follows its speech and nothing else.

    It stands still in pauses and in noise, so that neither pumps, and moves at most
    3 dB in a second of speech.  Loudness is the mean power of `MEMORY_BLOCKS`.
    """

    def __init__(self) -> None:
        self.gain_db = 0.0
        self._applied = 1.0
        self._moving = False
        self._floor: float | None = None  # level of the noise around
        self._power = 0.0
        self._blocks = 0  # of speech

    def level(self, block: Block, level_dbov: int) -> Mix:
        """
        Return `block` as loud as it should be; itself where it is so already.

        Args:
            block: `int16` of shape `(960,)`.
            level_dbov: Its RFC 6464 level.

        Returns:
            `int16`, or `int32` where a gain was applied: it may exceed 16 bits.
        """
        if self._is_speech(level_dbov):
            self._listen(level_dbov)
        gain = 10 ** (self.gain_db / 20) if self.gain_db else 1.0
        before, self._applied = self._applied, gain
        if gain != before:
            curve = np.linspace(before, gain, BLOCK_SAMPLES, dtype=np.float32)
            return (block * curve).astype(np.int32)
        if gain == 1.0:
            return block
        return (block * np.float32(gain)).astype(np.int32)

    def _is_speech(self, level: int) -> bool:
        if level == SILENCE_DBOV:  # a muted microphone says nothing of its noise
            return False
        if self._floor is None:
            self._floor = level
        self._floor = max(level, self._floor - FLOOR_RISE_DB)
        return level <= min(SPEECH_DBOV, self._floor - ABOVE_NOISE_DB)

    def _listen(self, level: int) -> None:
        self._blocks += 1
        weight = 1 / min(self._blocks, MEMORY_BLOCKS)
        self._power += (POWERS[level] - self._power) * weight
        if self._blocks >= FIRST_BLOCKS and self._blocks % REVIEW_BLOCKS == 0:
            self._review()

    def _review(self) -> None:
        too_soft_db = -10 * math.log10(self._power) - TARGET_DBOV
        wanted_db = min(MAX_GAIN_DB, max(-MAX_GAIN_DB, too_soft_db))
        missing = wanted_db - self.gain_db
        early = self._blocks < MEMORY_BLOCKS
        tolerance_db = EARLY_TOLERANCE_DB if early else TOLERANCE_DB
        self._moving = abs(missing) > (ARRIVED_DB if self._moving else tolerance_db)
        if self._moving:
            self.gain_db += min(RISE_DB, max(-FALL_DB, missing))
