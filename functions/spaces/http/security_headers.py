"""Headers by which browsers make no more of an answer than it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import flask

# Where an operation has not set its own: pages have a policy that lets them be shown.
# Strict-Transport-Security is Hosting's, as it would lock a laptop's plain HTTP.
DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
    }
)


def register(app: flask.Flask) -> None:
    """Add `DEFAULTS` to each answer; keep what belongs to a person out of caches."""

    @app.after_request
    def add_headers(response: flask.Response) -> flask.Response:
        for name, value in DEFAULTS.items():
            response.headers.setdefault(name, value)
        if "Authorization" in flask.request.headers:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
