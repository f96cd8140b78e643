"""The WSGI application of clients, and what it shares with the task queue's."""

from collections.abc import Callable, Sequence

import flask

from ..service.token_ports import IdTokens
from . import (
    cors,
    problems,
    request_log,
    request_trace,
    routes,
    security_headers,
)
from .operations import MAX_BODY_BYTES, Guard, Operation
from .routes import Section


def api_app(
    documented: Sequence[Section],
    *,
    id_tokens: IdTokens,
    cors_origins: frozenset[str],
    public_url: str,
    guards: Sequence[Guard] = (),
    first: Callable[[], None] | None = None,
) -> flask.Flask:
    """
    Return the API of clients: `documented`, and the document of it in two forms.

    Args:
        guards: See each call first, and may refuse it.
        first: Run before all else of a request; may raise to refuse it.
    """
    app = base_app("parley-api")
    if first is not None:
        app.before_request(first)
    sections = (document_section(documented, public_url), *documented)
    routes.register(app, sections, id_tokens.verify, guards)
    cors.register(app, cors_origins)
    return app


def document_section(documented: Sequence[Section], public_url: str) -> Section:
    """Return what shows the document of `documented`, to programs and to people."""

    def load() -> tuple[Operation, ...]:
        from . import docs, openapi

        operations = [each for section in documented for each in section.operations]
        return (
            openapi.operation(operations, public_url),
            docs.operation(operations, public_url),
        )

    return Section("/docs|/v1/openapi", load)


def base_app(name: str) -> flask.Flask:
    """Return an application without routes, whose errors are problems."""
    app = flask.Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.strict_slashes = False
    problems.register(app)
    request_trace.register(app)
    request_log.register(app)
    security_headers.register(app)
    return app
