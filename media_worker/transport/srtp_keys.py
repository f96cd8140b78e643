"""SRTP's profiles, and the keys that encrypt packets (RFC 3711 4.3, RFC 7714 11)."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pylibsrtp import Policy

from ..egress.sealing import KEY_BYTES, SALT_BYTES, AeadKeys

_ENCRYPTION_LABEL: Final = 0
_SALT_LABEL: Final = 2
_LABEL_AT: Final = 7  # of the 14 bytes that the label is added to
_BLOCK: Final = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class SrtpProfile:
    """
    A way to protect packets that DTLS can agree on (RFC 5764 4.1.2, RFC 7714 14.2).

    Args:
        name: As OpenSSL calls it.
        number: As libsrtp does.
    """

    name: bytes
    number: int
    key_bytes: int
    salt_bytes: int

    @property
    def material_bytes(self) -> int:
        """What both sides' master keys and salts take together."""
        return 2 * (self.key_bytes + self.salt_bytes)

    def master(self, material: bytes, side: int) -> bytes:
        """Return key and salt of the client's (0) or the server's (1) packets."""
        key_at = side * self.key_bytes
        salt_at = 2 * self.key_bytes + side * self.salt_bytes
        return (
            material[key_at : key_at + self.key_bytes]
            + material[salt_at : salt_at + self.salt_bytes]
        )


AEAD_AES_256_GCM: Final = SrtpProfile(
    name=b"SRTP_AEAD_AES_256_GCM",
    number=Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    key_bytes=KEY_BYTES,
    salt_bytes=SALT_BYTES,
)
PROFILES: Final = (  # the first is preferred
    AEAD_AES_256_GCM,
    SrtpProfile(
        name=b"SRTP_AEAD_AES_128_GCM",
        number=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        key_bytes=16,
        salt_bytes=12,
    ),
    SrtpProfile(
        name=b"SRTP_AES128_CM_SHA1_80",
        number=Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        key_bytes=16,
        salt_bytes=14,
    ),
)


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
