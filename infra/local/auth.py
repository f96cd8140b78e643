"""
Issuers of the two kinds of RS256 tokens that the functions verify.

*ID tokens* stand for people and look as Firebase's do; *OIDC tokens* stand for the
queue's service account.  Both are verified by production's own code, which is only
pointed at another certificate URL.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

import jwt

from .keys import SigningKey

ID_TOKEN_LIFETIME_S: Final = 3600
OIDC_LOCAL_ISSUER: Final = "parley-local"
HANDLE_PATTERN: Final = re.compile(
    r"(?!__.*__$)[A-Za-z0-9_]{1,15}"
)  # as the API has it
_UID_LENGTH: Final = 28  # as Firebase's
_UID_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def uid_of(handle: str) -> str:
    """Return the uid of `handle`: the same for ever, and whatever its case."""
    number = int.from_bytes(hashlib.sha256(handle.lower().encode()).digest())
    digits = []
    for _ in range(_UID_LENGTH):
        number, digit = divmod(number, len(_UID_ALPHABET))
        digits.append(_UID_ALPHABET[digit])
    return "".join(digits)


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Signs tokens with one key; times are whole seconds since the epoch."""

    key: SigningKey

    def id_token(self, uid: str, *, project_id: str, name: str, now_s: int) -> str:
        """Return a Firebase ID token of `uid`, good for `ID_TOKEN_LIFETIME_S`."""
        return self._sign(
            {
                "name": name,
                "iss": f"https://securetoken.google.com/{project_id}",
                "aud": project_id,
                "auth_time": now_s,
                "user_id": uid,
                "sub": uid,
                "iat": now_s,
                "exp": now_s + ID_TOKEN_LIFETIME_S,
                "firebase": {"identities": {}, "sign_in_provider": "custom"},
            }
        )

    def oidc_token(self, email: str, *, audience: str, now_s: int) -> str:
        """Return an OIDC token of the service account `email`, for `audience`."""
        subject = int.from_bytes(hashlib.sha256(email.encode()).digest()[:8])
        return self._sign(
            {
                "iss": OIDC_LOCAL_ISSUER,
                "aud": audience,
                "azp": str(subject),
                "sub": str(subject),
                "email": email,
                "email_verified": True,
                "iat": now_s,
                "exp": now_s + ID_TOKEN_LIFETIME_S,
            }
        )

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(
            claims,
            self.key.private_pem,
            algorithm="RS256",
            headers={"kid": self.key.key_id},
        )
