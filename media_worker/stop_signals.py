"""Signals that ask a worker to end, and what they do before it serves."""

import signal
import sys
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


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
