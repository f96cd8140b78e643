"""Google Cloud KMS, by its REST API: what is sent, and what its refusals mean."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from google.auth.exceptions import TransportError

from media_worker.recording.google_kms import GoogleKeyEncryption
from media_worker.recording.key_encryption import (
    KeyLost,
    KeyServiceDown,
    WrappedKey,
    key_encryption,
)

KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"


@dataclass
class Answer:
    """What KMS answers."""

    body: Mapping[str, Any]
    status_code: int = 200

    def json(self) -> Mapping[str, Any]:
        """Return the body."""
        return self.body


@dataclass
class FakeKms:
    """
    "Encrypts" by putting context and text in a row; refuses another context.

    Args:
        failure: Answered, or raised, instead.
    """

    failure: Answer | Exception | None = None
    urls: list[str] = field(default_factory=list)

    def post(self, url: str, *, json: Mapping[str, Any], timeout: float) -> Any:
        """Answer as KMS does."""
        self.urls.append(url)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        context = base64.b64decode(json["additionalAuthenticatedData"])
        if url.endswith(":encrypt"):
            sealed = context + b"|" + base64.b64decode(json["plaintext"])
            return Answer({"ciphertext": base64.b64encode(sealed).decode()})
        bound, _, plain = base64.b64decode(json["ciphertext"]).partition(b"|")
        if bound != context:
            return Answer({"error": {"status": "INVALID_ARGUMENT"}}, 400)
        return Answer({"plaintext": base64.b64encode(plain).decode()})


def test_what_was_wrapped_is_unwrapped_in_its_context_alone() -> None:
    """
    A key comes back by the resource that wrapped it, bound to its stem and epoch.
    """
    kms = FakeKms()
    encryption = GoogleKeyEncryption(KEY, lambda: kms)
    wrapped = WrappedKey.from_bytes(encryption.wrap(b"key", context=b"ana").to_bytes())

    assert encryption.unwrap(wrapped, context=b"ana") == b"key"
    with pytest.raises(KeyLost):
        encryption.unwrap(wrapped, context=b"bo")
    base = f"https://cloudkms.googleapis.com/v1/{KEY}"
    assert kms.urls[:2] == [f"{base}:encrypt", f"{base}:decrypt"]


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        ("NOT_FOUND", "no such key", KeyLost),
        ("FAILED_PRECONDITION", "current state is: DESTROYED", KeyLost),
        ("FAILED_PRECONDITION", "current state is: DISABLED", KeyServiceDown),
        ("PERMISSION_DENIED", "", KeyServiceDown),
        ("RESOURCE_EXHAUSTED", "", KeyServiceDown),
        ("UNAVAILABLE", "", KeyServiceDown),
    ],
)
def test_a_refusal_is_told_from_an_outage(
    status: str, message: str, outcome: type[Exception]
) -> None:
    """
    Only what can never be decrypted again is lost; anything else is tried again.
    """
    kms = FakeKms(Answer({"error": {"status": status, "message": message}}, 400))
    encryption = GoogleKeyEncryption(KEY, lambda: kms)

    with pytest.raises(outcome):
        encryption.unwrap(WrappedKey(wrapped_by=KEY, wrapped=b"x"), context=b"")


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError(),
        requests.Timeout(),
        TransportError("no token"),  # type: ignore[no-untyped-call] # as above
    ],
)
def test_no_network_is_an_outage(failure: Exception) -> None:
    """
    A service that cannot be reached loses no key.
    """
    encryption = GoogleKeyEncryption(KEY, lambda: FakeKms(failure))

    with pytest.raises(KeyServiceDown):
        encryption.wrap(b"key", context=b"")


def test_it_is_chosen_by_url_and_asked_for_nothing_before_its_first_key() -> None:
    """
    A worker that records nothing needs no credentials.
    """
    assert isinstance(key_encryption(f"gcpkms://{KEY}"), GoogleKeyEncryption)
