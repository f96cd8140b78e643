"""The media playlist (RFC 8216): a window of segments that slides."""

import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from spaces_contract.hls import KEYS_VARIABLE, QUERY_VARIABLE, WINDOW_S
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.timestamps import rfc3339

from .aac import FRAME_SAMPLES

TARGET_DURATION_S: Final = 1
DISCONTINUITIES_PER_EPOCH: Final = 1_000_000  # so that the next epoch's are higher
# Segments are short before a longer gap, as `BlockFeed` leaves it, and where it is
# flushed: their numbers run ahead of the clock.
SHORT_SEGMENTS_PER_EPOCH: Final = 10_000
SEAM_S: Final = 0.001  # what begins so near to where the last one ended goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """
    One stored segment.

    Args:
        serial: Counts what this worker made in its epoch, and names the object.
        frames: Of AAC.
        begins_s: Unix time of its first sample, by the clock of the mix.
        key_number: Of what it is encrypted with.
        initial_vector: 16 bytes, public.
    """

    epoch: int
    serial: int
    frames: int
    begins_s: float
    key_number: int
    initial_vector: bytes

    @property
    def duration_s(self) -> float:
        """How long it plays."""
        return self.frames * FRAME_SAMPLES / SAMPLE_RATE_HZ

    @property
    def ends_s(self) -> float:
        """Unix time at which it ends."""
        return self.begins_s + self.duration_s


@dataclass(frozen=True, slots=True)
class _Entry:
    segment: Segment
    stretch: int  # its discontinuity sequence number


class Window:
    """
    The segments which the playlist names just now, and their numbers.

    Both numbers grow for ever, also across workers, without anything being read: the
    media sequence number is that of the second in which a stretch began, and ahead of
    it by what short segments an epoch may have, as those before it may have had them;
    the discontinuity sequence number counts up from the epoch.
    """

    def __init__(self, epoch: int) -> None:
        self._entries: deque[_Entry] = deque()
        self._stretch = epoch * DISCONTINUITIES_PER_EPOCH
        self._ahead = epoch * SHORT_SEGMENTS_PER_EPOCH
        self._first_number = 0

    @property
    def segments(self) -> list[Segment]:
        """Oldest first."""
        return [entry.segment for entry in self._entries]

    def add(self, segment: Segment) -> list[Segment]:
        """Append a segment; return those that leave the window for it."""
        if self._entries:
            gap_s = segment.begins_s - self._entries[-1].segment.ends_s
            if abs(gap_s) > SEAM_S:
                self._stretch += 1
        self._entries.append(_Entry(segment, self._stretch))
        oldest_s = segment.ends_s - WINDOW_S - SEAM_S
        leaving = []
        while self._entries[0].segment.begins_s < oldest_s:
            leaving.append(self._entries.popleft().segment)
            self._first_number += 1
        if len(self._entries) == 1:
            # Nothing precedes it, so that its number is free, and that of the second.
            by_clock = math.ceil(segment.begins_s / TARGET_DURATION_S) + 1
            self._first_number = max(self._first_number, by_clock + self._ahead)
        return leaving

    def clear(self) -> list[Segment]:
        """Empty the window, as what comes next is another stretch."""
        leaving = self.segments
        self._first_number += len(leaving)
        self._entries.clear()
        self._stretch += 1
        return leaving

    def playlist(self, *, ended: bool = False) -> str:
        """Return the text; `ended` says that nothing will follow."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:8",
            f"#EXT-X-TARGETDURATION:{TARGET_DURATION_S}",
            f"#EXT-X-MEDIA-SEQUENCE:{self._first_number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._first_stretch}",
            f'#EXT-X-DEFINE:IMPORT="{KEYS_VARIABLE}"',
            f'#EXT-X-DEFINE:IMPORT="{QUERY_VARIABLE}"',
        ]
        before: _Entry | None = None
        for entry in self._entries:
            lines += _lines(entry, before)
            before = entry
        if ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    @property
    def _first_stretch(self) -> int:
        return self._entries[0].stretch if self._entries else self._stretch


def _lines(entry: _Entry, before: _Entry | None) -> list[str]:
    segment = entry.segment
    lines = []
    new_stretch = before is None or before.stretch != entry.stretch
    if before is not None and new_stretch:
        lines.append("#EXT-X-DISCONTINUITY")
    if before is None or before.segment.key_number != segment.key_number:
        lines.append(_key_line(segment))
    if new_stretch:
        moment = datetime.fromtimestamp(segment.begins_s, UTC)
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{rfc3339(moment)}")
    lines.append(f"#EXTINF:{segment.duration_s:.6f},")
    lines.append(f"{segment.epoch}/{segment.serial}.ts")
    return lines


def _key_line(segment: Segment) -> str:
    where = f"{{${KEYS_VARIABLE}}}/{segment.epoch}/{segment.key_number}"
    return (
        f'#EXT-X-KEY:METHOD=AES-128,URI="{where}?{{${QUERY_VARIABLE}}}",'
        f"IV=0x{segment.initial_vector.hex()}"
    )
