"""Cross-origin access, for web clients that are served from elsewhere."""

from typing import Final

import flask

from spaces_contract.media import SDP_CONTENT_TYPE

ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, "
    "Parley-Platform, Parley-App-Version, X-Firebase-AppCheck, traceparent"
)
EXPOSED_HEADERS: Final = "Location, Link, ETag, Retry-After, X-Request-Id"
PREFLIGHT_LIFETIME_S: Final = 7200  # the longest that Chromium honours
ANY_ORIGIN: Final = "*"


def register(app: flask.Flask, origins: frozenset[str]) -> None:
    """Let pages of `origins` call `app`; "*" among them is any page."""

    @app.after_request
    def add_headers(response: flask.Response) -> flask.Response:
        request = flask.request
        if request.method == "OPTIONS" and _is_media_endpoint():
            # RFC 9725 4.2: this is how a client learns what may be sent.
            response.headers["Accept-Post"] = SDP_CONTENT_TYPE
        if ANY_ORIGIN not in origins:
            response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is None or not ({origin, ANY_ORIGIN} & origins):
            return response
        response.headers["Access-Control-Allow-Origin"] = (
            ANY_ORIGIN if ANY_ORIGIN in origins else origin
        )
        response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        if request.method == "OPTIONS":
            allowed = response.headers.get("Allow", "")
            response.headers["Access-Control-Allow-Methods"] = allowed
            response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_LIFETIME_S)
        return response


def _is_media_endpoint() -> bool:
    path = flask.request.path
    return path.startswith("/v1/spaces/") and path.endswith(("/whip", "/whep"))
