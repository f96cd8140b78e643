"""One speaker's receive path: packets in, exactly one block of sound per tick out."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ

from .frames import ReceivedPacket
from .jitter_buffer import Conceal, Decode, DecodeLost, JitterBuffer, Pause
from .opus import Block, OpusError
from .resting_decoder import RestingDecoder, SpeechDecoder
from .time_scale import MIN_LAG_SAMPLES, is_quiet, lengthen, shorten

SPARE_S: Final = 0.003  # kept when shortening, so that it is not undone at once
MIN_TICKS_BETWEEN: Final = 3  # time-scaling more often than each 60 ms can be heard
HURRY_S: Final = 0.060  # unless the delay is this far off
PAUSE_TICKS: Final = 50  # a pause in speech is waited for so long, to shorten in
FADE_SAMPLES: Final = 240  # 5 ms
NOTHING: Final[Block] = np.zeros(0, np.int16)


@dataclass(slots=True)
class PlayoutCounts:
    """Totals since the start."""

    decoded: int = 0
    undecodable: int = 0
    shortened_samples: int = 0
    lengthened_samples: int = 0


class Playout:
    """
    Turns one speaker's packets into a steady sequence of 20 ms blocks.

    Delay follows the measured jitter; a sender's clock that is off by some hundred
    ppm makes it neither grow nor run dry.  Lifecycle: open until `close`.
    """

    def __init__(self, decoder: SpeechDecoder) -> None:
        self.buffer = JitterBuffer()
        self.counts = PlayoutCounts()
        self._decoder = RestingDecoder(decoder)
        self._decoded = NOTHING  # not yet played; under 140 ms
        self._silent = True  # the last block given out ended in silence
        self._ticks_since_scaled = MIN_TICKS_BETWEEN
        self._ticks_too_long = 0  # that the delay has been longer than need be

    def insert(self, packet: ReceivedPacket) -> None:
        """Take one packet."""
        self.buffer.insert(packet)

    def pull(self, now_s: float) -> Block | None:
        """
        Return the next block, `int16` of shape `(960,)`; None is 20 ms of silence.

        Args:
            now_s: When the block is due, on the clock of `ReceivedPacket.arrival_s`.
        """
        self._ticks_since_scaled += 1
        excess_s = self.buffer.excess_s(now_s, self._decoded.size)
        while self._decoded.size < BLOCK_SAMPLES:
            step = self.buffer.next_step(now_s, self._decoded.size)
            if isinstance(step, Pause):
                return self._fade_out()
            samples = self._samples(step)
            if self._decoded.size:
                samples = np.concatenate([self._decoded, samples])
            self._decoded = samples
            if isinstance(step, Decode) and excess_s is not None:
                self._rescale(excess_s)
                excess_s = None
        block = self._take_block()
        return self._fade_in(block) if self._silent else block

    def _take_block(self) -> Block:
        if self._decoded.size == BLOCK_SAMPLES:  # mostly: packets are blocks
            block, self._decoded = self._decoded, NOTHING
        else:
            block = self._decoded[:BLOCK_SAMPLES]
            self._decoded = self._decoded[BLOCK_SAMPLES:]
        return block

    def delay_s(self, now_s: float) -> float | None:
        """Return how long packets are held now, the fastest ones; None if paused."""
        excess_s = self.buffer.excess_s(now_s, 0)
        if excess_s is None:
            return None
        return excess_s + self.buffer.delay.hold_s + self._decoded.size / SAMPLE_RATE_HZ

    def mute(self) -> Block | None:
        """Forget what has not been played, but for a fade-out of 5 ms."""
        self.buffer.flush()
        return self._fade_out()

    def close(self) -> None:
        """Free the decoder; may be called again."""
        self._decoder.close()

    def _samples(self, step: Decode | DecodeLost | Conceal) -> Block:
        try:
            if isinstance(step, Conceal):
                return self._decoder.conceal(step.samples)
            if isinstance(step, Decode):
                samples = self._decoder.decode(step.payload)
            else:
                samples = self._decoder.decode_lost(step.next_payload, step.samples)
        except OpusError:
            self.counts.undecodable += 1
            return np.zeros(BLOCK_SAMPLES, np.int16)
        self.counts.decoded += 1
        return samples

    def _rescale(self, excess_s: float) -> None:
        """Play a little faster or slower where packets come too early or too late."""
        spare = self._spare_samples(excess_s) if excess_s >= 0 else 0
        if excess_s >= 0 and spare < MIN_LAG_SAMPLES:
            self._ticks_too_long = 0
            return
        patient = self._ticks_since_scaled < MIN_TICKS_BETWEEN
        if self._decoded.size < BLOCK_SAMPLES or (patient and excess_s < HURRY_S):
            return
        if 0 <= excess_s < HURRY_S and self._may_wait_for_a_pause():
            return
        before = self._decoded.size
        if excess_s < 0:
            self._decoded = lengthen(self._decoded, BLOCK_SAMPLES)
            self.counts.lengthened_samples += self._decoded.size - before
        else:
            self._decoded = shorten(self._decoded, spare)
            self.counts.shortened_samples += before - self._decoded.size
        if self._decoded.size != before:
            self._ticks_since_scaled = 0

    def _may_wait_for_a_pause(self) -> bool:
        """What is cut out of a pause nobody hears, and most speech soon has one."""
        self._ticks_too_long += 1
        return self._ticks_too_long < PAUSE_TICKS and not is_quiet(self._decoded)

    def _spare_samples(self, excess_s: float) -> int:
        """Return how many samples may go, so that later blocks still come in time."""
        spare = int((excess_s - SPARE_S) * SAMPLE_RATE_HZ)
        # Samples left over after this block cost delay and help nobody.
        left_over = self._decoded.size % BLOCK_SAMPLES
        if spare < 0:
            return 0
        return left_over + spare // BLOCK_SAMPLES * BLOCK_SAMPLES

    def _fade_in(self, block: Block) -> Block:
        """Begin without a click."""
        self._silent = False
        block = block.copy()
        ramp = np.linspace(0.0, 1.0, FADE_SAMPLES, dtype=np.float32)
        block[:FADE_SAMPLES] = (block[:FADE_SAMPLES] * ramp).astype(np.int16)
        return block

    def _fade_out(self) -> Block | None:
        """End what is left without a click; None when it had ended before."""
        if self._silent:
            self._decoded = NOTHING
            return None
        block = np.zeros(BLOCK_SAMPLES, np.int16)
        tail = self._decoded[:FADE_SAMPLES]
        if tail.size == 0:
            tail = self._samples(Conceal(FADE_SAMPLES))[:FADE_SAMPLES]
        ramp = np.linspace(1.0, 0.0, tail.size, dtype=np.float32)
        block[: tail.size] = (tail * ramp).astype(np.int16)
        self._decoded = NOTHING
        self._silent = True
        return block
