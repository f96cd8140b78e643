"""Loudness of blocks, and who is talking."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from .opus import Block

SILENCE_DBOV: Final = 127  # RFC 6464: digital silence; 0 is the loudest
OVERLOAD_RMS: Final = 32_768.0  # 0 dBov: RFC 6464 3


def level_dbov(block: Block) -> int:
    """Return the RFC 6464 level of `block`: 0 is loudest, 127 is silence."""
    # A dot product in float32 is exact enough for whole decibels, and fastest.
    samples = block.astype(np.float32)
    power = float(samples @ samples) / samples.size
    if power < 1e-6:
        return SILENCE_DBOV
    decibels = -20 * math.log10(math.sqrt(power) / OVERLOAD_RMS)
    return min(SILENCE_DBOV, max(0, round(decibels)))


@dataclass(slots=True)
class LevelGate:
    """
    Opens for sound louder than `open_dbov`, and closes a while after it ended.

    Args:
        open_dbov: RFC 6464 level; a block of this level or louder opens.
        confirm_blocks: Loud blocks in a row that it takes; 1 opens at once.
        hold_blocks: Quiet blocks in a row after which it closes.
    """

    open_dbov: int
    confirm_blocks: int
    hold_blocks: int
    is_open: bool = False
    _loud_blocks: int = 0
    _quiet_blocks: int = 0

    def update(self, level: int) -> bool:
        """Take the level of the next block; return whether the gate is open."""
        if level <= self.open_dbov:
            self._loud_blocks += 1
            self._quiet_blocks = 0
            self.is_open |= self._loud_blocks >= self.confirm_blocks
        else:
            self._loud_blocks = 0
            self._quiet_blocks += 1
            self.is_open &= self._quiet_blocks < self.hold_blocks
        return self.is_open

    def close(self) -> None:
        """Close at once, e.g. because the speaker was muted."""
        self.is_open = False
        self._loud_blocks = self._quiet_blocks = 0
