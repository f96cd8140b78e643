"""`python -m media_worker`: one live Space, configured by the environment."""

import asyncio
import functools
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .agones import SidecarLost
from .config import Config, ConfigError
from .json_logs import configure
from .process_memory import limit_libraries, settle
from .warm import is_warm, run_warm

if TYPE_CHECKING:
    from .relay.worker import RelayWorker
    from .worker import Worker

logger = logging.getLogger("media_worker")

CONFIG_EXIT = 2


def main() -> int:
    """Run the worker; return its exit code (`epoch_life.ExitCode`)."""
    configure()
    limit_libraries()
    if not is_warm(os.environ):
        return asyncio.run(_run_room(os.environ))
    # Loaded before it is ready: whoever is allocated must not wait for that.
    importlib.import_module(".worker", __package__)
    try:
        return asyncio.run(run_warm(os.environ, _run_room))
    except SidecarLost as error:
        logger.error("cannot start: %s", error)
        return CONFIG_EXIT


async def _run_room(env: Mapping[str, str]) -> int:
    try:
        config = Config.from_env(env)
    except ConfigError as error:
        logger.error("cannot start: %s", error)
        return CONFIG_EXIT
    configure(space_id=config.space_id, epoch=config.epoch)
    return await _run(config)


async def _run(config: Config) -> int:
    # Half a second of imports: a wrong configuration is told without them.
    from .epoch_life import ExitCode
    from .shared_parts import CannotStart, starting

    compose = _loaded(config)
    settle()
    try:
        with starting():
            worker = compose()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, worker.stop)
        return await worker.run()
    except CannotStart as error:
        logger.error("cannot start: %s", error)
    except Exception:
        logger.exception("worker crashed")
    return ExitCode.CRASHED


def _loaded(config: Config) -> "Callable[[], Worker | RelayWorker]":
    """Load what the worker needs, and no more; return what composes it."""
    if config.relay is None:
        from .worker import Worker

        return functools.partial(Worker, config)
    # It mixes and records nothing: no coder, no recorder.
    from .relay.worker import RelayWorker

    return functools.partial(RelayWorker, config, config.relay)


if __name__ == "__main__":
    sys.exit(main())
