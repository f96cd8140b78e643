"""ID tokens and task tokens, verified by production's code against local issuers."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from firebase_admin import auth

from spaces.adapters.firebase_auth import FirebaseIdTokens
from spaces.adapters.task_tokens import LOCAL_ISSUERS, OidcTaskTokens
from spaces.domain.errors import DependencyUnavailable
from spaces.service.errors import (
    CredentialError,
    IdTokenExpired,
    IdTokenInvalid,
    TaskTokenInvalid,
)
from tests.key_server import KeyServer, serving_keys

PROJECT = "demo-parley"
AUDIENCE = "http://127.0.0.1:8080/tasks"
ACCOUNT = "tasks@demo-parley.iam.gserviceaccount.com"
Edit = Callable[[dict[str, Any]], None]


class Issuer:
    """Signs RS256 tokens; `served` has its certificate as Google does."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificates = {"key-1": self._certificate()}
        self.served = KeyServer("http://127.0.0.1:9")  # until somebody serves it

    def _certificate(self) -> str:
        name = x509.Name([])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=self.key.public_key(),
            serial_number=1,
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=1),
        )
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(Encoding.PEM).decode()

    def sign(self, claims: dict[str, Any], *, key_id: str = "key-1") -> str:
        """Return a token."""
        return jwt.encode(claims, self.key, "RS256", headers={"kid": key_id})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Yield an issuer whose certificates can be fetched."""
    issuer = Issuer()
    with serving_keys(lambda: issuer.certificates) as issuer.served:
        yield issuer


def id_claims() -> dict[str, Any]:
    """Return the claims of a good ID token."""
    now_s = int(time.time())
    return {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": "ana",
        "iat": now_s - 10,
        "auth_time": now_s - 10,
        "exp": now_s + 3600,
    }


def task_claims() -> dict[str, Any]:
    """Return the claims of a good task token."""
    now_s = int(time.time())
    return {
        "iss": LOCAL_ISSUERS[0],
        "aud": AUDIENCE,
        "sub": "1",
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now_s - 10,
        "exp": now_s + 3600,
    }


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token with `alg: none`."""

    def part(value: dict[str, Any]) -> str:
        encoded = base64.urlsafe_b64encode(json.dumps(value).encode())
        return encoded.decode().rstrip("=")

    return f"{part({'alg': 'none', 'kid': 'key-1'})}.{part(claims)}."


def test_a_good_id_token_proves_a_uid(issuer: Issuer) -> None:
    """
    The uid is that of the token's subject.
    """
    tokens = FirebaseIdTokens(PROJECT, certs_url=issuer.served.url)

    assert tokens.verify(issuer.sign(id_claims())) == "ana"


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        ({"exp": 1}, IdTokenExpired),
        ({"aud": "another-project"}, IdTokenInvalid),
        ({"iss": "https://evil.example"}, IdTokenInvalid),
        ({"sub": ""}, IdTokenInvalid),
        ({"sub": "a/b"}, IdTokenInvalid),
        ({"sub": "__x__"}, IdTokenInvalid),
        ({"sub": "x" * 129}, IdTokenInvalid),
        ({"iat": 2**33}, IdTokenInvalid),
    ],
)
def test_id_tokens_that_prove_nothing(
    issuer: Issuer, edit: dict[str, Any], error: type[CredentialError]
) -> None:
    """
    Expired is told from invalid; a uid that cannot stand in a path is invalid.
    """
    tokens = FirebaseIdTokens(PROJECT, certs_url=issuer.served.url)

    with pytest.raises(error):
        tokens.verify(issuer.sign(id_claims() | edit))


def test_forged_id_tokens(issuer: Issuer) -> None:
    """
    Unsigned, tampered, foreign and nonsense tokens are invalid.
    """
    tokens = FirebaseIdTokens(PROJECT, certs_url=issuer.served.url)
    good = issuer.sign(id_claims())
    stranger = jwt.encode(
        id_claims(),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "RS256",
        headers={"kid": "key-1"},
    )
    other_key = issuer.sign(id_claims(), key_id="key-2")

    for token in (
        unsigned(id_claims()),
        f"{good[:-6]}AAAAAA",
        stranger,
        other_key,
        "x",
        "a.b.c",
    ):
        with pytest.raises(IdTokenInvalid):
            tokens.verify(token)


def test_the_certificate_url_is_still_where_it_is_set() -> None:
    """
    firebase-admin keeps the URL in the private attribute that the adapter sets.
    """
    url = "http://127.0.0.1:9/certs"
    tokens = FirebaseIdTokens(PROJECT, certs_url=url)
    client = auth._get_client(tokens._app)  # type: ignore[no-untyped-call]
    verifier = client._token_verifier.id_token_verifier

    assert verifier.cert_url == url
    assert FirebaseIdTokens(PROJECT)._app is not tokens._app


