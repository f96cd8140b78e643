"""Signatures of manifests and receipts (Ed25519)."""

from dataclasses import replace
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from spaces_contract.clip_manifest import ClipManifest
from spaces_contract.consent_receipts import from_base64url, key_id, to_base64url
from spaces_contract.recording_manifest import Manifest

AnyManifest = TypeVar("AnyManifest", Manifest, ClipManifest)


class ManifestSigner:
    """
    Signs manifests.

    Args:
        private_key: Ed25519, PEM.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, private_key: str) -> None:
        key = load_pem_private_key(private_key.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the proof key must be Ed25519")
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def signed(self, manifest: AnyManifest) -> AnyManifest:
        """Return `manifest` with our key's name and signature."""
        named = replace(
            manifest,
            key_id=key_id(self._public),
            public_key=to_base64url(self._public),
        )
        signature = to_base64url(self._key.sign(named.signed_bytes()))
        return replace(named, signature=signature)


def is_signed(message: bytes, signature: str, public_key: bytes) -> bool:
    """
    Tell whether `public_key` signed `message`.

    Args:
        signature: Base64url; whatever is none is no signature.
        public_key: Raw, 32 bytes.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(from_base64url(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
