"""Decodes a stem's pages to samples in their place, without clicks."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ

from ..audio.opus import Block, Decoder, OpusError
from ..audio.opus_packet import duration_samples, has_fec
from .placed_pages import PlacedPage

MAX_CONCEAL_SAMPLES: Final = 5 * BLOCK_SAMPLES  # as live: then silence is better
FINEST_SAMPLES: Final = 120  # libopus conceals in multiples of 2.5 ms
FADE_SAMPLES: Final = SAMPLE_RATE_HZ // 200  # 5 ms

Segment = tuple[int, Block]  # recording clock of the first sample; int16, (n,)


def segments(pages: Iterable[PlacedPage]) -> Iterator[Segment]:
    """
    Yield what is heard, in order and never overlapping.

    Lost packets are recovered from FEC or concealed; longer holes stay silent, with a
    fade before and after.  What overlaps by clock drift is cut.
    """
    end: int | None = None
    decoder = Decoder()
    try:
        for page in pages:
            hole = 0 if end is None else page.start - end
            if end is not None and 0 < hole <= MAX_CONCEAL_SAMPLES:
                yield end, _bridge(decoder, page.packets[0], hole)
            elif end is not None and hole > 0:
                yield end, _faded_out(decoder.conceal(2 * FINEST_SAMPLES))
                decoder.close()
                decoder = Decoder()  # the old one's memory would ring in silence
            block, start = _decoded(decoder, page.packets), page.start
            if hole < 0:
                block, start = block[-hole:], start - hole
            if end is None or hole > MAX_CONCEAL_SAMPLES:
                block = _faded_in(block)
            if len(block):
                yield start, block
                end = start + len(block)
    finally:
        decoder.close()


def _decoded(decoder: Decoder, packets: tuple[bytes, ...]) -> Block:
    blocks = []
    for packet in packets:
        try:
            blocks.append(decoder.decode(packet))
        except OpusError:  # hostile, but of the right length: keep the time
            blocks.append(np.zeros(duration_samples(packet), np.int16))
    return np.concatenate(blocks)


def _bridge(decoder: Decoder, packet: bytes, hole: int) -> Block:
    """Return `hole` samples for what was lost before `packet`."""
    lost = duration_samples(packet)
    parts: list[Block] = []
    left = hole
    if left > lost:
        parts += _concealed(decoder, left - lost)
        left = lost
    try:
        if left == lost and has_fec(packet):
            parts.append(decoder.decode_lost(packet, lost))
        else:
            parts += _concealed(decoder, left)
    except OpusError:
        parts += _concealed(decoder, left)
    return np.concatenate(parts)[:hole]


def _concealed(decoder: Decoder, samples: int) -> list[Block]:
    blocks = []
    while samples > 0:
        step = min(BLOCK_SAMPLES, -(-samples // FINEST_SAMPLES) * FINEST_SAMPLES)
        blocks.append(decoder.conceal(step)[:samples])
        samples -= step
    return blocks


def _faded_in(block: Block) -> Block:
    count = min(FADE_SAMPLES, len(block))
    faded = block.copy()
    faded[:count] = faded[:count] * np.linspace(0, 1, count, dtype=np.float32)
    return faded


def _faded_out(block: Block) -> Block:
    ramp = np.linspace(1, 0, len(block), dtype=np.float32)
    return (block * ramp).astype(np.int16)
