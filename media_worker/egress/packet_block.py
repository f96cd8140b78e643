"""A block of packets: stamped by numpy, encrypted in place, sent by one system call."""

import errno
import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from . import libc
from .hearers import HearerGroup
from .packet_head import (
    MAX_PAYLOAD_BYTES,
    PAYLOAD_TYPE_AT,
    SEQUENCE_AT,
    SSRC_AT,
    UNMARKED,
)
from .sealing import TAG_BYTES, Sealer
from .srtp import TRAILER_BYTES, SrtpBuffer

BLOCK_ROWS: Final = 1_024
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

    Most audiences fit one: the kernel's work for some hundred packets leaves nothing
    of ours in the processor's cache, so each block begins with a cold one.

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
        self._halves = self.packets.view(">u2")
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
        self._words_view = memoryview(header_words).cast("B").cast("Q")
        self._vectors_view = memoryview(vector_words).cast("B").cast("Q")
        self._vector_words[:, 0] = self._bases
        self._name_bytes = name_bytes
        self._words[:, 1] = name_bytes  # msg_namelen, and padding
        self._name_offsets = np.arange(BLOCK_ROWS, dtype=np.uint64) * name_bytes

    @functools.cached_property
    def _sealer(self) -> Sealer:
        return Sealer(self.packets)

    def write_few(
        self,
        group: HearerGroup,
        start: int,
        rows: range,
        head: bytes,
        payload: bytes,
        level_at: int | None,
    ) -> None:
        """
        Do for few of a sealed group what `stamp` and `encrypt` do for many.

        All in one place: each function that a tick calls is fetched from memory anew.

        Args:
            start: Row of `group` at which they begin.
            rows: Of this block; as many as there are hearers.
        """
        memory, words, vector_words = self._memory, self._words_view, self._vectors_view
        types, sequences = group.type_view, group.sequence_view
        seal_one = self._sealer.seal_one
        ssrc = int.from_bytes(head[SSRC_AT : SSRC_AT + 4]) << 48
        size, names_at = len(head), group.names_at + start * self._name_bytes
        seals = group.seals[start : start + len(rows)]
        for row, (member, (key, salt)) in zip(
            rows, enumerate(seals, start), strict=True
        ):
            at, index = row * STRIDE_BYTES, sequences[member]
            memory[at : at + size] = head
            memory[at + PAYLOAD_TYPE_AT] = types[member]
            memory[at + SEQUENCE_AT] = index >> 8 & 0xFF
            memory[at + SEQUENCE_AT + 1] = index & 0xFF
            if level_at is not None:
                memory[at + level_at] |= group.level_id_view[member] << 4
            sequences[member] = index + 1  # first: no index is ever used twice
            seal_one(row, size, payload, key, salt ^ ssrc ^ index)
            types[member] &= UNMARKED
            words[_WORDS * row] = names_at
            vector_words[2 * row + 1] = size + len(payload) + TAG_BYTES
            names_at += self._name_bytes

    def stamp(
        self,
        group: HearerGroup,
        start: int,
        count: int,
        packet: bytes,
        level_at: int | None,
        *,
        first: int = 0,
    ) -> None:
        """
        Write one packet for each of `count` hearers from row `start` of `group`.

        Few of a sealed group are `write_few`'s: here they would get others' keys.

        Args:
            packet: What they share; of a sealed group only the header.
            level_at: Where the level element's id goes, or None.
            first: Row of this block at which to begin; others than 0 only for few.
        """
        if count <= FEW_ROWS:
            self._stamp_few(group, start, range(first, first + count), packet, level_at)
            return
        shared = np.frombuffer(packet, np.uint8)
        rows = slice(start, start + count)
        block = self.packets[:count]
        sequences = group.sequences[rows]
        if group.sealed:
            self._sealer.prepare(group.secrets, rows, sequences, packet)
        block[:, : len(packet)] = shared
        block[:, PAYLOAD_TYPE_AT] = group.types[rows]
        self._halves[:count, SEQUENCE_AT // 2] = sequences  # its lower 16 bits
        if level_at is not None:
            block[:, level_at] |= group.level_ids[rows] << 4
        sequences += 1
        group.types[rows] &= UNMARKED
        self._lengths[:count] = len(packet)

    def encrypt(
        self,
        group: HearerGroup,
        start: int,
        count: int,
        payload: bytes,
        *,
        first: int = 0,
    ) -> list[int]:
        """
        Encrypt what was stamped; return the rows that libsrtp refused.

        Those have no address from then on, so `send` counts them as failed.

        Args:
            payload: Of a sealed group; stands behind the stamped headers.
            first: As for `stamp`.
        """
        refused: list[int] = []
        if not group.sealed:
            contexts = group.contexts[start : start + count]
            refused = self._buffer.protect(contexts, first)
        else:
            self._sealer.seal(count, int(self._lengths[0]), payload)
            self._lengths[:count] += len(payload) + TAG_BYTES
        self._address(group, start, count, first)
        for row in refused:
            self._words_view[_WORDS * row] = 0
        return refused

    def packet(self, row: int) -> bytes:
        """Return what a row will send."""
        at = row * STRIDE_BYTES
        return bytes(self._memory[at : at + self._vectors_view[2 * row + 1]])

    def send(self, descriptor: int, rows: range) -> SendCounts:
        """Hand some rows' packets to the kernel."""
        counts = SendCounts()
        position = rows.start
        while position < rows.stop:
            try:
                sent = libc.send_many(
                    descriptor, self._headers, position, rows.stop - position
                )
            except OSError as error:
                if error.errno in _FULL:  # late audio is worth nothing: drop the rest
                    counts.dropped += rows.stop - position
                    return counts
                if error.errno != errno.EINTR:  # about the first message alone
                    counts.failed += 1
                    position += 1
                continue
            counts.sent += sent
            position += sent
        return counts

    def _stamp_few(
        self,
        group: HearerGroup,
        start: int,
        rows: range,
        packet: bytes,
        level_at: int | None,
    ) -> None:
        memory, lengths, size = self._memory, self._length_view, len(packet)
        types, sequences = group.type_view, group.sequence_view
        for member, row in enumerate(rows, start):
            at, sequence = row * STRIDE_BYTES, sequences[member]
            memory[at : at + size] = packet
            memory[at + PAYLOAD_TYPE_AT] = types[member]
            memory[at + SEQUENCE_AT] = sequence >> 8 & 0xFF
            memory[at + SEQUENCE_AT + 1] = sequence & 0xFF
            if level_at is not None:
                memory[at + level_at] |= group.level_id_view[member] << 4
            sequences[member] = sequence + 1
            types[member] &= UNMARKED
            lengths[row] = size

    def _address(self, group: HearerGroup, start: int, count: int, first: int) -> None:
        """Point the headers at the hearers' addresses and the packets' lengths."""
        name_bytes = self._name_bytes
        names_at = group.names_at + start * name_bytes
        if count > FEW_ROWS:
            offsets, names = self._name_offsets[:count], self._words[:count, 0]
            np.add(offsets, np.uint64(names_at), out=names)
            self._vector_words[:count, 1] = self._lengths[:count]
            return
        words, vector_words = self._words_view, self._vectors_view
        for row in range(first, first + count):
            words[_WORDS * row] = names_at
            vector_words[2 * row + 1] = self._length_view[row]
            names_at += name_bytes
