"""App Check tokens, verified by production's code against a local issuer."""

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from firebase_admin import app_check

from spaces.adapters.firebase_app import CERTS_TIMEOUT_S
from spaces.adapters.firebase_app_check import FirebaseAppCheck
from spaces.domain.errors import DependencyUnavailable
from tests.key_server import KeyServer, serving_keys

PROJECT = "demo-parley"
APP = "1:1234567890:ios:abc123"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_keys() -> dict[str, Any]:
    """Return the keys as App Check does."""
    numbers = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    return {"keys": [{**numbers, "kid": "key-1", "use": "sig", "alg": "RS256"}]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[KeyServer]:
    """Yield an issuer whose keys can be fetched."""
    with serving_keys(public_keys) as served:
        yield served


@pytest.fixture
def checks(issuer: KeyServer) -> FirebaseAppCheck:
    """Return a verifier that trusts the local issuer, for one app."""
    return FirebaseAppCheck(PROJECT, frozenset({APP}), jwks_url=issuer.url)


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good token."""
    now_s = int(time.time())
    return {
        "iss": "https://firebaseappcheck.googleapis.com/123",
        "aud": ["projects/123", f"projects/{PROJECT}"],
        "sub": APP,
        "iat": now_s - 10,
        "exp": now_s + 3600,
        **changes,
    }


def sign(signed: dict[str, Any], *, key: Any = KEY, **headers: str) -> str:
    """Return a token."""
    return jwt.encode(signed, key, "RS256", headers={"kid": "key-1", **headers})


def test_our_apps_token_proves_it(issuer: KeyServer, checks: FirebaseAppCheck) -> None:
    """
    A good token passes, and a hundred of them fetch the keys once.
    """
    before = issuer.fetches

    assert all(checks.proves(sign(claims())) for _ in range(100))
    assert issuer.fetches == before + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"aud": ["projects/another"]},
        {"aud": f"projects/{PROJECT}"},
        {"iss": "https://evil.example/"},
        {"iss": None},
        {"sub": "1:1234567890:ios:def456"},
        {"sub": ""},
        {"sub": None},
    ],
)
def test_tokens_of_others_prove_nothing(
    checks: FirebaseAppCheck, changes: dict[str, Any]
) -> None:
    """
    Expired, of another project, issuer or app, or of none.
    """
    wrong = {k: v for k, v in claims(**changes).items() if v is not None}

    assert not checks.proves(sign(wrong))


def test_forged_tokens_prove_nothing(
    issuer: KeyServer, checks: FirebaseAppCheck
) -> None:
    """
    Tampered, strangers', unsigned and nonsense; unknown keys do not make us ask the
    issuer each time.
    """
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good = sign(claims())
    assert checks.proves(good)
    before = issuer.fetches
    unsigned = jwt.encode(claims(), "", "none", headers={"kid": "key-1"})

    for token in (
        f"{good[:-6]}AAAAAA",
        sign(claims(), key=stranger),
        unsigned,
        sign(claims(), kid="key-9"),
        sign(claims(), kid="key-10"),
        "x",
        "a.b.c",
    ):
        assert not checks.proves(token)
    assert issuer.fetches == before


def test_keys_that_cannot_be_read() -> None:
    """
    Without keys nobody can tell: that is 503, not 401.
    """
    gone = "http://127.0.0.1:9/jwks"
    checks = FirebaseAppCheck(PROJECT, frozenset({APP}), jwks_url=gone)

    with pytest.raises(DependencyUnavailable):
        checks.proves(sign(claims()))


def test_the_key_url_is_still_where_it_is_set() -> None:
    """
    firebase-admin keeps URL and patience in the private attributes that we set.
    """
    google = FirebaseAppCheck(PROJECT, frozenset({APP}))
    keys = app_check._get_app_check_service(google._opened())._jwks_client

    assert keys.uri == "https://firebaseappcheck.googleapis.com/v1/jwks"
    assert keys.timeout == CERTS_TIMEOUT_S
