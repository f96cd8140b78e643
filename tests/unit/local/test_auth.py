"""Token issuers and the keys they sign with."""

import json
from pathlib import Path

import jwt
import pytest
from cryptography import x509

from infra.local.auth import TokenIssuer, uid_of
from infra.local.keys import ID_TOKEN_ISSUER, KeyFolder, private_pem, public_pem


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    """A folder of keys."""
    return KeyFolder(tmp_path_factory.mktemp("keys"))


def test_a_uid_belongs_to_a_handle_for_ever() -> None:
    """
    The same in another run and whatever the case; another for another handle.
    """
    assert uid_of("ana") == uid_of("ANA") == "0cWNhIbcOIALbmg2wdNbSpCRUQjw"
    assert uid_of("bo") != uid_of("ana")


def test_an_id_token_looks_like_firebases(keys: KeyFolder) -> None:
    """
    Issuer, audience, subject, times, and the key's id.
    """
    key = keys.signing_key(ID_TOKEN_ISSUER)
    token = TokenIssuer(key).id_token("u1", project_id="p", name="ana", now_s=1000)
    public = x509.load_pem_x509_certificate(key.certificate_pem.encode()).public_key()

    claims = jwt.decode(
        token,
        public,  # type: ignore[arg-type]  # an RSA key, as the issuer's always is
        algorithms=["RS256"],
        audience="p",
        options={"verify_exp": False},
    )

    assert jwt.get_unverified_header(token)["kid"] == key.key_id
    assert claims["iss"] == "https://securetoken.google.com/p"
    assert claims["sub"] == claims["user_id"] == "u1"
    assert (claims["auth_time"], claims["iat"], claims["exp"]) == (1000, 1000, 4600)
    assert claims["firebase"]["sign_in_provider"] == "custom"


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    """
    A second look finds the same keys; nobody else may read them.
    """
    first, second = KeyFolder(tmp_path), KeyFolder(tmp_path)

    assert first.signing_key("oidc") == second.signing_key("oidc")
    assert first.launcher_token() == second.launcher_token()
    assert private_pem(first.grant_key()) == private_pem(second.grant_key())
    assert "PUBLIC KEY" in public_pem(first.grant_key())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_certificate_speaks_for_its_hosts(tmp_path: Path) -> None:
    """
    It is kept while it fits, replaced when the host changes; the authority stays.
    """
    keys = KeyFolder(tmp_path)
    chain, _ = keys.tls_files(("192.0.2.1", "laptop.local"))
    first = chain.read_text()
    authority = (tmp_path / "tls-authority.cert.pem").read_text()
    keys.tls_files(("192.0.2.1", "laptop.local"))
    assert chain.read_text() == first

    keys.tls_files(("192.0.2.9",))

    leaf, issuer = x509.load_pem_x509_certificates(chain.read_bytes())
    leaf.verify_directly_issued_by(issuer)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [str(name.value) for name in names.value] == ["192.0.2.9"]
    assert chain.read_text().endswith(authority)


def test_a_broken_key_is_said_to_be_one(keys: KeyFolder, tmp_path: Path) -> None:
    """
    A key file of another kind is not used silently.
    """
    broken = KeyFolder(tmp_path)
    rsa = keys.signing_key(ID_TOKEN_ISSUER).private_pem
    (tmp_path / "grant.key.pem").write_text(rsa)

    with pytest.raises(ValueError, match="no Ed25519 key"):
        broken.grant_key()
    assert json.dumps(broken.launcher_token())
