"""Local ID tokens and firebase-admin's production verifier."""

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import firebase_admin.auth
import jwt
import pytest

from infra.local.auth import OIDC_LOCAL_ISSUER, TokenIssuer
from infra.local.keys import ID_TOKEN_ISSUER, OIDC_ISSUER, KeyFolder
from tests.integration.local.gateways import PROJECT, Gateway, running_gateway

# It publishes no types, and strict mypy minds each of its calls.
auth: Any = firebase_admin.auth
AWAY = "http://127.0.0.1:9"


async def verify(firebase: Any, gateway: Gateway, token: str) -> dict[str, Any]:
    """Verify as the functions do: production's code, another certificate URL."""
    verifier = auth._get_client(firebase)._token_verifier.id_token_verifier
    verifier.cert_url = f"{gateway.url}/local/id-token-certs"
    claims: dict[str, Any] = await asyncio.to_thread(
        auth.verify_id_token, token, firebase
    )
    return claims


async def sign_in(gateway: Gateway, body: bytes) -> tuple[int, dict[str, Any]]:
    """POST a sign-in and return status and JSON."""
    async with gateway.session.post(
        f"{gateway.url}/local/sign-in", data=body
    ) as answer:
        return answer.status, json.loads(await answer.read())


async def test_a_signed_in_persons_token_is_accepted(
    firebase: Any, tmp_path: Path
) -> None:
    """
    The production verifier takes it; the uid is the handle's own, whatever its case.
    """
    async with running_gateway(tmp_path, AWAY) as gateway:
        status, first = await sign_in(gateway, b'{"handle": "ana"}')
        _, second = await sign_in(gateway, b'{"handle": "ANA"}')
        claims = await verify(firebase, gateway, first["id_token"])

    assert status == 200
    assert claims["uid"] == first["uid"] == second["uid"]
    assert first["expires_in"] == 3600


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 422),
        (b'{"handle": 7}', 422),
        (b'{"handle": "a b"}', 422),
        (b'{"handle": "sixteen_letters_"}', 422),
        (b'{"handle": "__bob__"}', 422),
        (b'{"handle": "' + b"x" * 10_000 + b'"}', 400),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_odd_handles_are_refused(
    tmp_path: Path, body: bytes, status: int
) -> None:
    """
    Malformed bodies and handles get a problem with a type of its own.
    """
    async with running_gateway(tmp_path, AWAY) as gateway:
        answered, problem = await sign_in(gateway, body)

    assert answered == status
    assert problem["type"].endswith("/invalid-handle")


async def test_tokens_that_are_not_ours_are_refused(
    firebase: Any, tmp_path: Path
) -> None:
    """
    Tampered, unsigned, expired, foreign project, foreign key: none gets in.
    """
    now_s = int(dt.datetime.now(dt.UTC).timestamp())
    async with running_gateway(tmp_path, AWAY) as gateway:
        key = KeyFolder(gateway.folder.keys).signing_key(ID_TOKEN_ISSUER)
        ours = TokenIssuer(key)
        foreign = TokenIssuer(KeyFolder(tmp_path).signing_key("foreign"))
        good = ours.id_token("u", project_id=PROJECT, name="u", now_s=now_s)
        head, claims, signature = good.split(".")
        payload = jwt.decode(good, options={"verify_signature": False})
        unsigned = jwt.encode(payload, "", algorithm="none")
        expired = ours.id_token("u", project_id=PROJECT, name="u", now_s=now_s - 4000)
        other = ours.id_token("u", project_id="other", name="u", now_s=now_s)
        stranger = foreign.id_token("u", project_id=PROJECT, name="u", now_s=now_s)
        forged = TokenIssuer(key).id_token("v", project_id=PROJECT, name="v", now_s=1)
        swapped = f"{head}.{forged.split('.')[1]}.{signature}"

        for bad in (unsigned, expired, other, stranger, swapped, f"{head}.{claims}."):
            with pytest.raises(auth.InvalidIdTokenError):
                await verify(firebase, gateway, bad)
        assert (await verify(firebase, gateway, good))["uid"] == "u"


async def test_an_app_on_another_origin_can_sign_in(tmp_path: Path) -> None:
    """
    A browser's preflight is answered, and the answer may be read (CORS).
    """
    async with running_gateway(tmp_path, AWAY) as gateway:
        url = f"{gateway.url}/local/sign-in"
        async with gateway.session.options(url) as preflight:
            allowed = preflight.headers["Access-Control-Allow-Headers"]
        async with gateway.session.post(url, json={"handle": "ana"}) as answer:
            origin = answer.headers["Access-Control-Allow-Origin"]

    assert (preflight.status, allowed, origin) == (204, "Content-Type", "*")


async def test_a_tasks_token_is_verified_by_a_standard_client(tmp_path: Path) -> None:
    """
    PyJWT's own JWKS client finds the key by the token's `kid`, and no key for another.
    """
    now_s = int(dt.datetime.now(dt.UTC).timestamp())
    async with running_gateway(tmp_path, AWAY) as gateway:
        keys = KeyFolder(gateway.folder.keys)
        queue = TokenIssuer(keys.signing_key(OIDC_ISSUER))
        token = queue.oidc_token("tasks@x.example", audience="tasks", now_s=now_s)
        people = TokenIssuer(keys.signing_key(ID_TOKEN_ISSUER))
        foreign = people.oidc_token("tasks@x.example", audience="tasks", now_s=now_s)
        client = jwt.PyJWKClient(f"{gateway.url}/local/oidc-jwks")
        key = await asyncio.to_thread(client.get_signing_key_from_jwt, token)
        with pytest.raises(jwt.PyJWKClientError):
            await asyncio.to_thread(client.get_signing_key_from_jwt, foreign)

    claims = jwt.decode(
        token, key, algorithms=["RS256"], audience="tasks", issuer=OIDC_LOCAL_ISSUER
    )
    assert (claims["email"], claims["email_verified"]) == ("tasks@x.example", True)
