"""Breaks what a fault names, at its time, and says so."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psutil

from infra.local.ports import free_port
from tests.bound_process import bound
from tests.running_stack import ROOT, RunningStack
from tests.soak.faults import Fault, FaultKind
from tests.soak.live_space import LiveSpace
from tests.soak.rough_path import Weather
from tests.worker_process import until

BETWEEN_LOSSES_S: Final = 45.0  # of one Space: each is measured to its end
ACCESS: Final = {
    "AWS_ALLOW_HTTP": "true",
    "AWS_ACCESS_KEY_ID": "soak",
    "AWS_SECRET_ACCESS_KEY": "soak",
    "AWS_REGION": "us-east-1",
}


class StoreProcess:
    """`tests.soak.store`, on the same port whenever it starts again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Environment by which obstore finds it."""
        return ACCESS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}"}

    @property
    def process(self) -> list[psutil.Process]:
        """The process, if it runs."""
        if self._process is None or self._process.returncode is not None:
            return []
        return [psutil.Process(self._process.pid)]

    async def start(self) -> None:
        """Start it, and return once it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *bound(
                *(sys.executable, "-m", "tests.soak.store"),
                *("--port", str(self._port), "--folder", self._folder),
            ),
            cwd=ROOT,
        )
        await until(self._listens)

    async def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.close()
            return True
        return False

    async def kill(self) -> None:
        """End it as power loss would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Breaker:
    """
    Lifecycle: `run` once, as a task of the owner's.

    Attributes:
        done: What was broken, in order, with the seconds since the beginning.
    """

    def __init__(
        self,
        stack: RunningStack,
        store: StoreProcess,
        spaces: Sequence[LiveSpace],
        weather: Weather,
        say: Callable[[str], None],
    ) -> None:
        self.done: list[tuple[float, str]] = []
        self._stack = stack
        self._store = store
        self._spaces = spaces
        self._weather = weather
        self._say = say
        self._slow: asyncio.Task[None] | None = None

    async def run(self, faults: Sequence[Fault]) -> None:
        """Break everything in turn; return when the last is over."""
        began_s = time.monotonic()
        for fault in faults:
            await asyncio.sleep(max(0.0, began_s + fault.at_s - time.monotonic()))
            what = await self._break(fault)
            self.done.append((time.monotonic() - began_s, what))
            self._say(f"{self.done[-1][0]:6.1f} s  {what}")
        if self._slow is not None:
            await self._slow

    async def _break(self, fault: Fault) -> str:
        match fault.kind:
            case FaultKind.WORKER:
                return self._kill_worker(fault)
            case FaultKind.FIRESTORE | FaultKind.TASKS:
                word = "firestore" if fault.kind is FaultKind.FIRESTORE else "tasks"
                try:
                    self._stack.child("infra.local", word).kill()
                except LookupError:
                    return f"{word} is just starting again, and left alone"
                return fault.kind.value
            case FaultKind.STORE:
                await self._store.kill()
                await asyncio.sleep(fault.for_s)
                await self._store.start()
                return f"{fault.kind.value}, for {fault.for_s:.1f} s"
            case FaultKind.NETWORK:
                self._weather.change(fault.loss, fault.delay_s, fault.delay_s)
                if self._slow is not None:
                    self._slow.cancel()
                self._slow = asyncio.create_task(self._clear_up(fault.for_s))
                return (
                    f"{fault.kind.value} for {fault.for_s:.0f} s: "
                    f"{100 * fault.loss:.0f} % lost, {1000 * fault.delay_s:.0f} ms late"
                )

    async def _clear_up(self, for_s: float) -> None:
        await asyncio.sleep(for_s)
        self._weather.change(0.0, 0.0, 0.0)

    def _kill_worker(self, fault: Fault) -> str:
        now_s = time.time()
        whole = [
            space
            for space in self._spaces
            if not space.losses or now_s - space.losses[-1] > BETWEEN_LOSSES_S
        ]
        if not whole:
            return "no worker is killed: all were just now"
        space = whole[min(int(fault.pick * len(whole)), len(whole) - 1)]
        workers = self._stack.workers(space.id)
        if not workers:
            return f"Space {space.number} has no worker to kill"
        for worker in workers:
            worker.kill()
        space.losses.append(now_s)
        return f"{fault.kind.value}, of Space {space.number}"
