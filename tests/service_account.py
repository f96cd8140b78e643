"""Google service accounts that open nothing, for libraries that insist on one."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)


def a_service_account(
    token_url: str = "https://oauth2.example/token",  # noqa: S107 -- an address, no password
) -> dict[str, str]:
    """
    Return what stands in an account's key file.

    Args:
        token_url: Where its holder asks for access tokens.
    """
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "type": "service_account",
        "project_id": "demo-parley",
        "client_email": "functions@demo-parley.iam.gserviceaccount.com",
        "token_uri": token_url,
        "private_key": pem.decode(),
    }
