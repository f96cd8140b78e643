"""
The embedded Firestore as a process.

    python -m infra.local firestore --port N --data DIR

Prints `ready HOST:PORT` on standard output once it serves, and stops on SIGTERM or
SIGINT.  The whole server runs on one event loop; only the disk is waited for in
threads, and only where `--power-safe` or a checkpoint asks for it.
"""

import argparse
import asyncio
import fcntl
import gc
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO, TypeVar

from ..ports import listen
from ..refusals import StartRefused
from ..wire.server import WireServer
from .contention import Contention
from .execution import QueryRunner
from .hub import Hub
from .indexes import Catalog
from .limits import MAX_REQUEST_BYTES
from .listen import ListenContext
from .locks import Locks
from .operations import OperationCounter
from .reads import Reads
from .rpc import firestore_routes, operations_routes
from .service import FirestoreService
from .store import Store
from .transactions import Transactions
from .upkeep import Expiry, adopt_catalog
from .writer import Writer

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

DEFAULT_INDEXES: Final = Path("infra/firestore.indexes.json")
_US_PER_S: Final = 1_000_000
_CHECKPOINT_INTERVAL_S: Final = 5.0
_PRUNE_INTERVAL_S: Final = 1.0
_EXPIRE_INTERVAL_S: Final = 10.0
_TOKEN_INTERVAL_S: Final = 30.0
_STOP_GRACE_S: Final = 1.0
_FRAMING_BYTES: Final = 1024 * 1024  # what a largest request may weigh on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    How the server behaves.

    Args:
        port: 0 for any free one.
        data: Folder for the database; made if absent, held by one process.
        indexes: The indexes file; composite indexes exist only if it lists them.
        pessimistic: Transactions lock what they read, as production's default.
        power_safe: Acknowledged writes also survive a loss of power; slower.
        history_s: How long past versions can be read and listeners can resume.
        history_rows: Most past versions kept, whatever their age.
        ttl_lag_s: How late TTL deletes documents; sweeps come at the same interval.
    """

    port: int
    data: Path
    host: str = "127.0.0.1"
    indexes: Path = DEFAULT_INDEXES
    pessimistic: bool = False
    power_safe: bool = False
    history_s: float = 3_600.0
    history_rows: int = 200_000
    ttl_lag_s: float = 60.0


def now_us() -> int:
    """Return the wall clock in microseconds since the epoch."""
    return time.time_ns() // 1_000


def lock_folder(folder: Path) -> TextIO:
    """
    Make `folder` if needed and hold it until the returned file is closed.

    Raises:
        StartRefused: it cannot be written, or another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise StartRefused(f"cannot write to {folder}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StartRefused(f"{folder} is in use by another instance") from error
    return lock


def _load_catalog(file: Path) -> Catalog:
    try:
        return Catalog.load(file)
    except (OSError, ValueError) as error:
        raise StartRefused(f"cannot read {file}: {error}") from error


class FirestoreServer:
    """
    One running server.

    Lifecycle: `start()` once, then `aclose()`, which lets calls in flight end.
    Both need the same running event loop.

    Raises:
        StartRefused: the folder, the indexes file or the port is not usable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self.port = settings.port

    async def start(self) -> None:
        """Open the data and serve."""
        settings = self._settings
        self._lock = lock_folder(settings.data)
        listener = listen(settings.host, settings.port)
        self.port = listener.getsockname()[1]
        catalog = _load_catalog(settings.indexes)
        self._open(catalog)
        self._server = WireServer(
            firestore_routes(self._service, self._listen)
            | operations_routes(self._counter),
            max_message_bytes=MAX_REQUEST_BYTES + _FRAMING_BYTES,
        )
        self._writer.start()
        await self._server.start(listener)
        self._upkeep()

    def _open(self, catalog: Catalog) -> None:
        settings = self._settings
        file = settings.data / "firestore.sqlite"
        try:
            self._store = Store(file, power_safe=settings.power_safe)
            looked_at = adopt_catalog(self._store, catalog)
        except sqlite3.Error as error:
            raise StartRefused(f"cannot open {file}: {error}") from error
        if looked_at:
            logger.info("indexes adopted", extra={"documents": looked_at})
        self._compose(QueryRunner(self._store, catalog))

    def _compose(self, runner: QueryRunner) -> None:
        settings, store = self._settings, self._store
        self._counter = counter = OperationCounter()
        self._transactions = transactions = Transactions(
            pessimistic=settings.pessimistic, now_s=time.monotonic
        )
        locks = Locks(transactions, Contention(time.monotonic))
        hub = Hub(runner, counter, version=store.last_version())
        self._writer = writer = Writer(
            runner,
            locks,
            now_us=now_us,
            published=hub.published,
            power_safe=settings.power_safe,
        )
        reads = Reads(runner, transactions, locks, writer)
        self._service = FirestoreService(
            runner, reads, writer, transactions, locks, counter
        )
        self._listen = ListenContext(hub, runner, counter, store.database_id, now_us)
        lag_us = int(settings.ttl_lag_s * _US_PER_S)
        self._expiry = Expiry(runner, writer, counter, now_us=now_us, lag_us=lag_us)

    def _upkeep(self) -> None:
        settings = self._settings
        jobs: Sequence[tuple[str, float, Callable[[], Awaitable[object]]]] = (
            ("checkpoint", _CHECKPOINT_INTERVAL_S, self._checkpoint),
            ("history", _PRUNE_INTERVAL_S, self._prune),
            ("transactions", _EXPIRE_INTERVAL_S, self._expire),
            ("tokens", _TOKEN_INTERVAL_S, self._refresh_tokens),
            ("ttl", settings.ttl_lag_s, self._expiry.sweep),
        )
        for name, interval_s, job in jobs:
            self._tasks.append(
                asyncio.create_task(_repeat(name, interval_s, job), name=name)
            )

    async def _checkpoint(self) -> None:
        if await _to_its_end(self._store.checkpoint):
            async with self._writer.held():
                await _to_its_end(self._store.restart_log)

    async def _prune(self) -> None:
        settings = self._settings
        before = now_us() - int(settings.history_s * _US_PER_S)
        await self._writer.prune(before, keep_rows=settings.history_rows)

    async def _expire(self) -> None:
        self._transactions.expire()

    async def _refresh_tokens(self) -> None:
        self._listen.refresh()

    async def wait_failed(self) -> None:
        """Return when the server was closed; raise what ended it, if it broke."""
        await self._writer.wait_closed()

    async def aclose(self) -> None:
        """Stop: no new calls, a moment for those in flight, then the files."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.aclose(_STOP_GRACE_S)
        await self._writer.aclose()
        self._store.close()
        self._lock.close()


async def _to_its_end(work: Callable[[], _T]) -> _T:
    """Run `work` in a thread; who is cancelled meanwhile is so when it has ended."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


async def _repeat(
    name: str, interval_s: float, job: Callable[[], Awaitable[object]]
) -> None:
    while True:
        await asyncio.sleep(interval_s)
        try:
            await job()
        except sqlite3.Error:
            logger.exception("upkeep failed", extra={"job": name})


async def _serve(settings: Settings, ready: TextIO) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = FirestoreServer(settings)
    await server.start()
    gc.freeze()  # what the start made lives as long as the process
    ready.write(f"ready {settings.host}:{server.port}\n")
    ready.flush()
    stopped = asyncio.create_task(stop.wait(), name="stop")
    failed = asyncio.create_task(server.wait_failed(), name="failed")
    await asyncio.wait((stopped, failed), return_when=asyncio.FIRST_COMPLETED)
    await server.aclose()
    await failed  # whoever supervises sees the status of a server that broke


def serve(settings: Settings) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Raises:
        StartRefused: see its text.
    """
    asyncio.run(_serve(settings, sys.stdout))


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.local firestore")
    parser.add_argument("--port", type=int, required=True, help="0 for any free one")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--indexes", type=Path, default=DEFAULT_INDEXES)
    parser.add_argument("--pessimistic", action="store_true")
    parser.add_argument("--power-safe", action="store_true")
    parser.add_argument("--history-s", type=float, default=3_600.0)
    parser.add_argument("--history-rows", type=int, default=200_000)
    parser.add_argument("--ttl-lag-s", type=float, default=60.0)
    try:
        serve(Settings(**vars(parser.parse_args(argv))))
    except StartRefused as refused:
        sys.stderr.write(f"firestore: {refused}\n")
        return os.EX_CONFIG
    return 0
