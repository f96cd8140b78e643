"""Serves the web client as Firebase Hosting does."""

import mimetypes
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from .hosting_rules import HostingRules, Target
from .problems import not_found, problem

Forward = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What firebase.json does not set.  The microphone is the client's own need.
_SECURITY_HEADERS: Final = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
        "Cache-Control": "no-cache",  # revalidated: an edited file shows at once
    }
)
# Not left to the machine's mime.types, which may lack or twist them.
_TYPES: Final = MappingProxyType(
    {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".html": "text/html",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".webmanifest": "application/manifest+json",
        ".wasm": "application/wasm",
        ".woff2": "font/woff2",
    }
)


class Hosting:
    """
    Static files first, then redirects and rewrites, as Hosting orders them.

    Args:
        root: The folder that `rules.public` is relative to.
        forward: Answers what a rewrite gives to the functions.
    """

    def __init__(self, rules: HostingRules, *, root: Path, forward: Forward) -> None:
        self._rules = rules
        self._public = (root / rules.public).resolve()
        self._forward = forward

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any path that no other part of the gateway has."""
        path = unquote(request.rel_url.raw_path)
        redirect = self._rules.redirect(path)
        if redirect is not None:
            return web.Response(
                status=redirect.status, headers={"Location": redirect.location}
            )
        rewrite = self._rules.rewrite(path)
        file = self._file(path)
        if file is None and rewrite is not None:
            if rewrite.target is Target.FUNCTIONS:
                return await self._forward(request)
            file = self._file(rewrite.file)
        if file is None:
            return self._with_headers(self._nothing(request), path)
        if request.method not in ("GET", "HEAD"):
            return problem(
                HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "a file is read"
            )
        return self._with_headers(_file_response(file), path)

    def _nothing(self, request: web.Request) -> web.StreamResponse:
        """Hosting's own page of a site that has one, for whoever can read it."""
        page = self._file("/404.html")
        if page is None or "text/html" not in request.headers.get("Accept", ""):
            return not_found()
        return _file_response(page, HTTPStatus.NOT_FOUND)

    def _file(self, path: str) -> Path | None:
        try:
            return self._found(path)
        except (OSError, ValueError):  # longer than a name may be, or with a NUL
            return None

    def _found(self, path: str) -> Path | None:
        file = (self._public / path.lstrip("/")).resolve()
        if not file.is_relative_to(self._public):
            return None
        if file.is_dir():
            file /= "index.html"
        # Hosting's default `ignore`: dotfiles are not uploaded; /.well-known is.
        parts = file.relative_to(self._public).parts
        hidden = any(p.startswith(".") and p != ".well-known" for p in parts)
        return file if file.is_file() and not hidden else None

    def _with_headers(
        self, response: web.StreamResponse, path: str
    ) -> web.StreamResponse:
        headers = {**_SECURITY_HEADERS, **self._rules.headers_for(path)}
        # A browser that once obeyed it could not open a laptop's plain HTTP again.
        headers.pop("Strict-Transport-Security", None)
        response.headers.update(headers)
        return response


def _file_response(file: Path, status: HTTPStatus = HTTPStatus.OK) -> web.FileResponse:
    response = web.FileResponse(file, status=status)
    content_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    response.content_type = content_type or "application/octet-stream"
    if response.content_type.startswith("text/"):
        response.charset = "utf-8"
    return response
