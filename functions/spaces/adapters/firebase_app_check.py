"""Firebase App Check tokens, verified by firebase-admin."""

import threading
from typing import Any

from ..domain.errors import DependencyUnavailable
from .firebase_app import CERTS_TIMEOUT_S, new_verifying_app


class FirebaseAppCheck:
    """
    `AppCheck` of one Firebase project.

    Args:
        app_ids: Firebase app ids ("1:123:ios:abc") whose tokens count.
        jwks_url: Where an issuer of tests publishes its keys; None is Google's.
    """

    def __init__(
        self, project_id: str, app_ids: frozenset[str], *, jwks_url: str | None = None
    ) -> None:
        self._project_id = project_id
        self._app_ids = app_ids
        self._jwks_url = jwks_url
        self._lock = threading.Lock()  # requests run in threads
        self._app: Any = None

    def proves(self, token: str) -> bool:
        """Return whether the token is one of our apps'; see `AppCheck`."""
        import jwt
        from firebase_admin import app_check

        try:
            claims = app_check.verify_token(token, app=self._opened())
        except jwt.PyJWKClientConnectionError as error:
            raise DependencyUnavailable from error
        except (jwt.PyJWTError, ValueError, AttributeError):
            # AttributeError: what it makes of claims that lack an issuer.
            return False
        return claims["app_id"] in self._app_ids

    def _opened(self) -> Any:
        with self._lock:
            if self._app is None:
                self._app = new_verifying_app(self._project_id)
                _repoint(self._app, self._jwks_url)
            return self._app


def _repoint(app: Any, jwks_url: str | None) -> None:
    """
    Wait for keys as long as for certificates, and read them from `jwks_url`.

    firebase-admin has no setting for either, so that private attributes are set here;
    a test pins them.
    """
    from firebase_admin import app_check

    keys = app_check._get_app_check_service(app)._jwks_client
    keys.timeout = CERTS_TIMEOUT_S
    if jwks_url is not None:
        keys.uri = jwks_url
