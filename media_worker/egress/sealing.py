"""
SRTP by AEAD_AES_256_GCM (RFC 7714) straight through libsodium: no context a hearer.

libsrtp's contexts lie scattered over the heap, 4.7 KB each, and with a thousand of them
every packet waits for memory.  Here a hearer is 44 bytes in the group's arrays: key
schedule included, a packet costs a fifth.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from nacl._sodium import (  # type: ignore[import-not-found]  # compiled, no stubs
    ffi,
    lib,
)

from .packet_head import SSRC_AT

KEY_BYTES: Final = 32
SALT_BYTES: Final = 12
TAG_BYTES: Final = 16
_INDEX_BYTES: Final = 6  # ROC and sequence number, the nonce's end (RFC 7714 8.1)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AeadKeys:
    """
    Session keys of one outgoing stream, derived by RFC 3711 4.3.1.

    Args:
        key: `KEY_BYTES`.
        salt: `SALT_BYTES`.
    """

    key: bytes
    salt: bytes


def is_available() -> bool:
    """Whether this processor has what libsodium needs for GCM."""
    if lib.sodium_init() < 0:
        return False
    return bool(lib.crypto_aead_aes256gcm_is_available())


class Sealer:
    """
    Encrypts one payload for many hearers behind the headers that were stamped.

    Args:
        packets: Rows of memory, `uint8` of shape `(rows, stride)`; it must outlive
            the sealer.
    """

    def __init__(self, packets: Bytes) -> None:
        rows, stride_bytes = packets.shape
        self._nonces = np.zeros((rows, SALT_BYTES), np.uint8)
        self._keys = np.zeros((rows, KEY_BYTES), np.uint8)
        self._first = packets.ctypes.data
        self._stride_bytes = stride_bytes
        self._heads = self._rows_at(0)
        self._bodies: dict[int, list[Any]] = {}  # by the header's size: 31 at most
        self._nonce_rows = _pointers(self._nonces)
        self._key_rows = _pointers(self._keys)

    def prepare(
        self, keys: Bytes, salts: Bytes, indices: npt.NDArray[np.uint64], head: Bytes
    ) -> None:
        """
        Take the hearers of the next rows.

        Args:
            keys: `(n, KEY_BYTES)`.
            salts: `(n, SALT_BYTES)`.
            indices: 48-bit packet indices, `(n,)`; never the same twice for a key.
            head: The header that they share; its SSRC counts.
        """
        count = len(indices)
        nonces = self._nonces[:count]
        self._keys[:count] = keys
        nonces[:] = salts
        nonces[:, 2:6] ^= head[SSRC_AT : SSRC_AT + 4]
        as_bytes = indices.astype(">u8").view(np.uint8).reshape(count, 8)
        nonces[:, -_INDEX_BYTES:] ^= as_bytes[:, -_INDEX_BYTES:]

    def seal(self, count: int, head_bytes: int, payload: bytes) -> None:
        """Write ciphertext and tag behind the headers of the first `count` rows."""
        if head_bytes not in self._bodies:
            self._bodies[head_bytes] = self._rows_at(head_bytes)
        same, null = itertools.repeat, ffi.NULL
        outcomes = map(
            lib.crypto_aead_aes256gcm_encrypt,
            self._bodies[head_bytes][:count],
            same(null),
            same(ffi.from_buffer(payload)),
            same(len(payload)),
            self._heads,
            same(head_bytes),
            same(null),
            self._nonce_rows,
            self._key_rows,
        )
        if any(outcomes):  # never, by its contract: it has no way to fail
            raise RuntimeError("libsodium did not encrypt")

    def seal_one(
        self, row: int, head_bytes: int, payload: bytes, key: bytes, nonce: int
    ) -> None:
        """
        Write ciphertext and tag behind the header of one row, without `prepare`.

        Args:
            nonce: RFC 7714 8.1, of 96 bits; never the same twice for a key.
        """
        if head_bytes not in self._bodies:
            self._bodies[head_bytes] = self._rows_at(head_bytes)
        lib.crypto_aead_aes256gcm_encrypt(
            self._bodies[head_bytes][row],
            ffi.NULL,
            payload,
            len(payload),
            self._heads[row],
            head_bytes,
            ffi.NULL,
            nonce.to_bytes(SALT_BYTES),
            key,
        )

    def _rows_at(self, offset: int) -> list[Any]:
        starts = range(
            self._first + offset,
            self._first + offset + len(self._nonces) * self._stride_bytes,
            self._stride_bytes,
        )
        return [ffi.cast("unsigned char *", start) for start in starts]


def _pointers(array: Bytes) -> list[Any]:
    start, row_bytes = array.ctypes.data, array.shape[1]
    return [
        ffi.cast("unsigned char *", start + row * row_bytes)
        for row in range(len(array))
    ]
