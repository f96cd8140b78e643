"""Loudness of blocks, and who is talking."""

from bisect import bisect
from dataclasses import dataclass
from typing import Final

import numpy as np

from .opus import Block

SILENCE_DBOV: Final = 127  # RFC 6464: digital silence; 0 is the loudest
OVERLOAD_RMS: Final = 32_768.0  # 0 dBov: RFC 6464 3
# Mean squares at which one level ends and the next louder one begins.
POWERS: Final = [
    OVERLOAD_RMS**2 * 10 ** (-(level + 0.5) / 10)
    for level in range(SILENCE_DBOV - 1, -1, -1)
]


def level_dbov(block: Block) -> int:
    """Return the RFC 6464 level of `block`: 0 is loudest, 127 is silence."""
    # Neither BLAS nor a logarithm: their code is cold when the next tick comes, and
    # costs more than the sum.
    samples = block.astype(np.int64)
    return SILENCE_DBOV - bisect(POWERS, int(samples.dot(samples)) / samples.size)


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
