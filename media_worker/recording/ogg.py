"""Ogg pages with Opus in them (RFC 3533, RFC 7845): written here, and read back."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from spaces_contract.media import SAMPLE_RATE_HZ

MAX_SEGMENTS: Final = 255  # RFC 3533 6: of one page
_CAPTURE: Final = b"OggS"
_HEAD: Final = struct.Struct("<4sBBqIIIB")
_CRC_AT: Final = 22
_BEGINS: Final = 0x02  # RFC 3533 6: first page of the stream
_VENDOR: Final = b"Parley"


class MalformedPage(ValueError):
    """The bytes are no Ogg page, or one that was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    One page of whole packets.

    Args:
        granule: RFC 7845 4: position after its last packet, in samples at 48 kHz.
    """

    serial: int
    number: int
    granule: int
    packets: tuple[bytes, ...]


def segments(packet: bytes) -> int:
    """Return how many of a page's `MAX_SEGMENTS` a packet takes."""
    return len(packet) // 255 + 1


def header_pages(serial: int) -> tuple[bytes, bytes]:
    """Return the two pages which begin a stream of mono Opus (RFC 7845 5)."""
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, SAMPLE_RATE_HZ, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + bytes(4)
    return (
        page(serial, 0, 0, [head], flags=_BEGINS),
        page(serial, 1, 0, [tags]),
    )


def page(
    serial: int, number: int, granule: int, packets: Sequence[bytes], *, flags: int = 0
) -> bytes:
    """Return one page; `packets` take at most `MAX_SEGMENTS` together."""
    lacing = b"".join(_lacing(packet) for packet in packets)
    head = _HEAD.pack(_CAPTURE, 0, flags, granule, serial, number, 0, len(lacing))
    blank = head + lacing + b"".join(packets)
    checksum = struct.pack("<I", _crc(blank))
    return blank[:_CRC_AT] + checksum + blank[_CRC_AT + 4 :]


def read_page(data: bytes) -> Page:
    """
    Read one page that holds whole packets.

    Raises:
        MalformedPage: it is none, or its checksum is wrong.
    """
    if len(data) < _HEAD.size:
        raise MalformedPage("too short")
    capture, _, _, granule, serial, number, checksum, count = _HEAD.unpack_from(data)
    blank = data[:_CRC_AT] + bytes(4) + data[_CRC_AT + 4 :]
    if capture != _CAPTURE or _crc(blank) != checksum:
        raise MalformedPage("not a page as it was written")
    lacing = data[_HEAD.size : _HEAD.size + count]
    packets = tuple(_packets(lacing, data[_HEAD.size + count :]))
    return Page(serial=serial, number=number, granule=granule, packets=packets)


def _packets(lacing: bytes, body: bytes) -> Iterator[bytes]:
    start = end = 0
    for value in lacing:
        end += value
        if value < 255:
            yield body[start:end]
            start = end
    if start != end or end != len(body):
        raise MalformedPage("lengths do not add up")


def _lacing(packet: bytes) -> bytes:
    return b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])


_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _crc(data: bytes) -> int:
    """Return RFC 3533's checksum: zlib's, with all bits mirrored, starting at 0."""
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{mirrored:032b}"[::-1], 2)
