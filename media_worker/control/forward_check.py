"""Verifies the signed forwards with which functions pass requests on."""

import hmac

import jwt
from jwt.algorithms import OKPAlgorithm

from spaces_contract.control import ControlError
from spaces_contract.grants import (
    ALGORITHM,
    FORWARD_AUDIENCE,
    ISSUER,
    Forward,
    InvalidClaims,
    body_digest,
)
from spaces_contract.relays import FEED

from ..room.ports import SessionRefused

LEEWAY_S = 5  # clocks of functions and workers differ a little
REQUIRED = ["iss", "aud", "sub", "iat", "exp"]
BEARER = "bearer "


class ForwardCheck:
    """
    Knows which forwards this worker may act on.

    Args:
        public_key: Ed25519, PEM; its private half is the functions'.
    """

    def __init__(self, public_key: str, *, space_id: str, epoch: int) -> None:
        self._public_key = OKPAlgorithm().prepare_key(public_key)  # parsed once
        self._space_id = space_id
        self._epoch = epoch

    def check(
        self,
        authorization: str | None,
        *,
        method: str,
        body: bytes,
        session_id: str | None = None,
    ) -> Forward:
        """
        Return the claims of a request's bearer token.

        Args:
            session_id: Named by a DELETE's URL.

        Raises:
            SessionRefused: `INVALID_FORWARD` or `STALE_EPOCH`.
        """
        forward = self._addressed(authorization, method)
        if (forward.kind is None) != (method != "POST"):
            raise _invalid("it names no kind of session")
        if forward.session_id != session_id:
            raise _invalid("it is for another session")
        if not hmac.compare_digest(forward.body_sha256, body_digest(body)):
            raise _invalid("it is for another body")
        self._must_be_current(forward)
        return forward

    def check_feed(self, authorization: str | None, index: int) -> None:
        """
        Return if a request's bearer token is that of the relay `index`.

        Raises:
            SessionRefused: `INVALID_FORWARD` or `STALE_EPOCH`.
        """
        forward = self._addressed(authorization, FEED)
        if forward.session_id != str(index):
            raise _invalid("it is for another relay")
        self._must_be_current(forward)

    def _addressed(self, authorization: str | None, method: str) -> Forward:
        forward = self._read(authorization)
        if forward.space_id != self._space_id:
            raise _invalid("it is for another Space")
        if forward.method != method:
            raise _invalid("it is for another method")
        return forward

    def _must_be_current(self, forward: Forward) -> None:
        if forward.epoch != self._epoch:
            raise SessionRefused(
                ControlError.STALE_EPOCH, f"this worker runs epoch {self._epoch}"
            )

    def _read(self, authorization: str | None) -> Forward:
        if authorization is None or not authorization.lower().startswith(BEARER):
            raise _invalid("a bearer token is needed")
        try:
            claims = jwt.decode(
                authorization[len(BEARER) :].strip(),
                self._public_key,  # type: ignore[arg-type]  # its PEM is a public one
                algorithms=[ALGORITHM],
                audience=FORWARD_AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": REQUIRED},
            )
            return Forward.from_claims(claims)
        except jwt.ExpiredSignatureError:
            raise _invalid("it has expired") from None
        except (jwt.InvalidTokenError, InvalidClaims):
            raise _invalid("it is not signed by the functions") from None


def _invalid(detail: str) -> SessionRefused:
    return SessionRefused(ControlError.INVALID_FORWARD, detail)
