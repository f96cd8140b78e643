"""One canonical line for each request, and an id that all its lines share."""

import logging
import re
import secrets
import time
from typing import Final

import flask

from .json_log import request_facts
from .request_method import told_method

HEADER: Final = "X-Request-Id"
ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")

logger = logging.getLogger(__name__)


def register(app: flask.Flask) -> None:
    """Log each request when its answer is ready; never its body or its tokens."""

    @app.before_request
    def begin() -> None:
        given = flask.request.headers.get(HEADER, "")
        request_id = given if ID_PATTERN.fullmatch(given) else secrets.token_hex(8)
        flask.g.request_id = request_id
        flask.g.started_s = time.monotonic()
        request_facts.set({"request_id": request_id})

    @app.after_request
    def end(response: flask.Response) -> flask.Response:
        response.headers[HEADER] = flask.g.request_id
        request = flask.request
        params = request.view_args or {}
        facts = {
            "method": told_method(request.method),
            # The shape, not the path: what strangers ask for is no fact of ours.
            "route": flask.g.get("route") or getattr(request.url_rule, "rule", None),
            "status": response.status_code,
            "duration_ms": round((time.monotonic() - flask.g.started_s) * 1000, 1),
            "space_id": params.get("space_id"),
            **flask.g.get("task", {}),
            "uid": flask.g.get("uid"),
            "problem": flask.g.get("problem"),
        }
        known = {name: value for name, value in facts.items() if value is not None}
        logger.info("request", extra=known)
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        request_facts.set(None)
