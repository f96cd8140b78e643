"""What segments are encrypted with: keys that exist in this process' memory alone."""

import secrets
from typing import Final

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from spaces_contract.hls import KEY_BYTES

SECRET_BYTES: Final = 32
BLOCK_BITS: Final = 128


class KeysDestroyed(Exception):
    """The secret is gone, and with it every key."""


class SegmentKeys:
    """
    The keys of one worker's segments, all derived from a secret that is never stored.

    Lifecycle: from a secret of its own until `destroy`; then nobody, this object
    included, can decrypt what was encrypted.

    Args:
        place: "{space_id}/{epoch}": no two have a key in common.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._secret = bytearray(secrets.token_bytes(SECRET_BYTES))

    def key(self, number: int) -> bytes:
        """
        Return key `number`, of 16 bytes.

        Raises:
            KeysDestroyed: there is none any more.
        """
        return self._derive(f"{self._place}/{number}")

    def initial_vector(self, number: int) -> bytes:
        """
        Return the IV of what key `number` encrypts; it is public.

        One for each key is enough: segments differ in their timestamps before the
        first byte of sound, and CBC carries that on.

        Raises:
            KeysDestroyed: there is no such key any more.
        """
        return self._derive(f"{self._place}/{number}/iv")

    def encrypt(self, body: bytes, number: int) -> bytes:
        """
        Encrypt a segment: AES-128-CBC, PKCS7 (RFC 8216 4.3.2.4).

        Raises:
            KeysDestroyed: there is no key any more.
        """
        mode = CBC(self.initial_vector(number))
        encryptor = Cipher(AES128(self.key(number)), mode).encryptor()
        padder = padding.PKCS7(BLOCK_BITS).padder()
        padded = padder.update(body) + padder.finalize()
        return encryptor.update(padded) + encryptor.finalize()

    def destroy(self) -> None:
        """Overwrite the secret; may be called again."""
        self._secret[:] = bytes(len(self._secret))
        self._secret.clear()

    def _derive(self, info: str) -> bytes:
        if not self._secret:
            raise KeysDestroyed
        kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info.encode())
        return kdf.derive(self._secret)
