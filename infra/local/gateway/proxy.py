"""Reverse proxy to the functions."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from .problems import problem

logger = logging.getLogger(__name__)

# RFC 9110 7.6.1: they speak of one connection, and are not passed on.
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "expect",  # answered here: the body is read before it is passed on
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_REPLACED: Final = frozenset(
    {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "host"}
)
# Far above the functions' own 64 KiB, so that they answer their own 413.
MAX_BODY_BYTES: Final = 1024 * 1024
_MAX_DRAINED_BYTES: Final = 64 * 1024 * 1024
_CONNECT_S: Final = 2.0
_ANSWER_S: Final = 120.0
# The pool takes its longest idle connection first, so that all of a burst's stay for
# as long as each is used once in this time: a short one lets them go.
_IDLE_CONNECTION_S: Final = 1.0
_RETRY_AFTER_S: Final = 1


class FunctionsProxy:
    """
    Passes requests on and streams the answers back.

    Lifecycle: `start()` inside the event loop, `aclose()` at the end.

    Args:
        url: The functions server, "http://127.0.0.1:PORT".
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Open the connection pool; nothing is connected yet."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            skip_auto_headers=(
                "Accept",
                "Accept-Encoding",
                "Content-Type",
                "User-Agent",
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_IDLE_CONNECTION_S
            ),
            timeout=aiohttp.ClientTimeout(
                total=None, connect=_CONNECT_S, sock_read=_ANSWER_S
            ),
        )

    async def aclose(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Answer with what the functions answer; 503 while they are away."""
        body = await _read_body(request)
        if body is None:
            return problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "body-too-large",
                f"a body has at most {MAX_BODY_BYTES} bytes here",
            )
        if self._session is None:
            raise RuntimeError("the proxy was not started")
        try:
            async with self._session.request(
                request.method,
                # The path alone: a target may name a host too (RFC 9112 3.2.2).
                URL(self._url + request.rel_url.raw_path_qs, encoded=True),
                headers=_upstream_headers(request),
                data=body,
                allow_redirects=False,
            ) as upstream:
                return await _stream(request, upstream)
        except TimeoutError:
            return _away("the functions did not answer in time")
        except aiohttp.ClientError as error:
            logger.warning("functions unreachable: %s", error)
            return _away("the functions are restarting")


async def _read_body(request: web.Request) -> bytes | None:
    # Read whole, what is too much too: a client that is still sending when the answer
    # comes may never read it.
    body = bytearray()
    received_bytes = 0
    async for part in request.content.iter_any():
        received_bytes += len(part)
        if received_bytes <= MAX_BODY_BYTES:
            body += part
        elif received_bytes > _MAX_DRAINED_BYTES:
            break
    return bytes(body) if received_bytes <= MAX_BODY_BYTES else None


def _upstream_headers(request: web.Request) -> list[tuple[str, str]]:
    dropped = _HOP_BY_HOP | _REPLACED | _named_by_connection(request.headers)
    kept = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in dropped and name.lower() != "content-length"
    ]
    # The gateway is the edge: what a client claims about itself is not passed on.
    return [
        *kept,
        ("Host", request.host),
        ("X-Forwarded-Host", request.host),
        ("X-Forwarded-Proto", request.scheme),
        ("X-Forwarded-For", request.remote or ""),
    ]


def _named_by_connection(headers: Mapping[str, str]) -> frozenset[str]:
    named = headers.get("Connection", "").split(",")
    return frozenset(name.strip().lower() for name in named)


async def _stream(
    request: web.Request, upstream: aiohttp.ClientResponse
) -> web.StreamResponse:
    response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
    for name, value in upstream.headers.items():
        if name.lower() not in _HOP_BY_HOP:
            response.headers.add(name, value)
    await response.prepare(request)
    async for part in upstream.content.iter_any():
        await response.write(part)
    await response.write_eof()
    return response


def _away(detail: str) -> web.Response:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "functions-unavailable",
        detail,
        retry_after_s=_RETRY_AFTER_S,
    )
