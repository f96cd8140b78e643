"""
Hold as many Spaces as the machine takes, break things, and see what people notice.

    python -m tests.soak --minutes 15

The whole embedded stack, its object store behind an S3; each Space has three speakers
and twenty listeners.  Exit status 1: a promise of infra/observability/slos.md was not
kept, something leaked, or a process was left.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path
from unittest import mock

from tests.running_stack import start
from tests.soak.breaking import StoreProcess
from tests.soak.figures import figures
from tests.soak.report import Row, print_rows, write
from tests.soak.soak import TWICE, Options, Soak, say


def main() -> int:
    """Parse the command line, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument(
        "--spaces", type=int, help="otherwise as many as leave a third of the cores"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="otherwise a folder for the time")
    arguments = parser.parse_args()
    options = Options(
        duration_s=60 * arguments.minutes,
        spaces=arguments.spaces,
        seed=arguments.seed,
    )
    # Whoever ends it that way wants no stack left either.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with tempfile.TemporaryDirectory() as name:
        rows, soak = asyncio.run(_soak(options, arguments.data or Path(name)))
    print_rows(rows)
    for line in (*soak.lost, *soak.calls.failures):
        say(line)
    about = {
        "seed": options.seed,
        "minutes": arguments.minutes,
        "faults": soak.breaker.done,
        "lost": soak.lost,
        "failures": soak.calls.failures,
    }
    write(rows, about)
    return int(any(row.kept is False for row in rows))


async def _soak(options: Options, folder: Path) -> tuple[list[Row], Soak]:
    """Run it on a stack of its own."""
    store = StoreProcess(folder)
    try:
        await store.start()
        with mock.patch.dict(os.environ, store.settings):
            # Blocking: a Ctrl-C meanwhile must find the stack, to stop it.
            stack = start(folder, options=("--s3", "--twice", str(TWICE)))
        with stack.process:
            soak = Soak(options, stack, store)
            try:
                await soak.run()
            finally:
                left = await asyncio.to_thread(stack.stop)
        return figures(soak, len(left)), soak
    finally:
        await store.kill()


if __name__ == "__main__":
    sys.exit(main())
