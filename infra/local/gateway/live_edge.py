"""`/live/…`: objects that workers publish, served as a CDN before a bucket would."""

import re
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

from .problems import not_found, problem

# Names that workers give; anything else (dotfiles, a writer's partial files) is absent.
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_MAX_DEPTH: Final = 6

# Suffix -> (content type, Cache-Control).
_KINDS: Final = MappingProxyType(
    {
        "room.json": ("application/json", "public, max-age=1"),
        ".m3u8": ("application/vnd.apple.mpegurl", "public, max-age=1"),
        # A segment never changes; its cache life is the live window.
        ".ts": ("video/mp2t", "public, max-age=20, immutable"),
        ".m4s": ("video/iso.segment", "public, max-age=20, immutable"),
        ".json": ("application/json", "public, max-age=1"),
    }
)
_REWRITTEN: Final = ".m3u8"  # each second, and read by ranges by some players
_OTHER: Final = ("application/octet-stream", "no-store")
_CORS: Final = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag, Content-Length",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
)


class LiveEdge:
    """
    Reads the local object store below `live/`.

    Args:
        objects: Root folder of the store.
    """

    def __init__(self, objects: Path) -> None:
        self._objects = objects

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD with the object, revalidation and ranges included."""
        if request.method not in ("GET", "HEAD"):
            response: web.StreamResponse = problem(
                HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "objects are read"
            )
        else:
            response = self._object(request.path)
        response.headers.update(_CORS)
        return response

    def _object(self, path: str) -> web.StreamResponse:
        names = path.strip("/").split("/")
        if len(names) > _MAX_DEPTH or not all(_NAME.fullmatch(n) for n in names):
            return not_found()
        file = self._objects.joinpath(*names)
        if not file.is_file():
            return not_found()
        content_type, cache_control = kind_of(file.name)
        response: web.StreamResponse
        if file.suffix == _REWRITTEN:
            # Whole: of a range of it there may be nothing left by now, which is 416.
            response = web.Response(body=file.read_bytes())
        else:
            response = web.FileResponse(file)
        response.content_type = content_type
        response.headers["Cache-Control"] = cache_control
        return response


def kind_of(name: str) -> tuple[str, str]:
    """Return content type and Cache-Control of an object by its name."""
    for suffix, kind in _KINDS.items():
        if name.endswith(suffix):
            return kind
    return _OTHER
