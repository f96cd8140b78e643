"""SCTP that may pass to aiortc, and SCTP that would stop the process there."""

import struct

import pytest
from aiortc.rtcsctptransport import SackChunk, serialize_packet

from media_worker.transport.sctp_guard import MAX_CHUNKS, data_chunks

HEAD = bytes(12)
DATA = struct.pack("!BBHIHHI", 0, 3, 20, 1, 0, 0, 51) + b"text"


def chunk(kind: int, value: bytes) -> bytes:
    """Return one chunk, padded."""
    size = 4 + len(value)
    return struct.pack("!BBH", kind, 0, size) + value + bytes(-size % 4)


def a_sack(gaps: list[tuple[int, int]]) -> bytes:
    """Return aiortc's SACK."""
    sack = SackChunk()
    sack.gaps = gaps
    return serialize_packet(5_000, 5_000, 1, sack)


@pytest.mark.parametrize(
    ("datagram", "count"),
    [
        (HEAD + DATA, 1),
        (HEAD + DATA * 3, 3),
        (HEAD + chunk(4, struct.pack("!HH", 1, 7) + b"abc"), 0),
        (HEAD + chunk(1, bytes(16) + struct.pack("!HH", 0xC000, 4)), 0),
        (HEAD + chunk(14, b""), 0),
        (HEAD + chunk(77, b"unknown"), 0),
        (a_sack([]), 0),
        (a_sack([(2, 3), (5, 1_000)]), 0),
    ],
)
def test_what_peers_send_passes(datagram: bytes, count: int) -> None:
    """
    Ordinary chunks pass, and those with data are counted.
    """
    assert data_chunks(datagram) == count


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        HEAD,
        HEAD + b"\0\0\0\3",  # a chunk shorter than its own header
        HEAD + b"\0\0\0\x09\0\0\0\0",  # a chunk longer than the datagram
        HEAD + chunk(4, struct.pack("!HH", 1, 0)),  # a parameter without length
        HEAD + chunk(130, struct.pack("!HH", 13, 3)),
        HEAD + chunk(1, bytes(16) + struct.pack("!HH", 7, 0)),
        HEAD + chunk(9, struct.pack("!HH", 7, 99)),
        HEAD + chunk(3, bytes(11)),
        HEAD + chunk(3, struct.pack("!IIHH", 1, 1, 2, 0)),  # gaps that are not there
        a_sack([(1, 65_535)]),
        a_sack([(9, 2)]),
        a_sack([(2, 3)] * 65),
        HEAD + chunk(14, b"") * (MAX_CHUNKS + 1),
    ],
)
def test_what_would_hang_or_swell_is_hostile(datagram: bytes) -> None:
    """
    Lengths of 0, gaps over thousands of numbers and crowds of chunks go no further.
    """
    assert data_chunks(datagram) is None
