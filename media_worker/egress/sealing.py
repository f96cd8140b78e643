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
_NONCE_AT: Final = 4  # in a row of 16 bytes, so that its numbers are aligned
# Of the type that is asked for: cffi takes those as they are.
_NO_LENGTH: Final = ffi.cast("unsigned long long *", 0)
_NO_SECRET: Final = ffi.cast("unsigned char *", 0)

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


class Secrets:
    """
    Keys and salts of a group, one row a hearer.

    Args:
        rows: How many it holds; `columns` is what moves when hearers do.
    """

    def __init__(self, rows: int) -> None:
        self.keys = np.zeros((rows, KEY_BYTES), np.uint8)
        # As big-endian numbers: a nonce is the salt with id and index mixed in.
        self.salt_heads = np.zeros(rows, np.uint32)
        self.salt_tails = np.zeros(rows, np.uint64)
        self.columns = (self.keys, self.salt_heads, self.salt_tails)

    def put(self, row: int, aead: AeadKeys) -> None:
        """Set what encrypts for a hearer."""
        self.keys[row] = np.frombuffer(aead.key, np.uint8)
        self.salt_heads[row] = int.from_bytes(aead.salt[:4])
        self.salt_tails[row] = int.from_bytes(aead.salt[4:])


class Sealer:
    """
    Encrypts one payload for many hearers behind the headers that were stamped.

    Keys are copied next to the packets: cffi's pointers to where they are for good
    would be two objects a hearer, which no cache holds until the next tick.

    Args:
        packets: Rows of memory, `uint8` of shape `(rows, stride)`; it must outlive
            the sealer.
    """

    def __init__(self, packets: Bytes) -> None:
        self._packets = packets
        rows = len(packets)
        self._keys = np.zeros((rows, KEY_BYTES), np.uint8)
        self._nonces = np.zeros((rows, _NONCE_AT + SALT_BYTES), np.uint8)
        self._nonce_heads = self._nonces.view(">u4")[:, 1]
        self._nonce_tails = self._nonces.view(">u8")[:, 1]
        self._key_rows = _pointers(self._keys)
        self._nonce_rows = _pointers(self._nonces, _NONCE_AT)
        self._heads = _pointers(packets)
        self._bodies: dict[int, list[Any]] = {}  # by the header's size: 31 at most

    def prepare(
        self,
        secrets: Secrets,
        rows: slice,
        indices: npt.NDArray[np.uint64],
        head: bytes,
    ) -> None:
        """
        Take the hearers of the next packets, and make nonces (RFC 7714 8.1).

        Args:
            rows: Of `secrets`, one for each packet.
            indices: 48-bit packet indices, likewise; never the same twice for a key.
            head: The header that they share; its SSRC counts.
        """
        count = len(indices)
        ssrc = int.from_bytes(head[SSRC_AT : SSRC_AT + 4])
        self._keys[:count] = secrets.keys[rows]
        self._nonce_heads[:count] = secrets.salt_heads[rows] ^ np.uint32(ssrc >> 16)
        mixed = secrets.salt_tails[rows] ^ indices
        mixed ^= np.uint64((ssrc & 0xFFFF) << 48)
        self._nonce_tails[:count] = mixed

    def seal(self, count: int, head_bytes: int, payload: bytes) -> None:
        """Write ciphertext and tag behind the headers of the first `count` rows."""
        same = itertools.repeat
        # Not by map: zip uses one tuple for the arguments of all calls.
        calls = zip(
            self._behind(head_bytes)[:count],
            same(_NO_LENGTH),
            same(ffi.cast("unsigned char *", ffi.from_buffer(payload))),
            same(len(payload)),
            self._heads,
            same(head_bytes),
            same(_NO_SECRET),
            self._nonce_rows,
            self._key_rows,
            strict=False,
        )
        outcomes = itertools.starmap(lib.crypto_aead_aes256gcm_encrypt, calls)
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
        lib.crypto_aead_aes256gcm_encrypt(
            self._behind(head_bytes)[row],
            ffi.NULL,
            payload,
            len(payload),
            self._heads[row],
            head_bytes,
            ffi.NULL,
            nonce.to_bytes(SALT_BYTES),
            key,
        )

    def _behind(self, head_bytes: int) -> list[Any]:
        if head_bytes not in self._bodies:
            self._bodies[head_bytes] = _pointers(self._packets, head_bytes)
        return self._bodies[head_bytes]


def _pointers(array: Bytes, offset: int = 0) -> list[Any]:
    start, row_bytes = array.ctypes.data + offset, array.shape[1]
    return [
        ffi.cast("unsigned char *", start + row * row_bytes)
        for row in range(len(array))
    ]
