"""AAC-LC of one stream, a thousand samples at a time."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from spaces_contract.hls import BIT_RATE_BPS
from spaces_contract.media import SAMPLE_RATE_HZ

from ..audio.opus import Block

FRAME_SAMPLES: Final = 1_024
PRIMING_FRAMES: Final = 1  # what an encoder says before its first sample
FULL_SCALE: Final = 32_768.0
TIME_BASE: Final = Fraction(1, SAMPLE_RATE_HZ)


class AacEncoder:
    """
    Encodes blocks without a seam; frames are raw, without any header.

    Frame `k` (from 0) holds the samples from `(k - PRIMING_FRAMES) * FRAME_SAMPLES`.
    """

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("aac", "w")
        self._codec.sample_rate = SAMPLE_RATE_HZ
        self._codec.layout = "mono"
        self._codec.format = "fltp"
        self._codec.bit_rate = BIT_RATE_BPS
        self._codec.time_base = TIME_BASE
        self._rest = np.empty(0, np.float32)  # shorter than a frame
        self._position = 0

    def encode(self, blocks: list[Block]) -> list[bytes]:
        """Return the frames that `blocks`, each `int16`, bring to their end."""
        added = np.concatenate(blocks).astype(np.float32) / FULL_SCALE
        samples = np.concatenate([self._rest, added])
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[whole:]
        frames = samples[:whole].reshape(-1, 1, FRAME_SAMPLES)
        return [packet for frame in frames for packet in self._encode_frame(frame)]

    def _encode_frame(self, samples: NDArray[np.float32]) -> list[bytes]:
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.time_base = TIME_BASE
        frame.pts = self._position
        self._position += FRAME_SAMPLES
        return [bytes(packet) for packet in self._codec.encode(frame)]
