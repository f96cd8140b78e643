"""A block of packets: stamped by numpy, encrypted in place, sent by one system call."""

import errno
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from . import libc
from .hearers import HearerGroup
from .packet_head import MAX_PAYLOAD_BYTES, PAYLOAD_TYPE_AT, SEQUENCE_AT
from .sealing import TAG_BYTES, Sealer
from .srtp import TRAILER_BYTES, SrtpBuffer

BLOCK_ROWS: Final = 256
# 15 CSRCs and their levels are 12 + 60 + 20 bytes of header.
STRIDE_BYTES: Final = 1_344
_WORDS: Final = 8  # of 64 bits in a struct mmsghdr
_FULL: Final = frozenset({errno.EAGAIN, errno.ENOBUFS})


@dataclass(slots=True)
class SendCounts:
    """What became of stamped packets."""

    sent: int = 0
    dropped: int = 0  # the socket's buffer was full
    failed: int = 0  # no route to one hearer, or libsrtp refused


class PacketBlock:
    """
    Memory for `BLOCK_ROWS` packets, made once and used for every block of every tick.

    A block of one size, rather than a row for each hearer, stays in the processor's
    cache between stamping, encrypting and the kernel's copy.

    Args:
        name_bytes: Size of the socket's addresses: 16 (IPv4) or 28 (IPv6).
    """

    def __init__(self, name_bytes: int) -> None:
        if MAX_PAYLOAD_BYTES + 92 + TRAILER_BYTES > STRIDE_BYTES:
            raise ValueError("the stride does not hold the longest packet")
        self._buffer = SrtpBuffer(BLOCK_ROWS, STRIDE_BYTES)
        shape = (BLOCK_ROWS, STRIDE_BYTES)
        self.packets: npt.NDArray[np.uint8] = np.frombuffer(
            self._buffer.memory, np.uint8
        ).reshape(shape)
        self._lengths = np.frombuffer(self._buffer.lengths, np.int32)
        self._bases = np.array(self._buffer.addresses, np.uint64)
        self._headers, self._vectors = libc.message_headers(BLOCK_ROWS)
        self._words = np.frombuffer(
            libc.header_words(self._headers), np.uint64
        ).reshape(BLOCK_ROWS, _WORDS)
        self._vector_words = np.frombuffer(
            libc.header_words(self._vectors), np.uint64
        ).reshape(BLOCK_ROWS, 2)
        self._vector_words[:, 0] = self._bases
        self._words[:, 1] = name_bytes  # msg_namelen, and padding
        self._sealer: Sealer | None = None  # made when somebody needs it
        self._name_offsets = np.arange(BLOCK_ROWS, dtype=np.uint64) * name_bytes

    def stamp(
        self,
        group: HearerGroup,
        start: int,
        count: int,
        packet: npt.NDArray[np.uint8],
        level_at: int | None,
    ) -> None:
        """
        Write one packet for each of `count` hearers from row `start` of `group`.

        Args:
            packet: What they share, `uint8` of shape `(n,)`; of a sealed group only
                the header.
            level_at: Where the level element's id goes, or None.
        """
        rows = slice(start, start + count)
        block = self.packets[:count]
        sequences = group.sequences[rows]
        if group.sealed:
            if self._sealer is None:
                self._sealer = Sealer(self.packets)
            self._sealer.prepare(group.keys[rows], group.salts[rows], sequences, packet)
        block[:, : len(packet)] = packet
        block[:, PAYLOAD_TYPE_AT] = group.payload_types[rows] | group.markers[rows]
        block[:, SEQUENCE_AT] = sequences >> 8 & 0xFF
        block[:, SEQUENCE_AT + 1] = sequences & 0xFF
        if level_at is not None:
            block[:, level_at] |= group.level_ids[rows] << 4
        sequences += 1
        group.markers[rows] = 0
        self._lengths[:count] = len(packet)

    def protect_and_send(
        self, descriptor: int, group: HearerGroup, start: int, count: int
    ) -> SendCounts:
        """Encrypt the stamped packets with libsrtp and hand them to the kernel."""
        refused = self._buffer.protect(group.contexts[start : start + count])
        self._address(group, start, count)
        if not refused:
            return self._send(descriptor, count)
        kept = np.setdiff1d(np.arange(count), refused)
        self._vector_words[: len(kept)] = self._vector_words[kept]
        self._words[: len(kept), 0] = self._words[kept, 0]
        counts = self._send(descriptor, len(kept))
        self._vector_words[:, 0] = self._bases
        counts.failed += len(refused)
        return counts

    def seal_and_send(
        self,
        descriptor: int,
        group: HearerGroup,
        start: int,
        count: int,
        payload: bytes,
    ) -> SendCounts:
        """Encrypt `payload` behind a sealed group's stamped headers, and send."""
        if self._sealer is None:
            raise RuntimeError("nothing is stamped")
        self._sealer.seal(count, int(self._lengths[0]), payload)
        self._lengths[:count] += len(payload) + TAG_BYTES
        self._address(group, start, count)
        return self._send(descriptor, count)

    def _address(self, group: HearerGroup, start: int, count: int) -> None:
        names = group.names.ctypes.data + start * group.names.shape[1]
        self._words[:count, 0] = self._name_offsets[:count] + np.uint64(names)
        self._vector_words[:count, 1] = self._lengths[:count]

    def _send(self, descriptor: int, count: int) -> SendCounts:
        counts = SendCounts()
        position = 0
        while position < count:
            try:
                sent = libc.send_many(
                    descriptor, self._headers, position, count - position
                )
            except OSError as error:
                if error.errno in _FULL:  # late audio is worth nothing: drop the rest
                    counts.dropped += count - position
                    return counts
                if error.errno != errno.EINTR:  # about the first message alone
                    counts.failed += 1
                    position += 1
                continue
            counts.sent += sent
            position += sent
        return counts
