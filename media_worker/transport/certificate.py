"""The certificate that a process shows in every DTLS handshake."""

import datetime as dt
import secrets
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from .srtp_keys import PROFILES

_CIPHERS: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
_DAY: Final = dt.timedelta(days=1)
_LIFETIME_DAYS: Final = 30  # longer than any worker's


class ProcessCertificate:
    """
    The one certificate of a process, with one OpenSSL context for all sessions.

    A context for every connection, as aiortc has it, costs 1 ms and 30 KB each.

    Attributes:
        fingerprint: SHA-256 of the certificate as SDP writes it.
    """

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> None:
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        context = self._context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_TICKET)
        # Whom the client's certificate belongs to, its fingerprint tells.
        context.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True
        )
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_cipher_list(_CIPHERS)
        context.set_tlsext_use_srtp(b":".join(profile.name for profile in PROFILES))
        # Nobody resumes a session with us, and after the handshake little is read:
        # neither sessions nor buffers are kept.
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)

    @classmethod
    def generate(cls) -> Self:
        """Return a new self-signed certificate with its key (ECDSA, P-256)."""
        key = ec.generate_private_key(ec.SECP256R1())
        common_name = x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))
        name = x509.Name([common_name])
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _LIFETIME_DAYS * _DAY)
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    def accept(self) -> SSL.Connection:
        """Return the server's side of a new association."""
        connection = SSL.Connection(self._context)
        connection.set_accept_state()
        return connection

    def connect(self) -> SSL.Connection:
        """Return the client's side of a new association."""
        connection = SSL.Connection(self._context)
        connection.set_connect_state()
        return connection
