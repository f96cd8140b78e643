"""Grants, forwards and listen tokens as Ed25519-signed JWTs (RFC 8037)."""

import base64
import hmac
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from spaces_contract.grants import (
    ALGORITHM,
    GRANT_AUDIENCE,
    ISSUER,
    LISTEN_AUDIENCE,
    Forward,
    Grant,
    InvalidClaims,
    ListenToken,
)
from spaces_contract.ids import SpaceId, UserId

from ..service.errors import GrantInvalid, ListenTokenInvalid

MAX_TOKEN_CHARS: Final = 4096
PSEUDONYM_BYTES: Final = 16


class Ed25519Signer:
    """
    `GrantSigner` with one key pair; workers hold its public half.

    Raises:
        ValueError: `private_key_pem` is no Ed25519 private key.
    """

    def __init__(self, private_key_pem: str) -> None:
        key = load_pem_private_key(private_key_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the grant key must be an Ed25519 private key")
        self._key = key
        self._public_key = key.public_key()
        # Derived, so that one secret is all that a deployment has to keep.
        self._pseudonym_key = hmac.digest(
            key.private_bytes_raw(), b"parley anonymous listeners", "sha256"
        )

    @property
    def public_key_pem(self) -> str:
        """What workers check grants by."""
        return self._public_key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def sign_grant(self, grant: Grant) -> str:
        """Return the token."""
        return jwt.encode(grant.to_claims(), self._key, algorithm=ALGORITHM)

    def sign_forward(self, forward: Forward) -> str:
        """Return the token."""
        return jwt.encode(forward.to_claims(), self._key, algorithm=ALGORITHM)

    def pseudonym(self, space_id: SpaceId, user_id: UserId) -> UserId:
        """Return what an anonymous listener is called; see `GrantSigner`."""
        named = f"{space_id}/{user_id}".encode()
        digest = hmac.digest(self._pseudonym_key, named, "sha256")[:PSEUDONYM_BYTES]
        text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return UserId(f"anon-{text}")

    def read_grant(self, token: str) -> Grant:
        """Return what was signed, expired or not; see `GrantSigner`."""
        try:
            return Grant.from_claims(self._claims(token, GRANT_AUDIENCE))
        except (jwt.PyJWTError, InvalidClaims) as error:
            raise GrantInvalid from error

    def sign_listen_token(self, token: ListenToken) -> str:
        """Return the token, signed."""
        return jwt.encode(token.to_claims(), self._key, algorithm=ALGORITHM)

    def read_listen_token(self, token: str) -> ListenToken:
        """Return what was signed, expired or not; see `GrantSigner`."""
        try:
            return ListenToken.from_claims(self._claims(token, LISTEN_AUDIENCE))
        except (jwt.PyJWTError, InvalidClaims) as error:
            raise ListenTokenInvalid from error

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise InvalidClaims("too long")
        return jwt.decode(
            token,
            self._public_key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            # Expiry is the service's rule: it closes sessions by expired grants.
            options={"verify_exp": False, "verify_iat": False},
        )
