"""The gateway's routes."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ..stack import READY_PATH
from .cloud_clients import CloudClients
from .cloud_view import CloudView
from .console import CONSOLE_FILES, console_file
from .documents_view import DocumentsView
from .hosting import Hosting
from .hosting_rules import HostingRules
from .identity import Identity
from .live_edge import LiveEdge
from .playback import PlaybackFiles
from .problems import not_found, problem
from .proxy import FunctionsProxy
from .push_sink import PushSink
from .push_store import PushStore

logger = logging.getLogger(__name__)

# What another machine may use of /local/; the rest shows or moves what is private to
# the person at this keyboard.
_LOCAL_FOR_ALL: Final = frozenset({"/local/sign-in", "/local/authority.crt"})
# What no other site's name server can have point here.
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SIGN_IN_BODY_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayParts:
    """
    What the gateway is made of.

    Args:
        repository: Where firebase.json's paths begin.
        authority: Certificate that a phone may be told to trust.
        hosts: Names and addresses, beside loopback's, by which this machine was told
            to be reached.
    """

    identity: Identity
    push: PushSink
    push_store: PushStore
    clients: CloudClients
    cloud: CloudView
    documents: DocumentsView
    live: LiveEdge
    playback: PlaybackFiles
    proxy: FunctionsProxy
    rules: HostingRules
    repository: Path
    authority: Path
    hosts: frozenset[str] = frozenset()


def gateway_app(parts: GatewayParts) -> web.Application:
    """Return the application of both the plain and the TLS listener."""
    app = web.Application(
        middlewares=[_errors_are_problems, _local_stays_local(parts.hosts)],
        client_max_size=_SIGN_IN_BODY_BYTES,
    )
    app.cleanup_ctx.append(_lifetimes(parts))
    _add_local(app.router, parts)
    app.router.add_route("*", "/live/{name:.*}", parts.live.answer)
    app.router.add_route("*", "/recordings/{name:.*}", parts.playback.answer)
    hosting = Hosting(parts.rules, root=parts.repository, forward=parts.proxy.forward)
    app.router.add_route("*", "/{path:.*}", hosting.answer)
    return app


def _add_local(router: web.UrlDispatcher, parts: GatewayParts) -> None:
    async def ready(_request: web.Request) -> web.Response:
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def nothing(_request: web.Request) -> web.Response:
        return not_found()

    async def to_console(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/local/")

    async def authority(_request: web.Request) -> web.StreamResponse:
        if not parts.authority.is_file():
            return not_found()
        response = web.FileResponse(parts.authority)
        response.content_type = "application/x-x509-ca-cert"
        return response

    router.add_get(READY_PATH, ready)
    router.add_post("/local/sign-in", parts.identity.sign_in)
    router.add_options("/local/sign-in", parts.identity.preflight)
    router.add_get("/local/id-token-certs", parts.identity.id_token_certs)
    router.add_get("/local/oidc-certs", parts.identity.oidc_certs)
    router.add_get("/local/oidc-jwks", parts.identity.oidc_jwks)
    router.add_get("/local/authority.crt", authority)
    router.add_post("/local/fcm/v1/projects/{project}/messages:send", parts.push.send)
    router.add_get("/local/push", parts.cloud.push)
    router.add_get("/local/tasks", parts.cloud.tasks)
    router.add_post("/local/tasks/run", parts.cloud.run_task)
    router.add_get("/local/operations", parts.cloud.operations)
    router.add_get("/local/documents", parts.documents.read)
    router.add_get("/local", to_console)
    for path, file in CONSOLE_FILES.items():
        router.add_get(path, console_file(file))
    router.add_route("*", "/local/{path:.*}", nothing)


@web.middleware
async def _errors_are_problems(
    request: web.Request, handler: Handler
) -> web.StreamResponse:
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):  # an answer; nobody left to answer
        raise
    except Exception:  # the edge of a request: it fails, the gateway goes on
        logger.exception("request failed: %s %s", request.method, request.path)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "the gateway failed"
        )


def _local_stays_local(hosts: frozenset[str]) -> Middleware:
    known = _LOOPBACK_HOSTS | {host.lower() for host in hosts}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path
        if not path.startswith("/local"):
            return await handler(request)
        # Another site's page could have its own name point here, and read the answers
        # as its own (DNS rebinding); the Host that its browser sends tells.
        if _host_name(request) not in known:
            return not_found()
        if path not in _LOCAL_FOR_ALL and request.secure:
            return not_found()
        return await handler(request)

    return check


def _host_name(request: web.Request) -> str | None:
    try:
        return urlsplit(f"//{request.host}").hostname
    except ValueError:
        return None


def _lifetimes(
    parts: GatewayParts,
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(_app: web.Application) -> AsyncIterator[None]:
        parts.proxy.start()
        yield
        await parts.proxy.aclose()
        await parts.clients.aclose()
        parts.push_store.close()

    return run
