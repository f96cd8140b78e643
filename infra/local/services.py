"""A child that is always there: started, waited for, and restarted when it dies."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from . import ports
from .processes import ChildProcess, ProcessSpec, describe_exit, rotate
from .refusals import StartRefused

logger = logging.getLogger(__name__)

_FIRST_START_S: Final = 60.0  # a cold machine compiles every imported module first
_PROBE_INTERVAL_S: Final = 0.02
_FIRST_BACK_OFF_S: Final = 0.1
_LAST_BACK_OFF_S: Final = 5.0
_STEADY_S: Final = 30.0  # having run as long as this, its next death is a new story

Probe = Callable[[], Awaitable[None]]


class Service:
    """
    One child process of the stack, restarted on the same address with back-off.

    Lifecycle: `start()` once, then `keep_running()` until cancelled, then `aclose()`.

    Args:
        ready: Returns when the child answers; raises OSError while it does not.
    """

    def __init__(self, spec: ProcessSpec, *, ready: Probe, logs: Path) -> None:
        self._spec = spec
        self._ready = ready
        self._log = logs / f"{spec.name}.log"
        self._child: ChildProcess | None = None
        self.restarts = 0

    @property
    def name(self) -> str:
        """The child's name."""
        return self._spec.name

    async def start(self) -> None:
        """
        Start the child and return when it answers.

        Raises:
            StartRefused: it ended, or did not answer in time.
        """
        child = await self._spawn()
        ended = asyncio.create_task(child.wait(), name=f"wait-{self.name}")
        ready = asyncio.create_task(self._answers(), name=f"ready-{self.name}")
        try:
            await asyncio.wait(
                (ended, ready),
                timeout=_FIRST_START_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not ready.done():
                how = "ended" if ended.done() else "did not answer"
                raise StartRefused(f"{self.name} {how} at its start, see {self._log}")
        finally:
            for task in (ended, ready):
                task.cancel()
            await asyncio.wait((ended, ready))

    async def keep_running(self) -> None:
        """Restart the child whenever it ends; returns only by cancellation."""
        clock = asyncio.get_running_loop().time
        back_off_s = _FIRST_BACK_OFF_S
        while True:
            started_s = clock()
            child = self._running()
            code = await child.wait()
            child.kill()  # children of its own that it left behind
            if clock() - started_s > _STEADY_S:
                back_off_s = _FIRST_BACK_OFF_S
            logger.warning("%s ended (%s); restarting", self.name, describe_exit(code))
            await asyncio.sleep(back_off_s)
            back_off_s = min(2 * back_off_s, _LAST_BACK_OFF_S)
            self.restarts += 1
            await self._spawn()

    async def aclose(self) -> None:
        """End the child; legal in every state, any number of times."""
        if self._child is not None:
            await self._child.stop()

    def kill(self) -> None:
        """End the child at once, without grace."""
        if self._child is not None:
            self._child.kill()

    def rotate_log(self) -> None:
        """Keep the log within bounds."""
        rotate(self._log)

    async def _spawn(self) -> ChildProcess:
        child = ChildProcess(self._spec, self._log)
        try:
            await child.start()
        except OSError as error:
            raise StartRefused(f"cannot start {self.name}: {error.strerror}") from error
        self._child = child
        return child

    async def _answers(self) -> None:
        while True:
            with contextlib.suppress(OSError, EOFError):
                return await self._ready()
            await asyncio.sleep(_PROBE_INTERVAL_S)

    def _running(self) -> ChildProcess:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child


def accepts(port: int, *, address: str = ports.LOOPBACK) -> Probe:
    """Return a probe that is satisfied by an open TCP port."""

    async def probe() -> None:
        _, writer = await asyncio.open_connection(address, port)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    return probe


def answers_http(port: int, path: str) -> Probe:
    """Return a probe that is satisfied by any HTTP answer on loopback."""

    async def probe() -> None:
        reader, writer = await asyncio.open_connection(ports.LOOPBACK, port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: local\r\n\r\n".encode())
            await reader.readuntil(b"\r\n")
        finally:
            writer.close()

    return probe
