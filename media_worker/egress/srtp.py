"""
SRTP in place: libsrtp through pylibsrtp's own binding, without its copies.

`pylibsrtp.Session.protect` copies a packet in and out and allocates twice, which costs
more than the cipher.  Its compiled binding takes any memory; the private names that
this needs (`_binding`, `Session._srtp`) are pinned by the tests of stamping.
"""

from collections.abc import Sequence
from typing import Any, Final

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

TRAILER_BYTES: Final = 16  # the longest tag of the profiles that we offer
_OK: Final = lib.srtp_err_status_ok


class SrtpHandle:
    """
    One direction of one session's SRTP context.

    Args:
        session: Keeps the context alive as long as this handle lives.
    """

    __slots__ = ("_session", "context")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.context: Any = session._srtp[0]


class SrtpBuffer:
    """
    Rows of memory of a fixed stride in which packets are protected or opened.

    Args:
        rows: How many packets it holds.
        stride_bytes: Room for each, trailer included.
    """

    def __init__(self, rows: int, stride_bytes: int) -> None:
        self.stride_bytes = stride_bytes
        self._memory = ffi.new("unsigned char[]", rows * stride_bytes)
        self._lengths = ffi.new("int[]", rows)
        start = int(ffi.cast("uintptr_t", self._memory))
        self.addresses = [start + row * stride_bytes for row in range(rows)]
        self._pointers = [ffi.cast("void *", address) for address in self.addresses]
        self.view = memoryview(ffi.buffer(self._memory))
        self._length_pointers = [self._lengths + row for row in range(rows)]

    @property
    def memory(self) -> Any:
        """All rows as one writable buffer."""
        return ffi.buffer(self._memory)

    @property
    def lengths(self) -> Any:
        """Each row's length as a writable buffer of C ints: before, then after."""
        return ffi.buffer(self._lengths)

    def read(self, row: int, length: int) -> bytes:
        """Return a copy of the first `length` bytes of a row."""
        start = row * self.stride_bytes
        return bytes(self.view[start : start + length])

    def protect(self, contexts: Sequence[Any], first: int = 0) -> list[int]:
        """
        Encrypt a row with each context, from `first` on, in place, lengths likewise.

        Returns:
            The rows that libsrtp refused.
        """
        rows = slice(first, first + len(contexts))
        pointers, lengths = self._pointers[rows], self._length_pointers[rows]
        statuses = list(map(lib.srtp_protect, contexts, pointers, lengths))
        if any(statuses):
            return [row for row, status in enumerate(statuses, first) if status != _OK]
        return []

    def unprotect(self, row: int, length: int, handle: SrtpHandle) -> bytes | None:
        """Open the SRTP packet in a row; None where it is not authentic or replayed."""
        self._lengths[row] = length
        pointer = self._pointers[row]
        status = lib.srtp_unprotect(handle.context, pointer, self._length_pointers[row])
        return self.read(row, self._lengths[row]) if status == _OK else None

    def unprotect_rtcp(self, row: int, length: int, handle: SrtpHandle) -> bytes | None:
        """Open the SRTCP packet in a row; None where it is not authentic."""
        self._lengths[row] = length
        pointer = self._pointers[row]
        status = lib.srtp_unprotect_rtcp(
            handle.context, pointer, self._length_pointers[row]
        )
        return self.read(row, self._lengths[row]) if status == _OK else None
