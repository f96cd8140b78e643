"""
MPEG transport stream (ISO 13818-1) of one AAC stream, cut into segments.

FFmpeg's muxer takes a packet of 188 bytes more for each frame, which doubles what an
audience costs, and begins its counters anew in each file, which RFC 8216 3 forbids.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from .aac import FRAME_SAMPLES

PACKET_BYTES: Final = 188
SYNC: Final = 0x47
TICKS_PER_S: Final = 90_000
FRAME_TICKS: Final = FRAME_SAMPLES * TICKS_PER_S // 48_000  # 1,920, exactly
WRAP: Final = 1 << 33
PAT_PID: Final = 0
PMT_PID: Final = 0x1000
AUDIO_PID: Final = 0x100
AAC_STREAM_TYPE: Final = 0x0F  # ADTS
AUDIO_STREAM_ID: Final = 0xC0
FRAMES_PER_PES: Final = 8  # 171 ms
BUFFER_TICKS: Final = 9_000  # what is sent is due 100 ms after it
CRC_POLYNOMIAL: Final = 0x04C1_1DB7
SAMPLE_RATE_INDEX: Final = 3  # 48 kHz
ADTS_BYTES: Final = 7


class TsWriter:
    """Writes segments; each continues the counters of the one before it."""

    def __init__(self) -> None:
        self._counters = dict.fromkeys((PAT_PID, PMT_PID, AUDIO_PID), 0)

    def segment(self, frames: Sequence[bytes], *, begins: int) -> bytes:
        """
        Return a segment of raw AAC frames, tables first.

        Args:
            begins: Of the first frame, in ticks of 90 kHz; it may exceed 33 bits.
        """
        parts = [self._table(PAT_PID, PAT), self._table(PMT_PID, PMT)]
        for index in range(0, len(frames), FRAMES_PER_PES):
            due = (begins + index * FRAME_TICKS) % WRAP
            parts += self._pes(frames[index : index + FRAMES_PER_PES], due)
        return b"".join(parts)

    def _table(self, pid: int, section: bytes) -> bytes:
        payload = b"\0" + section  # it begins right here
        return self._head(pid, starts=True, adapted=False) + payload.ljust(
            PACKET_BYTES - 4, b"\xff"
        )

    def _pes(self, frames: Sequence[bytes], due: int) -> Iterator[bytes]:
        """Yield the packets of one PES packet; its clock comes with the first."""
        body = b"".join(adts_header(len(frame)) + frame for frame in frames)
        head = b"\x84\x80\x05" + _time_stamp(due)
        length = (len(head) + len(body)).to_bytes(2)
        rest = b"\0\0\1" + bytes([AUDIO_STREAM_ID]) + length + head + body
        field = b"\x50" + _clock(due)  # random access, PCR
        starts = True
        while rest:
            room = PACKET_BYTES - 4
            if field or len(rest) < room:
                room -= 1  # for the field's length
                stuffing = max(0, room - len(field) - len(rest))
                if stuffing and not field:
                    field, stuffing = b"\0", stuffing - 1
                field += b"\xff" * stuffing
                room -= len(field)
                adaptation = bytes([len(field)]) + field
            else:
                adaptation = b""
            yield self._head(AUDIO_PID, starts=starts, adapted=bool(adaptation)) + (
                adaptation + rest[:room]
            )
            rest, field, starts = rest[room:], b"", False

    def _head(self, pid: int, *, starts: bool, adapted: bool) -> bytes:
        counter = self._counters[pid]
        self._counters[pid] = (counter + 1) % 16
        flags = 0x30 if adapted else 0x10  # with payload, always
        return bytes([SYNC, starts << 6 | pid >> 8, pid & 0xFF, flags | counter])


def adts_header(frame_bytes: int) -> bytes:
    """Return the header of one AAC-LC frame: mono, 48 kHz, no CRC (ISO 13818-7)."""
    length = frame_bytes + ADTS_BYTES
    return bytes(
        [
            0xFF,
            0xF1,
            1 << 6 | SAMPLE_RATE_INDEX << 2,
            1 << 6 | length >> 11,
            length >> 3 & 0xFF,
            (length & 7) << 5 | 0x1F,
            0xFC,
        ]
    )


def _time_stamp(ticks: int) -> bytes:
    """Return a PTS of 33 bits in five bytes, with its marker bits."""
    return bytes(
        [
            0x21 | ticks >> 29 & 0x0E,
            ticks >> 22 & 0xFF,
            ticks >> 14 & 0xFE | 1,
            ticks >> 7 & 0xFF,
            ticks << 1 & 0xFE | 1,
        ]
    )


def _clock(due: int) -> bytes:
    """Return the PCR of what is due then."""
    return (((due - BUFFER_TICKS) % WRAP) << 15 | 0x7E00).to_bytes(6)


def _crc(data: bytes) -> bytes:
    """Return the CRC-32 of ISO 13818-1, Annex A."""
    value = 0xFFFF_FFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = value << 1 ^ (CRC_POLYNOMIAL if value & 0x8000_0000 else 0)
            value &= 0xFFFF_FFFF
    return value.to_bytes(4)


def _section(table: int, number: int, body: bytes) -> bytes:
    length = 5 + len(body) + 4
    head = bytes([table, 0xB0, length]) + number.to_bytes(2) + b"\xc1\0\0"
    return head + body + _crc(head + body)


PAT: Final = _section(0, 1, b"\0\1" + (0xE000 | PMT_PID).to_bytes(2))
PMT: Final = _section(
    2,
    1,
    (0xE000 | AUDIO_PID).to_bytes(2)
    + b"\xf0\0"
    + bytes([AAC_STREAM_TYPE])
    + (0xE000 | AUDIO_PID).to_bytes(2)
    + b"\xf0\0",
)
