"""Keys of the embedded cloud: made once, kept below `keys/`, private to their owner."""

import datetime as dt
import os
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from . import certificates

ID_TOKEN_ISSUER: Final = "id-token"  # noqa: S105 - a name
OIDC_ISSUER: Final = "oidc"
AUTHORITY_CERTIFICATE: Final = "tls-authority.cert.pem"
_RSA_BITS: Final = 2048
_RENEW_BEFORE: Final = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """
    An RS256 key of a token issuer and the certificate that verifies it.

    Args:
        key_id: The JWT's `kid`: hex SHA-1 of the certificate, as Google's are.
        private_pem: PKCS#8.
        certificate_pem: As an issuer's certificate URL serves it.
    """

    key_id: str
    private_pem: str
    certificate_pem: str


class KeyFolder:
    """
    The folder of keys; each key is made when it is first asked for, and then kept.

    Raises (every method):
        OSError: the folder cannot be read or written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def grant_key(self) -> ed25519.Ed25519PrivateKey:
        """Return the key that signs grants and forwards."""
        return self._ed25519_key("grant.key.pem")

    def proof_key(self) -> ed25519.Ed25519PrivateKey:
        """Return the key that signs receipts of consent and manifests."""
        return self._ed25519_key("proof.key.pem")

    def playback_secret(self) -> str:
        """Return what signs the URLs of recordings."""
        return self._once(
            "playback.secret", lambda: secrets.token_urlsafe(32).encode()
        ).decode()

    def launcher_token(self) -> str:
        """Return the bearer token of the supervisor's launcher."""
        return self._once(
            "launcher.token", lambda: secrets.token_urlsafe(32).encode()
        ).decode()

    def signing_key(self, issuer: str) -> SigningKey:
        """Return the RS256 key of `issuer`, with its certificate."""
        private = self._once(f"{issuer}.key.pem", _new_rsa)
        key = serialization.load_pem_private_key(private, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{issuer}.key.pem holds no RSA key")
        certificate = self._once(
            f"{issuer}.cert.pem",
            lambda: certificates.to_pem(
                certificates.self_signed(key, f"parley-local {issuer}")
            ),
        )
        parsed = x509.load_pem_x509_certificate(certificate)
        # SHA-1 names the key, it protects nothing; Google's `kid`s are 40 hex digits.
        key_id = parsed.fingerprint(hashes.SHA1()).hex()  # noqa: S303
        return SigningKey(key_id, private.decode(), certificate.decode())

    def tls_files(self, hosts: tuple[str, ...]) -> tuple[Path, Path]:
        """
        Return paths of a certificate chain and its key, good for `hosts`.

        A certificate that is about to expire or speaks for other hosts is replaced;
        the authority that a phone was told to trust stays.
        """
        chain = self._path / "tls-server.cert.pem"
        key = self._path / "tls-server.key.pem"
        if not (key.exists() and _still_good(chain, hosts)):
            self._issue_tls(hosts, chain, key)
        return chain, key

    def _issue_tls(self, hosts: tuple[str, ...], chain: Path, key: Path) -> None:
        issuer_pem = self._once("tls-authority.key.pem", _new_ec)
        issuer_key = serialization.load_pem_private_key(issuer_pem, password=None)
        if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
            raise ValueError("tls-authority.key.pem holds no EC key")
        issuer_cert = self._once(
            AUTHORITY_CERTIFICATE,
            lambda: certificates.to_pem(certificates.authority(issuer_key)),
        )
        server_key = ec.generate_private_key(ec.SECP256R1())
        server_cert = certificates.server(
            server_key,
            hosts=hosts,
            issuer=x509.load_pem_x509_certificate(issuer_cert),
            issuer_key=issuer_key,
        )
        _write(key, _pkcs8(server_key))
        _write(chain, certificates.to_pem(server_cert) + issuer_cert)

    def _ed25519_key(self, name: str) -> ed25519.Ed25519PrivateKey:
        pem = self._once(name, lambda: _pkcs8(ed25519.Ed25519PrivateKey.generate()))
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise ValueError(f"{name} holds no Ed25519 key")
        return key

    def _once(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self._path / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            _write(path, make())
            return path.read_bytes()


def public_pem(key: ed25519.Ed25519PrivateKey) -> str:
    """Return the public half as PEM."""
    return (
        key.public_key()
        .public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        .decode()
    )


def private_pem(key: ed25519.Ed25519PrivateKey) -> str:
    """Return the key as PKCS#8 PEM."""
    return _pkcs8(key).decode()


def tls_context(chain: Path, key: Path) -> ssl.SSLContext:
    """Return a server context for the files of `KeyFolder.tls_files`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    return context


def _still_good(chain: Path, hosts: tuple[str, ...]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return left > _RENEW_BEFORE and certificates.hosts_of(certificate) == set(hosts)


def _new_rsa() -> bytes:
    return _pkcs8(rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS))


def _new_ec() -> bytes:
    return _pkcs8(ec.generate_private_key(ec.SECP256R1()))


def _pkcs8(
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    # Renamed into place, so that a crash leaves no half a key.
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
