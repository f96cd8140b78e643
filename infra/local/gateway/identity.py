"""Sign-in by handle, and the certificates that verify local tokens."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ..auth import HANDLE_PATTERN, ID_TOKEN_LIFETIME_S, TokenIssuer, uid_of
from ..keys import SigningKey
from .problems import problem


class Identity:
    """
    Issues Firebase ID tokens to whoever asks: on a laptop, a handle is proof enough.

    Args:
        id_tokens: Signs ID tokens; its certificate is `/local/id-token-certs`.
        oidc: The key of task tokens; its certificate is `/local/oidc-certs`, and
            as a JWK Set `/local/oidc-jwks`.
        now_s: Seconds since the epoch.
    """

    def __init__(
        self,
        id_tokens: SigningKey,
        oidc: SigningKey,
        *,
        project_id: str,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = TokenIssuer(id_tokens)
        self._oidc = oidc
        self._project_id = project_id
        self._now_s = now_s

    async def preflight(self, _request: web.Request) -> web.Response:
        """Let apps under development on other origins sign in (CORS)."""
        return web.Response(
            status=HTTPStatus.NO_CONTENT,
            headers={
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "Content-Type",
                "Access-Control-Max-Age": "600",
            },
        )

    async def sign_in(self, request: web.Request) -> web.Response:
        """POST {"handle"} -> {"uid", "id_token", "expires_in"}; uid stays for ever."""
        try:
            body = json.loads(await request.read())
        except (ValueError, web.HTTPRequestEntityTooLarge):
            body = None
        handle = body.get("handle") if isinstance(body, dict) else None
        if not isinstance(handle, str) or not HANDLE_PATTERN.fullmatch(handle):
            return problem(
                HTTPStatus.UNPROCESSABLE_ENTITY
                if isinstance(body, dict)
                else HTTPStatus.BAD_REQUEST,
                "invalid-handle",
                'expected {"handle": "1 to 15 letters, digits or underscores"}',
            )
        uid = uid_of(handle)
        token = self._issuer.id_token(
            uid, project_id=self._project_id, name=handle, now_s=int(self._now_s())
        )
        response = web.json_response(
            {"uid": uid, "id_token": token, "expires_in": ID_TOKEN_LIFETIME_S}
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def id_token_certs(self, _request: web.Request) -> web.Response:
        """GET -> {kid: PEM certificate}, as Google serves securetoken's."""
        return _certificates(self._issuer.key)

    async def oidc_jwks(self, _request: web.Request) -> web.Response:
        """GET -> the same key as a JWK Set (RFC 7517), for standard OIDC clients."""
        return _public({"keys": [_jwk(self._oidc)]})

    async def oidc_certs(self, _request: web.Request) -> web.Response:
        """GET -> {kid: PEM certificate} of task tokens."""
        return _certificates(self._oidc)


def _certificates(key: SigningKey) -> web.Response:
    return _public({key.key_id: key.certificate_pem})


def _jwk(key: SigningKey) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(key.certificate_pem.encode())
    public_key = certificate.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise TypeError("token issuers have RSA keys")
    numbers = RSAAlgorithm.to_jwk(public_key, as_dict=True)
    return {**numbers, "kid": key.key_id, "alg": "RS256", "use": "sig"}


def _public(document: dict[str, Any]) -> web.Response:
    response = web.json_response(document)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