def test_certificates_that_cannot_be_read(issuer: Issuer) -> None:
    """
    Without certificates nobody can tell: that is 503, not 401.
    """
    gone = "http://127.0.0.1:9/certs"
    task_tokens = OidcTaskTokens(
        audience=AUDIENCE, service_account=ACCOUNT, certs_url=gone
    )

    with pytest.raises(DependencyUnavailable):
        FirebaseIdTokens(PROJECT, certs_url=gone).verify(issuer.sign(id_claims()))
    with pytest.raises(DependencyUnavailable):
        task_tokens.verify(issuer.sign(task_claims()))


@pytest.fixture
def task_tokens(issuer: Issuer) -> OidcTaskTokens:
    """Return a verifier that trusts the local issuer."""
    return OidcTaskTokens(
        audience=AUDIENCE,
        service_account=ACCOUNT,
        certs_url=issuer.served.url,
        issuers=LOCAL_ISSUERS,
    )


def test_the_queues_token_is_known_and_certificates_are_kept(
    issuer: Issuer, task_tokens: OidcTaskTokens
) -> None:
    """
    A good token passes, and a hundred of them fetch the certificates once.
    """
    before = issuer.served.fetches

    for _ in range(100):
        task_tokens.verify(issuer.sign(task_claims()))

    assert issuer.served.fetches == before + 1


@pytest.mark.parametrize(
    "edit",
    [
        {"exp": 1},
        {"aud": "http://127.0.0.1:8080"},
        {"iss": "https://accounts.google.com"},
        {"email": "somebody@demo-parley.iam.gserviceaccount.com"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
    ],
)
def test_tokens_of_others_are_no_tasks(
    issuer: Issuer, task_tokens: OidcTaskTokens, edit: dict[str, Any]
) -> None:
    """
    Another audience, issuer, account or time is not the queue.
    """
    with pytest.raises(TaskTokenInvalid):
        task_tokens.verify(issuer.sign(task_claims() | edit))


def test_forged_task_tokens(issuer: Issuer, task_tokens: OidcTaskTokens) -> None:
    """
    Unsigned, ID, unknown-key and nonsense tokens are refused; unknown keys do not
    make the verifier ask the issuer each time.
    """
    task_tokens.verify(issuer.sign(task_claims()))
    before = issuer.served.fetches

    for token in (
        unsigned(task_claims()),
        issuer.sign(id_claims()),
        issuer.sign(task_claims(), key_id="key-9"),
        "x",
        "",
    ):
        with pytest.raises(TaskTokenInvalid):
            task_tokens.verify(token)
    assert issuer.served.fetches == before


def test_an_issuer_that_does_not_answer_is_asked_once(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Requests that wait for the same failure share it, instead of failing in a row.
    """
    asked = []

    def silent(*_: object, **__: object) -> None:
        asked.append(1)
        time.sleep(0.2)
        raise requests.Timeout

    monkeypatch.setattr(requests, "get", silent)
    # However late a busy machine begins with the last of them.
    monkeypatch.setattr("spaces.adapters.task_tokens.CERTS_RETRY_S", 60.0)
    tokens = OidcTaskTokens(audience=AUDIENCE, service_account=ACCOUNT)
    token = issuer.sign(task_claims())

    def verify() -> None:
        with pytest.raises(DependencyUnavailable):
            tokens.verify(token)

    with ThreadPoolExecutor(5) as pool:
        for waiting in [pool.submit(verify) for _ in range(5)]:
            waiting.result()
    assert len(asked) == 1


def test_strangers_tokens_hold_up_nobody(
    issuer: Issuer, task_tokens: OidcTaskTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    While the issuer is asked for an unknown key, the queue's token passes.
    """
    task_tokens.verify(issuer.sign(task_claims()))
    asking, answer = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        asking.set()
        answer.wait(60)
        raise requests.Timeout

    monkeypatch.setattr(requests, "get", slow)
    monkeypatch.setattr("spaces.adapters.task_tokens.CERTS_REFETCH_S", 0.0)

    def bogus() -> None:
        with pytest.raises(DependencyUnavailable):
            task_tokens.verify(issuer.sign(task_claims(), key_id="key-9"))

    with ThreadPoolExecutor(2) as pool:
        strangers = pool.submit(bogus)
        assert asking.wait(60)
        ours = pool.submit(task_tokens.verify, issuer.sign(task_claims()))
        try:
            ours.result(40)
        finally:
            answer.set()
        strangers.result()


def test_google_trusts_only_google() -> None:
    """
    Without a local URL the issuers are Google's, and the certificates too.
    """
    production = OidcTaskTokens(audience=AUDIENCE, service_account=ACCOUNT)

    assert production._certs_url.startswith("https://www.googleapis.com/")
    assert not set(production._issuers) & set(LOCAL_ISSUERS)
