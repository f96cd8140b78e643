"""
Claims of the Ed25519-signed JWTs by which people are let in to hear and to talk.

A *grant* is what a client holds: `join` answers it, WHIP and WHEP requests carry
it as a bearer token, and it also deletes what it made.  A *forward* is what a
function signs after it has checked the grant: it binds one request (method,
session, digest of the body) and is all that a worker's control address accepts.
A *listen token* is in the URLs of whoever hears by HLS: it gets keys, and nothing else.
Encoding and signatures are the adapters' work; this module knows claims only.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .roles import PeerKind, Role

ALGORITHM: Final = "EdDSA"
ISSUER: Final = "parley"
GRANT_AUDIENCE: Final = "parley-media"
FORWARD_AUDIENCE: Final = "parley-control"
LISTEN_AUDIENCE: Final = "parley-listen"
GRANT_LIFETIME_S: Final = 120
FORWARD_LIFETIME_S: Final = 30
LISTEN_LIFETIME_S: Final = 600


class InvalidClaims(ValueError):
    """Claims of a correctly signed token are missing or of the wrong type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    What one client may do in one epoch of one Space.

    Args:
        grant_id: The JWT's `jti`; sessions remember it, so that DELETE with the
            same grant works after it expired.
        epoch: The Space's epoch; a worker of another epoch refuses.
    """

    grant_id: str
    space_id: str
    user_id: str
    role: Role
    epoch: int
    kinds: tuple[PeerKind, ...]
    anonymous: bool
    issued_at_s: int
    expires_at_s: int

    def to_claims(self) -> dict[str, Any]:
        """Return JWT claims (RFC 7519), private ones with the field's own names."""
        return {
            "iss": ISSUER,
            "aud": GRANT_AUDIENCE,
            "jti": self.grant_id,
            "sub": self.user_id,
            "iat": self.issued_at_s,
            "exp": self.expires_at_s,
            "space_id": self.space_id,
            "role": self.role.value,
            "epoch": self.epoch,
            "kinds": [kind.value for kind in self.kinds],
            "anonymous": self.anonymous,
        }

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """
        Read verified claims.

        Raises:
            InvalidClaims: a claim is missing, or of the wrong type or value.
        """
        try:
            kinds = claims["kinds"]
            if not isinstance(kinds, list):
                raise InvalidClaims("kinds must be a list")
            return cls(
                grant_id=_text(claims, "jti"),
                space_id=_text(claims, "space_id"),
                user_id=_text(claims, "sub"),
                role=Role(_text(claims, "role")),
                epoch=_integer(claims, "epoch"),
                kinds=tuple(PeerKind(kind) for kind in kinds),
                anonymous=claims["anonymous"] is True,
                issued_at_s=_integer(claims, "iat"),
                expires_at_s=_integer(claims, "exp"),
            )
        except (KeyError, ValueError) as error:
            raise InvalidClaims(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """
    One request that a function passes on to a worker.

    Args:
        method: "POST" opens a session of `kind`, "DELETE" closes `session_id`,
            `reactions.REACT` brings those of many people; `user_id` is one of them.
        body_sha256: Hex digest of the request body; of no bytes for DELETE.
    """

    method: str
    space_id: str
    epoch: int
    user_id: str
    role: Role
    anonymous: bool
    grant_id: str
    body_sha256: str
    issued_at_s: int
    expires_at_s: int
    kind: PeerKind | None = None
    session_id: str | None = None

    @classmethod
    def of(
        cls,
        grant: Grant,
        method: str,
        body: bytes,
        *,
        issued_at_s: int,
        kind: PeerKind | None = None,
        session_id: str | None = None,
    ) -> Self:
        """Return what passes on a request of whoever holds `grant`."""
        return cls(
            method=method,
            space_id=grant.space_id,
            epoch=grant.epoch,
            user_id=grant.user_id,
            role=grant.role,
            anonymous=grant.anonymous,
            grant_id=grant.grant_id,
            body_sha256=body_digest(body),
            issued_at_s=issued_at_s,
            expires_at_s=issued_at_s + FORWARD_LIFETIME_S,
            kind=kind,
            session_id=session_id,
        )

    def to_claims(self) -> dict[str, Any]:
        """Return JWT claims; `kind` or `session_id` is left out where it is None."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": FORWARD_AUDIENCE,
            "sub": self.user_id,
            "iat": self.issued_at_s,
            "exp": self.expires_at_s,
            "method": self.method,
            "space_id": self.space_id,
            "epoch": self.epoch,
            "role": self.role.value,
            "anonymous": self.anonymous,
            "grant_id": self.grant_id,
            "body_sha256": self.body_sha256,
        }
        if self.kind is not None:
            claims["kind"] = self.kind.value
        if self.session_id is not None:
            claims["session_id"] = self.session_id
        return claims

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """
        Read verified claims.

        Raises:
            InvalidClaims: a claim is missing, or of the wrong type or value.
        """
        try:
            return cls(
                method=_text(claims, "method"),
                space_id=_text(claims, "space_id"),
                epoch=_integer(claims, "epoch"),
                user_id=_text(claims, "sub"),
                role=Role(_text(claims, "role")),
                anonymous=claims["anonymous"] is True,
                grant_id=_text(claims, "grant_id"),
                body_sha256=_text(claims, "body_sha256"),
                issued_at_s=_integer(claims, "iat"),
                expires_at_s=_integer(claims, "exp"),
                kind=PeerKind(claims["kind"]) if "kind" in claims else None,
                session_id=(
                    _text(claims, "session_id") if "session_id" in claims else None
                ),
            )
        except (KeyError, ValueError) as error:
            raise InvalidClaims(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenToken:
    """
    Who may fetch the keys of one Space, in whatever epoch: it outlives a worker.

    Args:
        token_id: The JWT's `jti`.
        listener_id: A uid, or the pseudonym of an anonymous listener.
    """

    token_id: str
    space_id: str
    listener_id: str
    anonymous: bool
    issued_at_s: int
    expires_at_s: int

    def to_claims(self) -> dict[str, Any]:
        """Return JWT claims."""
        return {
            "iss": ISSUER,
            "aud": LISTEN_AUDIENCE,
            "jti": self.token_id,
            "sub": self.listener_id,
            "iat": self.issued_at_s,
            "exp": self.expires_at_s,
            "space_id": self.space_id,
            "anonymous": self.anonymous,
        }

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """
        Read verified claims.

        Raises:
            InvalidClaims: a claim is missing, or of the wrong type.
        """
        try:
            return cls(
                token_id=_text(claims, "jti"),
                space_id=_text(claims, "space_id"),
                listener_id=_text(claims, "sub"),
                anonymous=claims["anonymous"] is True,
                issued_at_s=_integer(claims, "iat"),
                expires_at_s=_integer(claims, "exp"),
            )
        except KeyError as error:
            raise InvalidClaims(str(error)) from error


def body_digest(body: bytes) -> str:
    """Return the hex SHA-256 that a `Forward` carries for `body`."""
    return hashlib.sha256(body).hexdigest()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value: object = claims[name]
    if not isinstance(value, str) or not value:
        raise InvalidClaims(f"{name} must be a non-empty string")
    return value


def _integer(claims: Mapping[str, Any], name: str) -> int:
    value: object = claims[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidClaims(f"{name} must be an integer")
    return value
