"""Frames of 60 ms from those of 20 ms: a third of the packets, for large rooms."""

from dataclasses import replace
from typing import Final

from ..audio.frames import EncodedFrame
from ..audio.opus_packing import MAX_PACKED_BYTES, can_pack, pack

BLOCKS: Final = 3
TIMESTAMP_MASK: Final = 0xFFFF_FFFF


class LongFrames:
    """
    Collects one source's frames until there are `BLOCKS` of them.

    A frame that cannot share a packet with those before it (another mode, a gap in
    time, too many bytes) begins the next one; so time never jumps within a packet.
    """

    def __init__(self) -> None:
        self._held: list[EncodedFrame] = []

    @property
    def is_empty(self) -> bool:
        """Whether all that was added was also returned: streams may be switched."""
        return not self._held

    def add(self, frame: EncodedFrame) -> EncodedFrame | None:
        """Take the next frame; return a long one that is complete, if any."""
        if self._held and not self._fits(frame):
            complete = self._take()
            self._held.append(frame)
            return complete
        self._held.append(frame)
        return self._take() if len(self._held) == BLOCKS else None

    def clear(self) -> None:
        """Forget what is held: nobody hears it."""
        self._held.clear()

    def _fits(self, frame: EncodedFrame) -> bool:
        first = self._held[0]
        due = sum(held.duration_samples for held in self._held) + first.timestamp
        size = sum(len(held.payload) for held in self._held) + len(frame.payload)
        return (
            frame.timestamp == due & TIMESTAMP_MASK
            and size <= MAX_PACKED_BYTES
            and can_pack(first.payload, frame.payload)
        )

    def _take(self) -> EncodedFrame:
        held, self._held = self._held, []
        return replace(
            held[-1],  # who is heard in it: those of its end
            payload=pack([frame.payload for frame in held]),
            timestamp=held[0].timestamp,
            duration_samples=sum(frame.duration_samples for frame in held),
        )
