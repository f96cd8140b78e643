"""Composition root of the Cloud Tasks process: a gRPC server without generated code."""

import argparse
import asyncio
import json
import logging
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import grpc

from ..auth import TokenIssuer
from ..keys import OIDC_ISSUER, KeyFolder
from ..ports import LOOPBACK
from ..stack import QUEUE
from . import names, protocol, queues
from .dispatcher import Dispatcher
from .refusals import Refused
from .service import TasksService
from .store import TaskStore
from .sweep import Sweep

TOMBSTONE_S: Final = 3600.0
_QUEUES_FILE: Final = Path(__file__).parents[1] / "queues.json"
_GRACE_S: Final = 0.5
# A client may not set a longer deadline: production refuses it.
_MAX_DEADLINE_S: Final = 31.0

Rpc = Callable[[Any, Any], Awaitable[Any]]


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C; return the process's exit code."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO
    )
    options = _parser().parse_args(argv)
    try:
        options.data.mkdir(parents=True, exist_ok=True)
        asyncio.run(_serve(options))
    except (OSError, RuntimeError, sqlite3.Error) as error:
        sys.stderr.write(f"tasks: {error}\n")
        return 1
    return 0


async def _serve(options: argparse.Namespace) -> None:
    keys = options.keys or options.data / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    issuer = TokenIssuer(KeyFolder(keys).signing_key(OIDC_ISSUER))
    store = TaskStore(options.data / "tasks.db")
    for queue in queues.from_file(_QUEUES_FILE, names.location_of(QUEUE)):
        if store.queue(queue.name) is None:
            store.put_queue(queue)
    dispatcher = Dispatcher(
        store, issuer, tombstone_s=options.tombstone_s, twice=options.twice
    )
    service = TasksService(
        store,
        dispatcher,
        tombstone_s=options.tombstone_s,
        queue_tombstone_s=options.queue_tombstone_s,
    )
    server = _grpc_server(service, dispatcher)
    port = server.add_insecure_port(f"{LOOPBACK}:{options.port}")
    await server.start()
    dispatcher.start()
    sys.stdout.write(f"ready {LOOPBACK}:{port}\n")
    sys.stdout.flush()
    try:
        await _until_stopped(_sweep(options), service, dispatcher)
    finally:
        await server.stop(_GRACE_S)
        await dispatcher.aclose()
        store.close()


async def _until_stopped(
    sweep: Sweep | None, service: TasksService, dispatcher: Dispatcher
) -> None:
    """Return at a signal; raise what ended the sweep or the dispatcher before it."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # What runs as long as the process does: without it, the server would accept
    # tasks that nobody dispatches.
    running: list[asyncio.Task[Any]] = [
        asyncio.create_task(stopped.wait(), name="stop"),
        asyncio.create_task(dispatcher.wait_failed(), name="dispatcher"),
    ]
    if sweep is not None:
        running.append(asyncio.create_task(sweep.run(service), name="sweep"))
    try:
        ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _grpc_server(service: TasksService, dispatcher: Dispatcher) -> grpc.aio.Server:
    # Without this option two servers could share one port, and tasks, unnoticed.
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _rpc(getattr(service, name)),
            request_deserializer=request_class.FromString,
            response_serializer=response_class.SerializeToString,
        )
        for name, (request_class, response_class) in protocol.METHODS.items()
    }

    async def operations(_request: bytes, _context: Any) -> bytes:
        counts = {
            "tasks_created": service.tasks_created,
            "tasks_dispatched": dispatcher.dispatched,
        }
        return json.dumps(counts).encode()

    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(protocol.SERVICE, handlers),
            grpc.method_handlers_generic_handler(
                "parley.local.Operations",
                {"Get": grpc.unary_unary_rpc_method_handler(operations)},
            ),
        )
    )
    return server


def _rpc(method: Callable[[Any], Awaitable[Any]]) -> Rpc:
    async def call(request: Any, context: Any) -> Any:
        left_s = context.time_remaining()
        if left_s is not None and left_s > _MAX_DEADLINE_S:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "The deadline cannot be more than 30s in the future.",
            )
        try:
            return await method(request)
        except Refused as refused:
            await context.abort(refused.code, refused.detail)

    return call


def _sweep(options: argparse.Namespace) -> Sweep | None:
    if options.sweep_url is None:
        return None
    return Sweep(
        queue=options.sweep_queue,
        url=options.sweep_url,
        audience=options.sweep_audience or options.sweep_url,
        service_account=options.sweep_account,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local tasks")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--keys", type=Path, help="folder of the OIDC key (default DATA/keys)"
    )
    parser.add_argument(
        "--tombstone-s",
        type=float,
        default=TOMBSTONE_S,
        help="seconds for which a task's name stays taken (default 3600)",
    )
    parser.add_argument("--queue-tombstone-s", type=float, default=7 * 24 * 3600.0)
    parser.add_argument(
        "--twice",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of tasks that are delivered twice, as production may",
    )
    parser.add_argument("--sweep-url", help="POST a task here once a minute")
    parser.add_argument("--sweep-queue", default=QUEUE)
    parser.add_argument("--sweep-audience")
    parser.add_argument("--sweep-account", default="sweep@localhost")
    return parser
