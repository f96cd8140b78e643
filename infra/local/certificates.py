"""X.509 certificates made on the spot: for token issuers and for TLS to a phone."""

import datetime as dt
import ipaddress
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Phones refuse server certificates that live longer than 825 days (iOS), 398 (Chrome).
TLS_LIFETIME: Final = dt.timedelta(days=397)
_AUTHORITY_LIFETIME: Final = dt.timedelta(days=3650)
_CLOCK_SKEW: Final = dt.timedelta(days=1)  # phones whose clock runs behind

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def self_signed(key: rsa.RSAPrivateKey, common_name: str) -> x509.Certificate:
    """Return the certificate that carries a token issuer's public key."""
    return _builder(
        _name(common_name), key, _AUTHORITY_LIFETIME, _name(common_name)
    ).sign(key, hashes.SHA256())


def authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return a root certificate which a phone can be told to trust."""
    name = _name("Parley local authority")
    builder = _builder(name, key, _AUTHORITY_LIFETIME, name)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    ).add_extension(_key_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def server(
    key: ec.EllipticCurvePrivateKey,
    *,
    hosts: tuple[str, ...],
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Return a TLS server certificate for `hosts`: addresses and names."""
    builder = _builder(_name(hosts[0]), key, TLS_LIFETIME, issuer.subject)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName([_san(h) for h in hosts]), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(issuer_key, hashes.SHA256())


def to_pem(certificate: x509.Certificate) -> bytes:
    """Return the certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def hosts_of(certificate: x509.Certificate) -> frozenset[str]:
    """Return the addresses and names that a server certificate speaks for."""
    names = certificate.extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    ).value
    return frozenset(str(name.value) for name in names)


def _builder(
    subject: x509.Name,
    key: _PrivateKey,
    lifetime: dt.timedelta,
    issuer: x509.Name,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now - _CLOCK_SKEW + lifetime)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _san(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
