"""Encodes one mix, a block at a time, for everybody who hears it."""

from typing import Final

from .mixer import Mix, SoftLimiter
from .opus import Encoder
from .resting_decoder import SILENCE

# After this many silent blocks the packets say nothing new: the last one is sent
# again, which saves the encode and decodes to the same silence.
SETTLE_BLOCKS: Final = 25


class MixEncoder:
    """
    One Opus stream of one mix, limited softly.

    Lifecycle: open until `close`, which is idempotent.
    """

    def __init__(self) -> None:
        self._limiter = SoftLimiter()
        self._encoder = Encoder()
        self._silent_blocks = 0
        self._silence = b""

    def encode(self, mix: Mix | None) -> bytes:
        """Return one packet for `mix`, of shape `(960,)`; None is silence."""
        if mix is not None:
            self._silent_blocks = 0
            return self._encoder.encode(self._limiter.limit(mix))
        self._silent_blocks += 1
        if self._silent_blocks <= SETTLE_BLOCKS:
            self._silence = self._encoder.encode(SILENCE)
        return self._silence

    def expect_loss(self, percent: int) -> None:
        """Add in-band FEC worth `percent` of lost packets; 0 takes it out."""
        self._encoder.expect_loss(percent)

    def close(self) -> None:
        """Free the encoder; may be called again."""
        self._encoder.close()
