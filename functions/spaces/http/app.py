"""The WSGI application of clients, and what it shares with the task queue's."""

from collections.abc import Sequence

import flask

from ..service.ports import IdTokens
from . import (
    cors,
    openapi,
    operations,
    problems,
    request_log,
)
from .docs import operation as docs_operation
from .operations import MAX_BODY_BYTES, Guard, Operation


def api_app(
    documented: Sequence[Operation],
    *,
    id_tokens: IdTokens,
    cors_origins: frozenset[str],
    public_url: str,
    guards: Sequence[Guard] = (),
) -> flask.Flask:
    """
    Return the API of clients: `documented`, and the document of it in two forms.

    Args:
        guards: See each call first, and may refuse it.
    """
    app = base_app("parley-api")
    served = (
        *documented,
        openapi.operation(documented, public_url),
        docs_operation(documented, public_url),
    )
    operations.register(app, served, id_tokens.verify, guards)
    cors.register(app, cors_origins)
    return app


def base_app(name: str) -> flask.Flask:
    """Return an application without routes, whose errors are problems."""
    app = flask.Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.strict_slashes = False
    problems.register(app)
    request_log.register(app)
    return app
