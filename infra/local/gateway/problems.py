"""Errors of the gateway itself, as problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Final

from aiohttp import web

PROBLEM_BASE: Final = "https://parley.dev/problems/"


def problem(
    status: HTTPStatus, code: str, detail: str, *, retry_after_s: int | None = None
) -> web.Response:
    """Return the response for `code`, the stable last part of the problem's type."""
    response = web.json_response(
        {
            "type": PROBLEM_BASE + code,
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
        },
        status=status,
        content_type="application/problem+json",
    )
    response.headers["Cache-Control"] = "no-store"
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def not_found() -> web.Response:
    """Return the answer for a path at which nothing is."""
    return problem(HTTPStatus.NOT_FOUND, "not-found", "nothing is at this address")
