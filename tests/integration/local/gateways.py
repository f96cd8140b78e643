"""A gateway in the test's own event loop, before functions that the test writes."""

import contextlib
import datetime as dt
import functools
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from infra.local.folder import DataFolder
from infra.local.gateway.app import GatewayParts, gateway_app
from infra.local.gateway.cloud_clients import CloudClients
from infra.local.gateway.cloud_view import CloudView
from infra.local.gateway.documents_view import DocumentsView
from infra.local.gateway.hosting_rules import read_rules
from infra.local.gateway.identity import Identity
from infra.local.gateway.live_edge import LiveEdge
from infra.local.gateway.playback import PlaybackFiles
from infra.local.gateway.proxy import FunctionsProxy
from infra.local.gateway.push_sink import PushSink
from infra.local.gateway.push_store import PushStore
from infra.local.keys import (
    AUTHORITY_CERTIFICATE,
    ID_TOKEN_ISSUER,
    OIDC_ISSUER,
    KeyFolder,
)

PROJECT = "demo-parley"
HOST = "parley.home.example"  # what `--host` says
PLAYBACK_SECRET = "of the tests"


@dataclass
class Gateway:
    """A running gateway."""

    url: str
    folder: DataFolder
    session: aiohttp.ClientSession


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of loopback and yield its URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{port_of(runner)}"
    finally:
        await runner.cleanup()


def port_of(runner: web.AppRunner) -> int:
    """Return the port of a runner's only site."""
    return cast(int, runner.addresses[0][1])


def functions_app(handler: Handler) -> web.Application:
    """Return functions that answer everything with `handler`."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    return app


@functools.cache
def _made_keys() -> dict[str, bytes]:
    """Make the RSA keys once for all tests: they take a third of a second."""
    with tempfile.TemporaryDirectory() as folder:
        for issuer in (ID_TOKEN_ISSUER, OIDC_ISSUER):
            KeyFolder(Path(folder)).signing_key(issuer)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@contextlib.asynccontextmanager
async def running_gateway(root: Path, functions_url: str) -> AsyncIterator[Gateway]:
    """Run a gateway whose repository and data folder are below `root`."""
    folder = DataFolder(root / "data")
    folder.create()
    for name, content in _made_keys().items():
        (folder.keys / name).write_bytes(content)
    keys = KeyFolder(folder.keys)
    push = PushStore(folder.push / "push.db")
    clients = CloudClients(firestore="127.0.0.1:9", tasks="127.0.0.1:9")
    parts = GatewayParts(
        identity=Identity(
            keys.signing_key(ID_TOKEN_ISSUER),
            keys.signing_key(OIDC_ISSUER),
            project_id=PROJECT,
        ),
        push=PushSink(
            push, project_id=PROJECT, now=lambda: dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
        ),
        push_store=push,
        clients=clients,
        cloud=CloudView(push, clients),
        documents=DocumentsView(clients),
        live=LiveEdge(folder.objects),
        playback=PlaybackFiles(folder.objects, PLAYBACK_SECRET),
        proxy=FunctionsProxy(functions_url),
        rules=read_rules(root / "firebase.json"),
        repository=root,
        authority=folder.keys / AUTHORITY_CERTIFICATE,
        hosts=frozenset({HOST}),
    )
    async with (
        serving(gateway_app(parts)) as url,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        yield Gateway(url, folder, session)
