"""Signals that ask a worker to end: what they do before it serves, and after."""

import asyncio
import signal
import sys
from collections.abc import Awaitable
from types import FrameType
from typing import Final

STOPS: Final = (signal.SIGTERM, signal.SIGINT)


def end_while_loading() -> None:
    """
    Let a stop end the process until somebody takes it: nobody is served yet.

    Linux keeps signals without a handler from a container's first process, and Python
    by itself answers SIGINT with a traceback among the log's lines.
    """
    for number in STOPS:
        signal.signal(number, _end)


async def deaf_at_the_end(running: Awaitable[int]) -> int:
    """
    Return the exit code of what `running` is, and ignore all later stops.

    What is left then, such as handing over traces, is bounded and ends by itself.
    """
    try:
        return await running
    finally:
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
