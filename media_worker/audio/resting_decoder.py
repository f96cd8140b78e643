"""Spares decoding a silence that does not change."""

from collections import deque
from typing import Final, Protocol

import numpy as np

from spaces_contract.media import BLOCK_SAMPLES

from .opus import Block

CYCLE_PACKETS: Final = 4  # an encoder at rest repeats itself within so many, mostly 2
INAUDIBLE: Final = 2  # of 32,767
SILENCE: Final[Block] = np.zeros(BLOCK_SAMPLES, np.int16)
SILENCE.flags.writeable = False  # one for all


class SpeechDecoder(Protocol):
    """What `audio.opus.Decoder` does; see there."""

    def decode(self, payload: bytes) -> Block:
        """Return the samples of `payload`."""
        ...

    def decode_lost(self, next_payload: bytes, samples: int) -> Block:
        """Return the lost packet before `next_payload`."""
        ...

    def conceal(self, samples: int) -> Block:
        """Return samples that go on from the last."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class RestingDecoder:
    """
    Decodes by another decoder, but for silence that repeats itself.

    A client whose microphone is off, and who has no DTX, sends the same packet or two
    for ever.  Once they have decoded to silence, they will again: `SILENCE` is
    returned, and the decoder rests in the state in which those packets keep it.
    """

    def __init__(self, decoder: SpeechDecoder) -> None:
        self._decoder = decoder
        self._recent: deque[bytes] = deque(maxlen=CYCLE_PACKETS)
        self._silent: set[bytes] = set()  # of the recent ones

    def decode(self, payload: bytes) -> Block:
        """Return the samples of `payload`; they may be `SILENCE` itself."""
        if payload in self._silent:
            return SILENCE
        samples = self._decoder.decode(payload)
        if payload not in self._recent:
            self._silent.clear()
            self._recent.append(payload)
        elif samples.size == BLOCK_SAMPLES and _is_inaudible(samples):
            self._silent.add(payload)
        return samples

    def decode_lost(self, next_payload: bytes, samples: int) -> Block:
        """Return the lost packet before `next_payload`."""
        self._wake()
        return self._decoder.decode_lost(next_payload, samples)

    def conceal(self, samples: int) -> Block:
        """Return samples that go on from the last."""
        self._wake()
        return self._decoder.conceal(samples)

    def _wake(self) -> None:
        self._recent.clear()
        self._silent.clear()

    def close(self) -> None:
        """Free the decoder."""
        self._decoder.close()


def _is_inaudible(samples: Block) -> bool:
    return int(samples.max()) <= INAUDIBLE and int(samples.min()) >= -INAUDIBLE
