"""
The datagram that a room sends to an egress process with each tick.

It carries what was encoded, once for all listeners, and before it who hears another
source from now on: one datagram, so both take effect in the same tick.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import SessionId

from ...audio.frames import EncodedFrame

MAX_TURNS: Final = 128  # a datagram of some 10 KB
_COUNTS: Final = struct.Struct("=HB")  # turns, frames
_SIZE: Final = struct.Struct("=H")
# timestamp, samples, packets skipped before, CSRCs, levels
_FRAME: Final = struct.Struct("=IIHBB")

Turn = tuple[SessionId, str]  # a session, and the source that it hears from now on


@dataclass(frozen=True, slots=True)
class Tick:
    """
    One tick as an egress process sees it.

    Args:
        turns: At most `MAX_TURNS`; they come before the frames.
        frames: By source.
    """

    turns: Sequence[Turn]
    frames: Mapping[str, EncodedFrame]


def pack(tick: Tick) -> bytes:
    """Return the datagram."""
    parts = [_COUNTS.pack(len(tick.turns), len(tick.frames))]
    for session_id, source in tick.turns:
        parts += (_sized(session_id.encode()), _sized(source.encode()))
    for source, frame in tick.frames.items():
        csrcs, levels = frame.csrcs, frame.levels_dbov
        parts += (
            _sized(source.encode()),
            _FRAME.pack(
                frame.timestamp,
                frame.duration_samples,
                frame.skipped,
                len(csrcs),
                len(levels),
            ),
            struct.pack(f"={len(csrcs)}I{len(levels)}B", *csrcs, *levels),
            _sized(frame.payload),
        )
    return b"".join(parts)


def unpack(datagram: bytes) -> Tick:
    """Return what was packed; the other end is this very program."""
    reader = _Reader(datagram)
    turns, frames = reader.take(_COUNTS)
    return Tick(
        [
            (SessionId(reader.sized().decode()), reader.sized().decode())
            for _ in range(turns)
        ],
        dict(reader.frame() for _ in range(frames)),
    )


def _sized(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data


class _Reader:
    def __init__(self, datagram: bytes) -> None:
        self._datagram = datagram
        self._position = 0

    def take(self, layout: struct.Struct) -> tuple[int, ...]:
        values = layout.unpack_from(self._datagram, self._position)
        self._position += layout.size
        return values

    def sized(self) -> bytes:
        (size,) = self.take(_SIZE)
        data = self._datagram[self._position : self._position + size]
        self._position += size
        return data

    def frame(self) -> tuple[str, EncodedFrame]:
        source = self.sized().decode()
        timestamp, samples, skipped, csrcs, levels = self.take(_FRAME)
        numbers = self.take(struct.Struct(f"={csrcs}I{levels}B"))
        return source, EncodedFrame(
            payload=self.sized(),
            timestamp=timestamp,
            duration_samples=samples,
            csrcs=numbers[:csrcs],
            levels_dbov=numbers[csrcs:],
            skipped=skipped,
        )
