"""The developers' page at `/local/`: three static files beside this module."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

CONSOLE_FILES: Final = MappingProxyType(
    {
        "/local/": "index.html",
        "/local/console.css": "console.css",
        "/local/console.js": "console.js",
    }
)
_FOLDER: Final = Path(__file__).parent / "page"
_TYPES: Final = MappingProxyType(
    {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
)
_HEADERS: Final = MappingProxyType(
    {
        # What it shows was written by users: no script but our own may run.
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self';"
            " connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
)


def console_file(name: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    """Return the handler that serves one file of the page."""

    async def serve(_request: web.Request) -> web.FileResponse:
        response = web.FileResponse(_FOLDER / name, headers=_HEADERS)
        response.content_type = _TYPES[Path(name).suffix]
        response.charset = "utf-8"
        return response

    return serve
