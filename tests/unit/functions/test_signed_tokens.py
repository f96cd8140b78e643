"""Grants and forwards: what is signed is what is read."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from spaces.adapters.signed_tokens import Ed25519Signer
from spaces.service.errors import GrantInvalid
from spaces_contract.grants import FORWARD_AUDIENCE, GRANT_AUDIENCE, Forward
from spaces_contract.ids import UserId
from spaces_contract.roles import PeerKind, Role
from tests.builders import SPACE_ID, a_grant
from tests.world import a_private_key


def a_forward() -> Forward:
    """Return a forward of a WHEP offer."""
    return Forward(
        method="POST",
        space_id="s",
        epoch=1,
        user_id="ana",
        role=Role.LISTENER,
        anonymous=False,
        grant_id="g",
        body_sha256="00",
        issued_at_s=1,
        expires_at_s=2,
        kind=PeerKind.WHEP,
    )


def test_a_grant_is_read_as_it_was_signed() -> None:
    """
    All claims survive, expired or not: expiry is for the service to judge.
    """
    signer = Ed25519Signer(a_private_key())
    grant = a_grant(role=Role.CO_HOST, expires_at_s=1)

    assert signer.read_grant(signer.sign_grant(grant)) == grant


def test_the_public_key_is_enough_to_read() -> None:
    """
    A worker, which holds the public key only, can check a forward.
    """
    pem = a_private_key()
    key = load_pem_private_key(pem.encode(), password=None).public_key()
    public = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    token = Ed25519Signer(pem).sign_forward(a_forward())

    claims = jwt.decode(
        token,
        public,
        algorithms=["EdDSA"],
        audience=FORWARD_AUDIENCE,
        options={"verify_exp": False},
    )

    assert Forward.from_claims(claims) == a_forward()


def test_a_forward_is_no_grant() -> None:
    """
    The two tokens have audiences of their own: neither stands in for the other.
    """
    signer = Ed25519Signer(a_private_key())

    with pytest.raises(GrantInvalid):
        signer.read_grant(signer.sign_forward(a_forward()))


@pytest.mark.parametrize(
    "edit",
    [
        {"kinds": "whip"},
        {"kinds": ["video"]},
        {"role": "owner"},
        {"epoch": "1"},
        {"epoch": True},
        {"space_id": ""},
        {"sub": 7},
        {"iss": "somebody"},
        {"aud": "everybody"},
    ],
)
def test_claims_that_mean_nothing(edit: dict[str, object]) -> None:
    """
    A correct signature over wrong claims is no grant.
    """
    pem = a_private_key()
    claims = a_grant().to_claims() | edit
    key = load_pem_private_key(pem.encode(), password=None)

    with pytest.raises(GrantInvalid):
        Ed25519Signer(pem).read_grant(jwt.encode(claims, key, "EdDSA"))  # type: ignore[arg-type]


def test_a_shared_secret_is_no_signature() -> None:
    """
    HS256 over the public key, the classic confusion of algorithms, is refused.
    """
    claims = a_grant().to_claims()
    assert claims["aud"] == GRANT_AUDIENCE
    token = jwt.encode(claims, "a" * 32, "HS256")

    with pytest.raises(GrantInvalid):
        Ed25519Signer(a_private_key()).read_grant(token)


def test_another_kind_of_key_is_refused_at_the_start() -> None:
    """
    A key that workers could not check does not get into service.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(ValueError, match="Ed25519"):
        Ed25519Signer(pem)


def test_a_pseudonym_outlives_the_process_and_needs_the_key() -> None:
    """
    Every instance of one deployment makes the same one; another deployment does not.
    """
    pem = a_private_key()
    made = [Ed25519Signer(key) for key in (pem, pem, a_private_key())]

    first, again, foreign = (
        signer.pseudonym(SPACE_ID, UserId("ana")) for signer in made
    )

    assert first == again != foreign
    assert "ana" not in first
