"""`python -m media_worker`: one live Space, configured by the environment."""

import asyncio
import logging
import os
import signal
import sys

from .config import Config, ConfigError
from .json_logs import configure
from .process_memory import limit_libraries, settle

logger = logging.getLogger("media_worker")

CONFIG_EXIT = 2


def main() -> int:
    """Run the worker; return its exit code (`worker.ExitCode`)."""
    try:
        config = Config.from_env(os.environ)
    except ConfigError as error:
        configure()
        logger.error("cannot start: %s", error)
        return CONFIG_EXIT
    configure(space_id=config.space_id, epoch=config.epoch)
    limit_libraries()
    return asyncio.run(_run(config))


async def _run(config: Config) -> int:
    # Half a second of imports: a wrong configuration is told without them.
    from .worker import CannotStart, ExitCode, Worker, starting

    settle()
    try:
        with starting():
            worker = Worker(config)
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, worker.stop)
        return await worker.run()
    except CannotStart as error:
        logger.error("cannot start: %s", error)
    except Exception:
        logger.exception("worker crashed")
    return ExitCode.CRASHED


if __name__ == "__main__":
    sys.exit(main())
