"""Composition root of the gateway process."""

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from ..folder import DataFolder
from ..keys import (
    AUTHORITY_CERTIFICATE,
    ID_TOKEN_ISSUER,
    OIDC_ISSUER,
    KeyFolder,
    tls_context,
)
from ..ports import LOOPBACK
from ..stack import PROJECT_ID, REPOSITORY
from .app import GatewayParts, gateway_app
from .cloud_clients import CloudClients
from .cloud_view import CloudView
from .documents_view import DocumentsView
from .hosting_rules import read_rules
from .identity import Identity
from .live_edge import LiveEdge
from .playback import PlaybackFiles
from .proxy import FunctionsProxy
from .push_sink import PushSink
from .push_store import PushStore

_SHUTDOWN_S: Final = 1.0


def main(argv: Sequence[str]) -> int:
    """Serve the inherited sockets until SIGTERM."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO
    )
    asyncio.run(_serve(_parser().parse_args(argv)))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    app = gateway_app(_parts(options))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    try:
        await web.SockSite(runner, socket.socket(fileno=options.listen_fd)).start()
        if options.tls_fd is not None:
            context = tls_context(options.tls_chain, options.tls_key)
            listener = socket.socket(fileno=options.tls_fd)
            await web.SockSite(runner, listener, ssl_context=context).start()
        await stopped.wait()
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * _SHUTDOWN_S):
                await runner.cleanup()


def _parts(options: argparse.Namespace) -> GatewayParts:
    folder = DataFolder(options.data)
    keys = KeyFolder(folder.keys)
    push = PushStore(folder.push / "push.db")
    clients = CloudClients(
        firestore=options.firestore,
        tasks=f"{LOOPBACK}:{options.tasks_port}",
    )
    return GatewayParts(
        identity=Identity(
            keys.signing_key(ID_TOKEN_ISSUER),
            keys.signing_key(OIDC_ISSUER),
            project_id=PROJECT_ID,
        ),
        push=PushSink(push, project_id=PROJECT_ID),
        push_store=push,
        clients=clients,
        cloud=CloudView(push, clients),
        documents=DocumentsView(clients),
        live=LiveEdge(folder.objects),
        playback=PlaybackFiles(folder.objects, keys.playback_secret()),
        proxy=FunctionsProxy(f"http://{LOOPBACK}:{options.functions_port}"),
        rules=read_rules(REPOSITORY / "firebase.json"),
        repository=REPOSITORY,
        authority=folder.keys / AUTHORITY_CERTIFICATE,
        hosts=frozenset(options.host),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateway")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--listen-fd", type=int, required=True)
    parser.add_argument("--tls-fd", type=int)
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        help="a name or address, beside loopback's, that this machine is reached by",
    )
    parser.add_argument("--tls-chain", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--firestore", required=True, metavar="HOST:PORT")
    for service in ("functions", "tasks"):
        parser.add_argument(f"--{service}-port", type=int, required=True)
    return parser
