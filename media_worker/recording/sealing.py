"""
Pages as they lie on disk and in the store: sealed with AES-256-GCM, in a row.

A record is `number (4 bytes) | length (4 bytes) | sealed page`.  Number and place
are authenticated, so that no page can be moved, left out of the middle or taken
from another stem unnoticed.  A key seals the pages of one stem in one epoch, each
number once: the nonce is the number.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from spaces_contract.recording import RecordingId, StemId

KEY_BITS: Final = 256
MAX_PAGE_BYTES: Final = 128 * 1024
_HEAD: Final = struct.Struct(">II")
_NONCE_BYTES: Final = 12


class DamagedPage(ValueError):
    """A page was changed, moved or sealed with another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemPlace:
    """Whose pages a key seals: one stem in one epoch."""

    recording_id: RecordingId
    stem: StemId
    epoch: int


@dataclass(frozen=True, slots=True)
class SealedPage:
    """One record."""

    number: int
    sealed: bytes


def new_key() -> bytes:
    """Return a data key."""
    return AESGCM.generate_key(KEY_BITS)


class PageSeal:
    """Seals and opens the pages of one stem in one epoch."""

    def __init__(self, key: bytes, place: StemPlace) -> None:
        self._cipher = AESGCM(key)
        self._place = f"{place.recording_id}/{place.stem}/{place.epoch}/"

    def seal(self, number: int, page: bytes) -> bytes:
        """Return the record of a page; each number is to be used once."""
        sealed = self._cipher.encrypt(_nonce(number), page, self._label(number))
        return _HEAD.pack(number, len(sealed)) + sealed

    def open(self, page: SealedPage) -> bytes:
        """
        Return the page.

        Raises:
            DamagedPage: it is not what was sealed here.
        """
        number = page.number
        try:
            return self._cipher.decrypt(
                _nonce(number), page.sealed, self._label(number)
            )
        except InvalidTag as error:
            raise DamagedPage(f"page {number}") from error

    def _label(self, number: int) -> bytes:
        return f"{self._place}{number}".encode()


def records(data: bytes) -> Iterator[SealedPage]:
    """Yield the whole records of an object; a torn last one is left out."""
    position = 0
    while position + _HEAD.size <= len(data):
        number, length = _HEAD.unpack_from(data, position)
        position += _HEAD.size
        if length > MAX_PAGE_BYTES or position + length > len(data):
            return
        yield SealedPage(number, data[position : position + length])
        position += length


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")
