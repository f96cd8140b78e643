"""The firebase-admin app that verifies tokens, made with the first of them."""

import itertools
from typing import Any, Final

from google.auth.credentials import AnonymousCredentials

CERTS_TIMEOUT_S: Final = 3.0

_app_numbers = itertools.count()  # firebase-admin registers apps by name, for good


def new_verifying_app(project_id: str) -> Any:
    """Return an app without credentials: the keys to verify by are public."""
    # Imported here: a fifth of a cold start, and most of those who come first want to
    # see a Space, for which they need no token.
    import firebase_admin

    return firebase_admin.initialize_app(  # type: ignore[no-untyped-call]  # no types
        AnonymousCredentials(),  # type: ignore[no-untyped-call]  # no types
        {"projectId": project_id, "httpTimeout": CERTS_TIMEOUT_S},
        name=f"parley-{next(_app_numbers)}",
    )
