"""Child processes that never outlive the supervisor, and their logs."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .stack import REPOSITORY

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
MAX_LOG_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """
    How to start one child.

    Args:
        name: Also its log's: `logs/NAME.log`.
        arguments: What follows the Python interpreter.
        environment: All of it.
        descriptors: Sockets it inherits under the same numbers.
        grace_s: From `stop_signal` to SIGKILL.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    grace_s: float = 5.0
    stop_signal: signal.Signals = signal.SIGTERM


class ChildProcess:
    """
    One run of a `ProcessSpec`.

    Lifecycle: `start()` once, then `wait()` or `stop()` any number of times.  The
    kernel kills the child when the supervisor dies, however that comes (Linux).
    """

    def __init__(self, spec: ProcessSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Process id, also after its end."""
        return self._started().pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; -N when signal N ended it."""
        return self._started().returncode

    async def start(self) -> None:
        """
        Spawn it in a session of its own: a terminal's Ctrl-C is the supervisor's.

        Raises:
            OSError: the log cannot be opened, or the machine has no more processes.
        """
        rotate(self.log)
        with self.log.open("ab", buffering=0) as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.spec.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=self.spec.environment,
                cwd=REPOSITORY,
                pass_fds=self.spec.descriptors,
                start_new_session=True,
                preexec_fn=dies_with(os.getpid()),
            )

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        return await self._started().wait()

    async def stop(self) -> None:
        """Ask it to end; after `grace_s`, SIGKILL; return when it is gone."""
        process = self._started()
        if process.returncode is None:
            self._signal(self.spec.stop_signal)
            try:
                async with asyncio.timeout(self.spec.grace_s):
                    await process.wait()
            except TimeoutError:
                pass
            finally:
                # Also when the stop is cut short by a second Ctrl-C: none is left.
                self.kill()
        await process.wait()

    def kill(self) -> None:
        """Send SIGKILL, to its whole session: its own children go with it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        process = self._started()
        target = os.killpg if number is signal.SIGKILL else os.kill
        with contextlib.suppress(ProcessLookupError):
            target(process.pid, number)

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.spec.name} was not started")
        return self._process


def dies_with(parent: int) -> Callable[[], None]:
    """Return a hook for between fork and exec: the child dies with `parent`."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork

    def hook() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def describe_exit(code: int) -> str:
    """Return an exit code in words: the signal's name where one ended it."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def rotate(log: Path, *, limit_bytes: int = MAX_LOG_BYTES) -> None:
    """
    Move a log that has grown beyond the limit to NAME.log.1, in place.

    The file is emptied and not renamed: its writer appends to an open descriptor.
    """
    try:
        if log.stat().st_size <= limit_bytes:
            return
    except FileNotFoundError:
        return
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
