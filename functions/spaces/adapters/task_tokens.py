"""OIDC tokens by which Cloud Tasks proves that a request is its own."""

import threading
import time
from typing import Any, Final

import jwt
import requests
from cryptography import x509

from ..domain.errors import DependencyUnavailable
from ..service.errors import TaskTokenInvalid

GOOGLE_CERTS_URL: Final = "https://www.googleapis.com/oauth2/v1/certs"
GOOGLE_ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
LOCAL_ISSUERS: Final = ("parley-local",)
CERTS_TIMEOUT_S: Final = 3.0
CERTS_LIFETIME_S: Final = 3600.0
CERTS_REFETCH_S: Final = 10.0  # an unknown key asks the issuer at most this often
CERTS_RETRY_S: Final = 1.0  # and one that failed to answer, at most this often
LEEWAY_S: Final = 5.0


class OidcTaskTokens:
    """
    `TaskTokens` of one service account, for one audience.

    Args:
        certs_url: Serves a JSON object, key id -> X.509 certificate in PEM.
        issuers: Any of these may have signed.
    """

    def __init__(
        self,
        *,
        audience: str,
        service_account: str,
        certs_url: str = GOOGLE_CERTS_URL,
        issuers: tuple[str, ...] = GOOGLE_ISSUERS,
    ) -> None:
        self._audience = audience
        self._service_account = service_account
        self._certs_url = certs_url
        self._issuers = issuers
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._fetched_at_s = float("-inf")
        self._tried_at_s = float("-inf")
        self._failed = False

    def verify(self, token: str) -> None:
        """Return if the token is the queue's; see `TaskTokens`."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            claims = jwt.decode(
                token,
                self._key(key_id),
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuers,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "aud", "iss", "email"]},
            )
        except jwt.PyJWTError as error:
            raise TaskTokenInvalid from error
        by_queue = claims["email"] == self._service_account
        if not by_queue or claims.get("email_verified") is not True:
            raise TaskTokenInvalid

    def _key(self, key_id: object) -> Any:
        # Without the lock where it can be: a token of nobody's must not make those of
        # the queue wait for a fetch.
        key = self._known(key_id)
        if key is None:
            with self._lock:
                if self._known(key_id) is None:
                    self._fetch()
                key = self._known(key_id)
        if key is None:
            raise TaskTokenInvalid
        return key

    def _known(self, key_id: object) -> Any:
        if time.monotonic() - self._fetched_at_s > CERTS_LIFETIME_S:
            return None
        return self._keys.get(str(key_id))

    def _fetch(self) -> None:
        """Ask the issuer, unless somebody did a moment ago; raises as `_fetched`."""
        since_s = time.monotonic() - self._tried_at_s
        if self._failed and since_s <= CERTS_RETRY_S:
            raise DependencyUnavailable
        if not self._failed and since_s <= CERTS_REFETCH_S:
            return
        self._failed = True
        try:
            self._keys = self._fetched()
            self._fetched_at_s = time.monotonic()
            self._failed = False
        finally:
            self._tried_at_s = time.monotonic()

    def _fetched(self) -> dict[str, Any]:
        try:
            answer = requests.get(self._certs_url, timeout=CERTS_TIMEOUT_S)
            answer.raise_for_status()
            certificates = answer.json()
        except requests.RequestException as error:
            raise DependencyUnavailable from error
        return {
            key_id: x509.load_pem_x509_certificate(pem.encode()).public_key()
            for key_id, pem in certificates.items()
        }
