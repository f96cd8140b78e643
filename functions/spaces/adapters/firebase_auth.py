"""Firebase ID tokens, verified by firebase-admin."""

import functools
import itertools
import threading
from typing import Any, Final

from google.auth.credentials import AnonymousCredentials

from spaces_contract.ids import USER_ID_PATTERN, UserId

from ..domain.errors import DependencyUnavailable
from ..service.errors import IdTokenExpired, IdTokenInvalid

CERTS_TIMEOUT_S: Final = 3.0
CLOCK_SKEW_S: Final = 5

_app_numbers = itertools.count()  # firebase-admin registers apps by name, for good


class FirebaseIdTokens:
    """
    `IdTokens` of one Firebase project.

    Args:
        certs_url: Where the embedded issuer publishes its certificates; None is
            Google's.  All else is the path of production.
    """

    def __init__(self, project_id: str, *, certs_url: str | None = None) -> None:
        self._project_id = project_id
        self._certs_url = certs_url
        self._lock = threading.Lock()  # requests run in threads

    @functools.cached_property
    def _app(self) -> Any:
        import firebase_admin

        # Verifying takes public certificates only, hence no credentials.
        app = firebase_admin.initialize_app(  # type: ignore[no-untyped-call]  # no types
            AnonymousCredentials(),  # type: ignore[no-untyped-call]  # no types
            {"projectId": self._project_id, "httpTimeout": CERTS_TIMEOUT_S},
            name=f"parley-{next(_app_numbers)}",
        )
        if self._certs_url is not None:
            _repoint(app, self._certs_url)
        return app

    def verify(self, token: str) -> UserId:
        """Return the uid that the token proves; see `IdTokens`."""
        # Imported with the first token: a fifth of a cold start, and most of those
        # who come first want to see a Space, for which they need no token.
        from firebase_admin import auth

        with self._lock:
            app = self._app
        try:
            claims = auth.verify_id_token(  # type: ignore[no-untyped-call]  # no types
                token, app=app, clock_skew_seconds=CLOCK_SKEW_S
            )
        except auth.ExpiredIdTokenError as error:
            raise IdTokenExpired from error
        except auth.CertificateFetchError as error:
            raise DependencyUnavailable from error
        except (auth.InvalidIdTokenError, ValueError) as error:
            raise IdTokenInvalid from error
        uid = claims["uid"]
        if not USER_ID_PATTERN.fullmatch(uid):
            raise IdTokenInvalid
        return UserId(uid)


def _repoint(app: Any, certs_url: str) -> None:
    """
    Read certificates from `certs_url`.

    firebase-admin has no setting for it (its emulator variable accepts unsigned
    tokens instead), so that private attributes are set here; a test pins them.
    """
    from firebase_admin import auth

    client = auth._get_client(app)  # type: ignore[no-untyped-call]  # no types
    client._token_verifier.id_token_verifier.cert_url = certs_url
