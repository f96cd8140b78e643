"""Mixes blocks of several speakers, with and without each of them."""

from collections.abc import Mapping
from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from spaces_contract.media import BLOCK_SAMPLES

from .opus import Block

Sum = NDArray[np.int32]
Mix = Sum | Block  # of several voices, or one voice alone
SpeakerT = TypeVar("SpeakerT", bound=str)

FULL_SCALE: Final = 32_767
CEILING: Final = 29_200.0  # -1 dBFS: room for what a codec overshoots
SLICES: Final = 4  # the limiter's gain moves in steps of 5 ms
SLICE_SAMPLES: Final = BLOCK_SAMPLES // SLICES
RELEASE_PER_SLICE: Final = 0.02  # from half gain to full in 125 ms


def mix_minus(
    blocks: Mapping[SpeakerT, Mix],
) -> tuple[Sum, dict[SpeakerT, Sum]]:
    """
    Mix one block of every speaker, once for all and once without each of them.

    Args:
        blocks:
            Speaker id -> samples, each `int16`, or `int32` where it was made louder,
            of shape `(n,)`, mono, 48 kHz.  Every block has the same `n`.

    Returns:
        `(full, minus)`: `full` is the sum of all speakers, `int32` of shape `(n,)`;
        `minus[s]` is that sum without `s`, so that nobody hears themselves.  Sums
        are exact; a `SoftLimiter` for each hearer brings them to `int16`.

    Raises:
        ValueError: `blocks` is empty, or the blocks differ in length.
    """
    if not blocks:
        raise ValueError("at least one speaker is needed")
    stacked = np.array(list(blocks.values()), np.int32)  # (speakers, n)
    total = stacked.sum(axis=0, dtype=np.int32)  # (n,)
    return total, {
        speaker: total - row for speaker, row in zip(blocks, stacked, strict=True)
    }


class SoftLimiter:
    """
    Brings a mix to `int16` by turning it down where it is too loud.

    Gain falls within 5 ms and returns slowly; only the first 5 ms of a sudden peak
    may be clipped.  What is below -1 dBFS passes unchanged, bit for bit, and so does
    one voice alone: it fits as its sender sent it.
    """

    def __init__(self) -> None:
        self._gain = 1.0  # at the end of the last block

    def limit(self, mix: Mix) -> Block:
        """Return `mix`, `int32` or `int16` of shape `(960,)`, as `int16`."""
        if mix.dtype == np.int16:
            if self._gain == 1.0:
                return cast(Block, mix)
            mix = mix.astype(np.int32)  # abs(-32768) has to fit
        if self._gain == 1.0 and mix.max() <= CEILING and mix.min() >= -CEILING:
            return mix.astype(np.int16)
        peaks = np.abs(mix).reshape(SLICES, SLICE_SAMPLES).max(axis=1)
        allowed = np.minimum(1.0, CEILING / np.maximum(peaks, 1.0)).tolist()
        gains = [self._gain]
        for index, own in enumerate(allowed):
            following = allowed[index + 1] if index + 1 < SLICES else 1.0
            gains.append(min(own, following, gains[-1] + RELEASE_PER_SLICE))
        self._gain = gains[-1]
        curve = np.interp(POSITIONS, KNOTS, gains)
        return np.clip(mix * curve, -FULL_SCALE, FULL_SCALE).astype(np.int16)


POSITIONS: Final = np.arange(BLOCK_SAMPLES)
KNOTS: Final = np.arange(SLICES + 1) * SLICE_SAMPLES
