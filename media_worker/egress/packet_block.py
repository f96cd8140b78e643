"""A block of packets: stamped by numpy, encrypted in place, sent by one system call."""

import errno
import functools
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
# Up to here a loop is faster than numpy, whose calls cost a small room most of its
# time: their code has left the processor's cache by the next tick.
FEW_ROWS: Final = 16
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
        header_words = libc.header_words(self._headers)
        self._words = np.frombuffer(header_words, np.uint64).reshape(-1, _WORDS)
        vector_words = libc.header_words(self._vectors)
        self._vector_words = np.frombuffer(vector_words, np.uint64).reshape(-1, 2)
        # The same memory, for few.
        self._memory = memoryview(self._buffer.memory)
        self._length_view = self._lengths.data
        self._word_view = memoryview(header_words).cast("B").cast("Q")
        self._vector_word_view = memoryview(vector_words).cast("B").cast("Q")
        self._vector_words[:, 0] = self._bases
        self._words[:, 1] = name_bytes  # msg_namelen, and padding
        self._name_offsets = np.arange(BLOCK_ROWS, dtype=np.uint64) * name_bytes

    @functools.cached_property
    def _sealer(self) -> Sealer:
        return Sealer(self.packets)

    def stamp(
        self,
        group: HearerGroup,
        start: int,
        count: int,
        packet: bytes,
        level_at: int | None,
    ) -> None:
        """
        Write one packet for each of `count` hearers from row `start` of `group`.

        Args:
            packet: What they share; of a sealed group only the header.
            level_at: Where the level element's id goes, or None.
        """
        if count <= FEW_ROWS:
            self._stamp_few(group, start, count, packet, level_at)
            return
        shared = np.frombuffer(packet, np.uint8)
        rows = slice(start, start + count)
        block = self.packets[:count]
        sequences = group.sequences[rows]
        if group.sealed:
            self._sealer.prepare(group.keys[rows], group.salts[rows], sequences, shared)
        block[:, : len(packet)] = shared
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
        if count <= FEW_ROWS:
            self._seal_few(self._sealer, group, start, count, payload)
        else:
            self._sealer.seal(count, int(self._lengths[0]), payload)
            self._lengths[:count] += len(payload) + TAG_BYTES
        self._address(group, start, count)
        return self._send(descriptor, count)

    def _stamp_few(
        self,
        group: HearerGroup,
        start: int,
        count: int,
        packet: bytes,
        level_at: int | None,
    ) -> None:
        memory, lengths, size = self._memory, self._length_view, len(packet)
        types, markers = group.payload_type_view, group.marker_view
        sequences = group.sequence_view
        for row in range(count):
            at, member = row * STRIDE_BYTES, start + row
            sequence = sequences[member]
            memory[at : at + size] = packet
            memory[at + PAYLOAD_TYPE_AT] = types[member] | markers[member]
            memory[at + SEQUENCE_AT] = sequence >> 8 & 0xFF
            memory[at + SEQUENCE_AT + 1] = sequence & 0xFF
            if level_at is not None:
                memory[at + level_at] |= group.level_id_view[member] << 4
            sequences[member] = sequence + 1
            markers[member] = 0
            lengths[row] = size

    def _seal_few(
        self,
        sealer: Sealer,
        group: HearerGroup,
        start: int,
        count: int,
        payload: bytes,
    ) -> None:
        lengths, sequences = self._length_view, group.sequence_view
        for row in range(count):
            keys = group.members[start + row].aead
            if keys is None:
                raise RuntimeError("a sealed group's hearer has keys")
            index = sequences[start + row] - 1  # stamping has taken it
            sealer.seal_one(row, lengths[row], payload, keys, index)
            lengths[row] += len(payload) + TAG_BYTES

    def _address(self, group: HearerGroup, start: int, count: int) -> None:
        """Point the headers at the hearers' addresses and the packets' lengths."""
        name_bytes = group.names.shape[1]
        names_at = group.names_at + start * name_bytes
        if count > FEW_ROWS:
            self._words[:count, 0] = self._name_offsets[:count] + np.uint64(names_at)
            self._vector_words[:count, 1] = self._lengths[:count]
            return
        words, vector_words = self._word_view, self._vector_word_view
        for row in range(count):
            words[_WORDS * row] = names_at + row * name_bytes
            vector_words[2 * row + 1] = self._length_view[row]

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
