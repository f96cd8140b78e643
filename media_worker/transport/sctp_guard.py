"""
Which SCTP datagrams may reach aiortc: hostile ones would stop the whole process there.

aiortc 1.16 loops for ever on a parameter of length 0, builds a set of every TSN that a
SACK's gap blocks span, and never refuses data that it cannot put together.  Whoever is
on stage can send such things, so they are sorted out first (RFC 9260 3).
"""

import struct
from collections.abc import Iterator
from typing import Final

MAX_CHUNKS: Final = 32  # in one datagram
MAX_GAP_BLOCKS: Final = 64
MAX_GAP_TSNS: Final = 1_024  # more than `MAX_BUFFERED_BYTES` can have in flight
_COMMON_HEADER_BYTES: Final = 12
_DATA: Final = 0
_SACK: Final = 3
# Chunk type -> where its parameters begin in the chunk's value.
_PARAMETERS_AT: Final = {1: 16, 2: 16, 4: 0, 5: 0, 6: 0, 9: 0, 130: 0}


def data_chunks(datagram: bytes) -> int | None:
    """Return how many DATA chunks a datagram carries, or None where it is hostile."""
    data = count = 0
    for kind, value in _chunks(datagram):
        count += 1
        if kind is None or count > MAX_CHUNKS or not _is_sane(kind, value):
            return None
        data += kind == _DATA
    return data if count else None


def _chunks(datagram: bytes) -> Iterator[tuple[int | None, bytes]]:
    """Yield each chunk's (type, value); type None for one that does not fit."""
    position = _COMMON_HEADER_BYTES
    while position + 4 <= len(datagram):
        kind, _, length = struct.unpack_from("!BBH", datagram, position)
        if length < 4 or position + length > len(datagram):
            yield None, b""
            return
        yield kind, datagram[position + 4 : position + length]
        position += length + (-length % 4)


def _is_sane(kind: int, value: bytes) -> bool:
    if kind == _SACK:
        return _is_sane_sack(value)
    if kind in _PARAMETERS_AT:
        return _are_sane_parameters(value[_PARAMETERS_AT[kind] :])
    return True


def _are_sane_parameters(value: bytes) -> bool:
    position = 0
    while position + 4 <= len(value):
        (length,) = struct.unpack_from("!H", value, position + 2)
        if length < 4 or position + length > len(value):
            return False
        position += length + (-length % 4)
    return True


def _is_sane_sack(value: bytes) -> bool:
    if len(value) < 12:
        return False
    gap_blocks, duplicates = struct.unpack_from("!HH", value, 8)
    if gap_blocks > MAX_GAP_BLOCKS or len(value) < 12 + 4 * (gap_blocks + duplicates):
        return False
    offsets = struct.unpack_from(f"!{2 * gap_blocks}H", value, 12)
    return all(
        start <= end <= MAX_GAP_TSNS
        for start, end in zip(offsets[::2], offsets[1::2], strict=True)
    )
