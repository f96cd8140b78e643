"""Wraps data keys with a key that itself never lies beside them."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WRAPPED_SCHEMA: Final = 1
LOCAL_SCHEME: Final = "file://"
GOOGLE_SCHEME: Final = "gcpkms://"
_NONCE_BYTES: Final = 12
_KEY_BITS: Final = 256


class KeyLost(Exception):
    """The key that wrapped a data key is gone: what it sealed is erased."""


class KeyServiceDown(Exception):
    """The key service did not answer; the same call may succeed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A data key as it is stored; `wrapped_by` names the key that wrapped it."""

    wrapped_by: str
    wrapped: bytes

    def to_bytes(self) -> bytes:
        """Return the stored object."""
        return json.dumps(
            {
                "schema": WRAPPED_SCHEMA,
                "wrapped_by": self.wrapped_by,
                "wrapped": base64.b64encode(self.wrapped).decode(),
            }
        ).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """
        Read a stored object.

        Raises:
            KeyLost: it is none; nobody can unwrap it.
        """
        try:
            fields = json.loads(data)
            return cls(
                wrapped_by=str(fields["wrapped_by"]),
                wrapped=base64.b64decode(fields["wrapped"], validate=True),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise KeyLost("the stored key is unreadable") from error


class KeyEncryption(Protocol):
    """Wraps and unwraps; may block, and is called off the event loop."""

    def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        """
        Wrap a data key so that it opens in this `context` alone.

        Raises:
            KeyServiceDown: not now.
        """
        ...

    def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        """
        Return the data key.

        Raises:
            KeyLost: never again.
            KeyServiceDown: not now.
        """
        ...


class LocalKeyEncryption:
    """
    `KeyEncryption` by a file of keys, for a machine without a key service.

    The newest key wraps, all of them unwrap: `rotate` adds one, and a key may be taken
    out of the file once nothing that it wrapped is left.

    Args:
        path: `{"current": id, "keys": {id: base64}}`; made where missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._current = ""
        self._keys: Mapping[str, bytes] = {}
        if not path.exists():
            self._create()
        self._current, self._keys = self._read()

    def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        """Wrap with the current key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = AESGCM(self._keys[self._current])
        wrapped = nonce + cipher.encrypt(nonce, key, context)
        return WrappedKey(wrapped_by=self._current, wrapped=wrapped)

    def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        """Unwrap with whichever key wrapped it; `KeyLost` where that is gone."""
        if wrapped.wrapped_by not in self._keys:  # another process may have rotated
            self._current, self._keys = self._read()
        try:
            cipher = AESGCM(self._keys[wrapped.wrapped_by])
            nonce = wrapped.wrapped[:_NONCE_BYTES]
            return cipher.decrypt(nonce, wrapped.wrapped[_NONCE_BYTES:], context)
        except (KeyError, ValueError, InvalidTag) as error:
            raise KeyLost(f"wrapped by {wrapped.wrapped_by}") from error

    def rotate(self) -> None:
        """Let a new key wrap from now on."""
        name = secrets.token_hex(4)
        self._keys = {**self._keys, name: AESGCM.generate_key(_KEY_BITS)}
        self._current = name
        temporary = self._written()
        temporary.replace(self._path)

    def _create(self) -> None:
        self._current = secrets.token_hex(4)
        self._keys = {self._current: AESGCM.generate_key(_KEY_BITS)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._written()
        try:
            os.link(temporary, self._path)  # the first of several processes wins
        except FileExistsError:
            pass
        finally:
            temporary.unlink()

    def _written(self) -> Path:
        temporary = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        keys = {name: base64.b64encode(k).decode() for name, k in self._keys.items()}
        text = json.dumps({"current": self._current, "keys": keys})
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return temporary

    def _read(self) -> tuple[str, Mapping[str, bytes]]:
        fields: Any = json.loads(self._path.read_text())
        keys = {name: base64.b64decode(text) for name, text in fields["keys"].items()}
        return fields["current"], keys


class UnknownKeyEncryption(ValueError):
    """The URL names no way of wrapping keys."""


def key_encryption(url: str) -> KeyEncryption:
    """
    Return what `url` names.

    Args:
        url: "file:///…/keys.json", or "gcpkms://projects/…/cryptoKeys/…".

    Raises:
        UnknownKeyEncryption: it names nothing known.
    """
    if url.startswith(LOCAL_SCHEME):
        return LocalKeyEncryption(Path(url.removeprefix(LOCAL_SCHEME)))
    if url.startswith(GOOGLE_SCHEME):
        # Half a second of imports that a local key does not need.
        from .google_kms import GoogleKeyEncryption

        return GoogleKeyEncryption(url.removeprefix(GOOGLE_SCHEME))
    raise UnknownKeyEncryption(url.partition(":")[0])
