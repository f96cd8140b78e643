"""A worker's process: what it is told, what it loads, how it ends."""

import asyncio
import functools
import importlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from spaces_tracing.spans import Fact, install, uninstall

from .agones import SidecarLost
from .config import Config, ConfigError
from .json_logs import configure
from .process_memory import limit_libraries, settle
from .start_trace import StartTrace, join_trace, process_began_ns
from .stop_signals import STOPS
from .warm import is_warm, run_warm

if TYPE_CHECKING:
    from .relay.worker import RelayWorker
    from .worker import Worker

logger = logging.getLogger("media_worker")

CONFIG_EXIT = 2


def run() -> int:
    """Run the worker; return its exit code (`epoch_life.ExitCode`)."""
    began_ns = process_began_ns()
    configure()
    limit_libraries()
    install(os.environ, "parley-worker")
    try:
        if not is_warm(os.environ):
            return asyncio.run(_to_the_end(_run_room(os.environ, began_ns)))
        # Loaded before it is ready: whoever is allocated must not wait for that.
        for module in (".worker", ".relay.worker"):
            importlib.import_module(module, __package__)
        settle()
        return asyncio.run(_to_the_end(run_warm(os.environ, _run_room)))
    except SidecarLost as error:
        logger.error("cannot start: %s", error)
        return CONFIG_EXIT
    finally:
        uninstall()


async def _to_the_end(running: Awaitable[int]) -> int:
    """Let no stop in between the loop's end and the process': traces are being told."""
    try:
        return await running
    finally:
        loop = asyncio.get_running_loop()
        for number in STOPS:
            # As it closes, the loop would set Python's own; between these two it has.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


async def _run_room(env: Mapping[str, str], began_ns: int | None = None) -> int:
    """Run a room's worker; it was warm where nobody says when it began."""
    join_trace(env)
    try:
        config = Config.from_env(env)
    except ConfigError as error:
        logger.error("cannot start: %s", error)
        return CONFIG_EXIT
    configure(config.project_id, space_id=config.space_id, epoch=config.epoch)
    start = StartTrace(
        began_ns or time.time_ns(),
        {
            Fact.SPACE_ID: config.space_id,
            Fact.EPOCH: config.epoch,
            Fact.WARM: began_ns is None,
        },
    )
    return await _run(config, start, warm=began_ns is None)


async def _run(config: Config, start: StartTrace, *, warm: bool) -> int:
    # Half a second of imports: a wrong configuration is told without them.
    from .epoch_life import ExitCode
    from .shared_parts import CannotStart, starting

    compose = _loaded(config, start)
    if not warm:  # that one has settled, and somebody waits
        settle()
    try:
        with starting():
            worker = compose()
        start.loaded()
        telling = asyncio.create_task(_tell_ready(worker, start), name="ready")
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, worker.leave)
        loop.add_signal_handler(signal.SIGINT, worker.stop)
        try:
            return await worker.run()
        finally:
            telling.cancel()
    except CannotStart as error:
        logger.error("cannot start: %s", error)
    except Exception:
        logger.exception("worker crashed")
    return ExitCode.CRASHED


async def _tell_ready(worker: "Worker | RelayWorker", start: StartTrace) -> None:
    await worker.claimed.wait()
    start.ready()


def _loaded(config: Config, start: StartTrace) -> "Callable[[], Worker | RelayWorker]":
    """Load what the worker needs, and no more; return what composes it."""
    if config.relay is None:
        from .worker import Worker

        return functools.partial(Worker, config, start)
    # It mixes and records nothing: no coder, no recorder.
    from .relay.worker import RelayWorker

    return functools.partial(RelayWorker, config, config.relay, start)
