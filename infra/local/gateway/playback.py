"""`/recordings/…`: rendered recordings, for whoever holds a signed URL."""

import base64
import hmac
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

from .problems import not_found, problem

# Renders alone: encrypted voices, jobs and journals are nobody's to read.
_NAME: Final = re.compile(
    r"/recordings/[A-Za-z0-9_-]{8,64}/(?:v[1-9][0-9]{0,8}"
    r"/(audio\.m4a|waveform\.json|markers\.json|manifest\.json)"
    r"|clips/[1-9][0-9]{0,8}/(clip\.m4a|manifest\.json))"
)
_EXPIRES: Final = re.compile(r"[0-9]{1,12}")
_TYPES: Final = MappingProxyType({"audio.m4a": "audio/mp4", "clip.m4a": "audio/mp4"})
_OTHER: Final = "application/json"
_HEADERS: Final = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag, Content-Length, Content-Range",
        # What a withdrawal deletes must not go on living in a cache.
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
)


class PlaybackFiles:
    """
    Reads renders in the local object store, ranges included, as a bucket would.

    Args:
        objects: Root folder of the store.
        secret: Of the functions, who sign path and expiry with it (HMAC-SHA256).
        now_s: Seconds since 1970.
    """

    def __init__(
        self, objects: Path, secret: str, now_s: Callable[[], float] = time.time
    ) -> None:
        self._objects = objects
        self._secret = secret.encode()
        self._now_s = now_s

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD; without a good signature there is nothing here."""
        response = self._file(request)
        response.headers.update(_HEADERS)
        return response

    def _file(self, request: web.Request) -> web.StreamResponse:
        name = _NAME.fullmatch(request.path)
        if request.method not in ("GET", "HEAD") or name is None:
            return not_found()
        if not self._is_signed(request):
            return problem(
                HTTPStatus.FORBIDDEN,
                "playback-refused",
                "this URL is not good any more",
            )
        file = self._objects.joinpath(*request.path.strip("/").split("/"))
        if not file.is_file():
            return not_found()
        response = web.FileResponse(file)
        response.content_type = _TYPES.get(name[1] or name[2], _OTHER)
        return response

    def _is_signed(self, request: web.Request) -> bool:
        expires = request.query.get("expires", "")
        if not _EXPIRES.fullmatch(expires) or int(expires) <= self._now_s():
            return False
        signed = f"{request.path}\n{expires}".encode()
        digest = hmac.digest(self._secret, signed, "sha256")
        expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
        given = request.query.get("signature", "").encode()
        return hmac.compare_digest(expected, given)
