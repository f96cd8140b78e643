"""Firebase ID tokens, verified by firebase-admin."""

import functools
import threading
from typing import Any, Final

from spaces_contract.ids import USER_ID_PATTERN, UserId

from ..domain.errors import DependencyUnavailable
from ..service.errors import IdTokenExpired, IdTokenInvalid
from .firebase_app import new_verifying_app

CLOCK_SKEW_S: Final = 5


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
        app = new_verifying_app(self._project_id)
        if self._certs_url is not None:
            _repoint(app, self._certs_url)
        return app

    def verify(self, token: str) -> UserId:
        """Return the uid that the token proves; see `IdTokens`."""
        from firebase_admin import auth  # late, as `new_verifying_app` says

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
