"""Signatures of receipts: Ed25519, with a key that everybody can look up."""

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from spaces_contract.consent_receipts import (
    Receipt,
    SignedReceipt,
    key_id,
    to_base64url,
)


class Ed25519Prover:
    """
    `Prover` with one private key.

    Args:
        retired_keys: Public keys, PEM, of before: what they signed is still proof.

    Raises:
        ValueError: a key is no Ed25519 key.
    """

    def __init__(self, private_key_pem: str, retired_keys: Sequence[str] = ()) -> None:
        key = load_pem_private_key(private_key_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the proof key must be an Ed25519 private key")
        self._key = key
        self._public = [key.public_key(), *map(_public_key, retired_keys)]
        self._key_id = key_id(key.public_key().public_bytes_raw())

    def sign(self, receipt: Receipt, salt: bytes) -> SignedReceipt:
        """Sign the receipt's own bytes; see `Prover`."""
        return SignedReceipt(
            receipt=receipt,
            salt=salt.hex(),
            key_id=self._key_id,
            signature=to_base64url(self._key.sign(receipt.signed_bytes())),
        )

    def public_keys(self) -> Sequence[dict[str, Any]]:
        """Return JWKs (RFC 8037 2); see `Prover`."""
        return [_jwk(key) for key in self._public]


def _public_key(pem: str) -> Ed25519PublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a retired proof key must be an Ed25519 public key")
    return key


def _jwk(key: Ed25519PublicKey) -> dict[str, Any]:
    raw = key.public_bytes_raw()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": to_base64url(raw),
        "kid": key_id(raw),
        "use": "sig",
        "alg": "EdDSA",
    }
