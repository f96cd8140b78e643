"""Wraps data keys with Google Cloud KMS, by its REST API (v1)."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from .key_encryption import KeyLost, KeyServiceDown, WrappedKey

API: Final = "https://cloudkms.googleapis.com/v1"
SCOPE: Final = "https://www.googleapis.com/auth/cloudkms"
TIMEOUT_S: Final = 10.0
# What cannot be decrypted by waiting: forged or foreign, of a key that is not there,
# or of a version that was destroyed.
_LOST: Final = ("INVALID_ARGUMENT", "NOT_FOUND")
_DESTROYED: Final = "DESTROY"  # also DESTROY_SCHEDULED


class Session(Protocol):
    """The part of an authorised HTTP session that is needed."""

    def post(self, url: str, *, json: Mapping[str, Any], timeout: float) -> Any:
        """Send, with a token; answer as `requests` does."""
        ...


def default_session() -> Session:
    """Return a session with the machine's own credentials."""
    credentials, _ = google.auth.default(scopes=[SCOPE])
    session: Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call] # google-auth is typed in part
    return session


class GoogleKeyEncryption:
    """
    `KeyEncryption` by one KMS key.  Its rotation is KMS': old versions still decrypt.

    Args:
        key: "projects/…/locations/…/keyRings/…/cryptoKeys/…".
        new_session: Called with the first key that is wrapped or unwrapped.
    """

    def __init__(
        self, key: str, new_session: Callable[[], Session] = default_session
    ) -> None:
        self._key = key
        self._new_session = new_session
        self._session: Session | None = None

    def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        """Wrap with the key's primary version."""
        answer = self._call(
            "encrypt", self._key, plaintext=key, additionalAuthenticatedData=context
        )
        return WrappedKey(
            wrapped_by=self._key, wrapped=base64.b64decode(answer["ciphertext"])
        )

    def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        """Unwrap with whichever version wrapped it; `KeyLost` where that is gone."""
        answer = self._call(
            "decrypt",
            wrapped.wrapped_by,
            ciphertext=wrapped.wrapped,
            additionalAuthenticatedData=context,
        )
        return base64.b64decode(answer.get("plaintext", ""))

    def _call(self, verb: str, key: str, **fields: bytes) -> Mapping[str, Any]:
        body = {
            name: base64.b64encode(value).decode() for name, value in fields.items()
        }
        try:
            if self._session is None:
                self._session = self._new_session()
            answer = self._session.post(
                f"{API}/{key}:{verb}", json=body, timeout=TIMEOUT_S
            )
            found: Mapping[str, Any] = answer.json()
        except (GoogleAuthError, requests.RequestException) as error:
            raise KeyServiceDown(type(error).__name__) from error
        if answer.status_code == 200:
            return found
        raise _refusal(found.get("error", {}), answer.status_code)


def _refusal(error: Mapping[str, Any], http_status: int) -> Exception:
    status, message = str(error.get("status")), str(error.get("message"))
    destroyed = status == "FAILED_PRECONDITION" and _DESTROYED in message
    if status in _LOST or destroyed:
        return KeyLost(status)
    return KeyServiceDown(f"{http_status} {status}")
