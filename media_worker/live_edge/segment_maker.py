"""Makes encrypted segments of mixed blocks: work for a thread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spaces_contract.hls import key_number
from spaces_contract.media import SAMPLE_RATE_HZ

from ..audio.mixer import SoftLimiter
from ..audio.resting_decoder import SILENCE
from .aac import FRAME_SAMPLES, PRIMING_FRAMES, AacEncoder
from .block_feed import BLOCK_S, Batch
from .playlist import Segment
from .segment_keys import SegmentKeys
from .transport_stream import FRAME_TICKS, TICKS_PER_S, TsWriter

FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ
GAP_S: Final = BLOCK_S / 2  # a batch due so much later, or earlier, is a new stretch


@dataclass(frozen=True, slots=True)
class MadeSegment:
    """A segment, and its bytes as they may leave memory: encrypted."""

    segment: Segment
    body: bytes


@dataclass(slots=True)
class _Stretch:
    """Sound without a gap, encoded without a seam."""

    due_s: float  # of its first block, monotonic
    unix_s: float  # the same moment
    encoder: AacEncoder
    blocks: int = 0
    frames: int = 0

    @property
    def next_due_s(self) -> float:
        return self.due_s + self.blocks * BLOCK_S


class SegmentMaker:
    """
    Encodes, packs and encrypts, one batch after the other.

    Args:
        unix_offset_s: What to add to monotonic time to have Unix time.
    """

    def __init__(
        self, keys: SegmentKeys, *, epoch: int, unix_offset_s: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._epoch = epoch
        self._unix_offset_s = unix_offset_s
        self._limiter = SoftLimiter()
        self._writer = TsWriter()
        self._stretch: _Stretch | None = None
        self._serial = 0

    def make(self, batch: Batch) -> MadeSegment | None:
        """Return what `batch` completes; None where that is less than a frame."""
        stretch = self._stretch_of(batch)
        blocks = [
            SILENCE if mix is None else self._limiter.limit(mix) for mix in batch.mixes
        ]
        frames = stretch.encoder.encode(blocks)
        first = stretch.frames - PRIMING_FRAMES
        stretch.blocks += len(blocks)
        stretch.frames += len(frames)
        if not frames:
            return None
        ticks = round(stretch.due_s * TICKS_PER_S) + first * FRAME_TICKS
        body = self._writer.segment(frames, begins=ticks)
        return self._encrypted(body, len(frames), stretch.unix_s + first * FRAME_S)

    def _encrypted(self, body: bytes, frames: int, begins_s: float) -> MadeSegment:
        self._serial += 1
        number = key_number(begins_s)
        segment = Segment(
            epoch=self._epoch,
            serial=self._serial,
            frames=frames,
            begins_s=begins_s,
            key_number=number,
            initial_vector=self._keys.initial_vector(number),
        )
        return MadeSegment(segment, self._keys.encrypt(body, number))

    def _stretch_of(self, batch: Batch) -> _Stretch:
        stretch = self._stretch
        if stretch is None or abs(batch.due_s - stretch.next_due_s) > GAP_S:
            stretch = self._stretch = _Stretch(
                due_s=batch.due_s,
                unix_s=batch.due_s + self._unix_offset_s(),
                encoder=AacEncoder(),
            )
        return stretch
