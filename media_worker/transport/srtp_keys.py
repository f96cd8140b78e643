"""From a master key to the keys that encrypt packets (RFC 3711 4.3, RFC 7714 11)."""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..egress.sealing import KEY_BYTES, SALT_BYTES, AeadKeys

_ENCRYPTION_LABEL: Final = 0
_SALT_LABEL: Final = 2
_LABEL_AT: Final = 7  # of the 14 bytes that the label is added to
_BLOCK: Final = bytes(16)


def aead_keys(master: bytes) -> AeadKeys:
    """
    Return the session keys of AEAD_AES_256_GCM.

    Args:
        master: Key and salt one after the other, 32 + 12 bytes, as DTLS gives them.
    """
    key, salt = master[:KEY_BYTES], master[KEY_BYTES:]
    return AeadKeys(
        key=_derive(key, salt, _ENCRYPTION_LABEL, KEY_BYTES),
        salt=_derive(key, salt, _SALT_LABEL, SALT_BYTES),
    )


def _derive(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    counter = bytearray(salt.ljust(len(_BLOCK), b"\0"))
    counter[_LABEL_AT] ^= label
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(counter))).encryptor()
    return stream.update(2 * _BLOCK)[:size]
