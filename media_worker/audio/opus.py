"""Opus coders over libopus: one stream each, `int16` mono at 48 kHz."""

from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ

from .libopus import (
    APPLICATION_AUDIO,
    SET_BITRATE,
    SET_COMPLEXITY,
    SET_DTX,
    SET_INBAND_FEC,
    SET_PACKET_LOSS_PERC,
    SET_SIGNAL,
    SIGNAL_MUSIC,
    SIGNAL_VOICE,
    ffi,
    library,
)
from .opus_packet import MAX_PACKET_SAMPLES

Block = NDArray[np.int16]

MAX_PACKET_BYTES: Final = 1_275  # RFC 6716 3.2.1: the largest frame
BITRATE_BPS: Final = 40_000
# Measured on one 2 GHz-class core, 20 ms of voice: libopus' voice modes (SILK,
# hybrid) cost 103 to 210 us by complexity, its music mode (CELT) at complexity 5
# costs 53 us at 40 kb/s, full band.  A mix is not one voice, so CELT suits it.  Less
# complexity saves a small room 0.2 % of a core and costs 0.05 PESQ.  Only the voice
# modes have FEC: `expect_loss` changes to them.
COMPLEXITY: Final = 5
CHANNELS: Final = 1
_SAMPLES: Final = ffi.typeof("int16_t[]")


class OpusError(Exception):
    """libopus refused a call or a packet."""


class CoderClosed(OpusError):
    """The coder was used after `close`."""


class Decoder:
    """
    Decodes one Opus stream; stereo is mixed down by libopus.

    Lifecycle: open until `close`, which is idempotent; then every call raises
    `CoderClosed`.
    """

    def __init__(self) -> None:
        self._lib = library()
        error = ffi.new("int *")
        self._state: Any = self._lib.opus_decoder_create(
            SAMPLE_RATE_HZ, CHANNELS, error
        )
        _check(self._lib, error[0])
        self._opus_decode = self._lib.opus_decode
        self._pcm = np.empty(MAX_PACKET_SAMPLES, np.int16)
        self._pcm_pointer = ffi.from_buffer(_SAMPLES, self._pcm)

    def decode(self, payload: bytes) -> Block:
        """
        Return the samples of `payload`, shape `(n,)`, 10 to 120 ms.

        Raises:
            OpusError: `payload` is no valid packet.
        """
        return self._decode(payload, MAX_PACKET_SAMPLES, fec=0)

    def decode_lost(self, next_payload: bytes, samples: int) -> Block:
        """
        Return `samples` of the lost packet before `next_payload`, from its FEC.

        Args:
            samples: Multiple of 120 (2.5 ms).

        Raises:
            OpusError: `next_payload` is no valid packet.
        """
        return self._decode(next_payload, samples, fec=1)

    def conceal(self, samples: int) -> Block:
        """
        Return `samples` that go on from what was decoded last (PLC).

        Args:
            samples: Multiple of 120 (2.5 ms).
        """
        return self._decode(None, samples, fec=0)

    def close(self) -> None:
        """Free the state; may be called again."""
        state, self._state = self._state, None
        if state is not None:
            self._lib.opus_decoder_destroy(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decode(self, payload: bytes | None, samples: int, *, fec: int) -> Block:
        if self._state is None:
            raise CoderClosed("decoder is closed")
        data = ffi.NULL if payload is None else payload
        size = 0 if payload is None else len(payload)
        count = self._opus_decode(
            self._state, data, size, self._pcm_pointer, samples, fec
        )
        if count < 0:
            _check(self._lib, count)
        return self._pcm[:count].copy()


class Encoder:
    """
    Encodes blocks of 20 ms to one Opus stream, tuned for a mix.  DTX is off.

    Lifecycle: as `Decoder`.
    """

    def __init__(
        self, *, bitrate_bps: int = BITRATE_BPS, complexity: int = COMPLEXITY
    ) -> None:
        self._lib = library()
        error = ffi.new("int *")
        self._state: Any = self._lib.opus_encoder_create(
            SAMPLE_RATE_HZ, CHANNELS, APPLICATION_AUDIO, error
        )
        _check(self._lib, error[0])
        self._opus_encode = self._lib.opus_encode
        self._data = ffi.new("unsigned char[]", MAX_PACKET_BYTES)
        self._packet = ffi.buffer(self._data)
        self._control(SET_BITRATE, bitrate_bps)
        self._control(SET_COMPLEXITY, complexity)
        self._control(SET_DTX, 0)
        self.expect_loss(0)

    def expect_loss(self, percent: int) -> None:
        """Add in-band FEC worth `percent` of lost packets; 0 takes it out."""
        self._control(SET_SIGNAL, SIGNAL_VOICE if percent else SIGNAL_MUSIC)
        self._control(SET_INBAND_FEC, int(percent > 0))
        self._control(SET_PACKET_LOSS_PERC, percent)

    def encode(self, block: Block) -> bytes:
        """
        Return one packet for `block`, contiguous `int16` of shape `(960,)`.

        Raises:
            OpusError: libopus refused it.
        """
        if self._state is None:
            raise CoderClosed("encoder is closed")
        pcm = ffi.from_buffer(_SAMPLES, block)
        size = self._opus_encode(
            self._state, pcm, BLOCK_SAMPLES, self._data, MAX_PACKET_BYTES
        )
        if size < 0:
            _check(self._lib, size)
        packet: bytes = self._packet[:size]
        return packet

    def close(self) -> None:
        """Free the state; may be called again."""
        state, self._state = self._state, None
        if state is not None:
            self._lib.opus_encoder_destroy(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _control(self, request: int, value: int) -> None:
        if self._state is None:
            raise CoderClosed("encoder is closed")
        _check(
            self._lib,
            self._lib.opus_encoder_ctl(self._state, request, ffi.cast("int", value)),
        )


def _check(lib: Any, result: int) -> None:
    if result < 0:
        raise OpusError(ffi.string(lib.opus_strerror(result)).decode())
