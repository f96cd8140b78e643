"""A command that ends with the process that starts it, however that ends (Linux)."""

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def bound(*command: str | Path, by: signal.Signals = signal.SIGKILL) -> tuple[str, ...]:
    """
    Return how to run `command` so that the kernel ends it when this process dies.

    A test run that is killed cleans nothing up.  The kernel goes by the thread that
    starts it: that one must not end before.  (A `preexec_fn` would do the same, but
    Python 3.12 warns of it where there are threads, which fails a test.)

    Args:
        by: What it is sent.
    """
    arguments = tuple(map(str, command))
    if not sys.platform.startswith("linux"):
        return arguments
    tie = (__file__, str(os.getpid()), str(int(by)))
    return (sys.executable, "-IS", *tie, *arguments)


def _become(parent: int, by: int, command: list[str]) -> None:
    """Become `command`, for as long as `parent` lives."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() == parent:  # else it died before the line above
        os.execvp(command[0], command)  # noqa: S606 - the caller's own command


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
