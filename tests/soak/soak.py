"""One soak: fill the machine, break things, check what is left."""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

import psutil

from tests.crowd import Crowd
from tests.running_stack import RunningStack
from tests.soak.attendee import Surroundings
from tests.soak.breaking import Breaker, StoreProcess
from tests.soak.faults import schedule
from tests.soak.live_space import SPEAKERS, LiveSpace, Setting
from tests.soak.patient_api import CallLog
from tests.soak.processes import Watch
from tests.soak.recordings import Recorded, recorded
from tests.soak.reminders import Reminders
from tests.soak.rough_path import Weather
from tests.soak.voices import Voices
from tests.worker_process import until

FREE_SHARE: Final = 1 / 3  # of all cores
BREAKING_CORES: Final = 0.1  # what faults, those who come back, and reminders take
SETTLE_S, MEASURE_S = 4.0, 6.0
TWICE: Final = 0.25  # of all tasks are delivered twice
RECORDED_EVERY: Final = 3  # each third Space
LAST_S: Final = 90.0  # for what is under way when the time is up
WORKERS_GONE_S: Final = 40.0  # recordings settle for 15 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says; without `spaces`, as many as the machine takes."""

    duration_s: float
    spaces: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Load:
    """Cores in use: by kind of process, and all of the machine's."""

    cores: dict[str, float]
    machine: float

    @property
    def total(self) -> float:
        """Cores that the stack and its clients use."""
        return sum(self.cores.values())


class Soak:
    """
    Lifecycle: `run` once, on a stack that has just started.

    Attributes:
        began_s: When the faults began, monotonic; `ended_s`: when the Spaces ended.
        lost: What was acknowledged and is gone.
    """

    def __init__(
        self, options: Options, stack: RunningStack, store: StoreProcess
    ) -> None:
        self.options = options
        self.calls = CallLog()
        self.spaces: list[LiveSpace] = []
        self.recordings: list[Recorded] = []
        self.lost: list[str] = []
        self.acknowledged = 0
        self.workers_left = 0
        self.watch = Watch(lambda: [*_tree(stack), *store.process])
        self.reminders = Reminders(stack.url, self.calls)
        self._stack = stack
        self._voices = Voices.of(SPEAKERS)
        self._crowd = Crowd()
        self._weather = Weather()
        self._setting = Setting(
            url=stack.url,
            calls=self.calls,
            around=Surroundings(self._crowd, random.Random(options.seed)),
            weather=self._weather,
            voices=self._voices.frames,
        )
        self.breaker = Breaker(stack, store, self.spaces, self._weather, say)

    async def run(self) -> None:
        """Do all of it."""
        try:
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(work, name=work.__qualname__)
                    for work in (self._crowd.keep_alive(), self.watch.run())
                ]
                await self._fill()
                await self._break()
                await self._check()
                for task in beside:
                    task.cancel()
        finally:
            for space in self.spaces:
                await space.aclose()
            self._crowd.close()

    async def _fill(self) -> None:
        """Open Spaces, each third of them recorded, while there is room for one."""
        limit = (1 - FREE_SHARE) * (os.cpu_count() or 1) - BREAKING_CORES
        while True:
            space = LiveSpace(
                self._setting,
                len(self.spaces),
                recorded=len(self.spaces) % RECORDED_EVERY == 0,
            )
            self.spaces.append(space)
            await space.open()
            if self.options.spaces is not None:
                if len(self.spaces) == self.options.spaces:
                    return
                continue
            await asyncio.sleep(SETTLE_S)
            load = await self._measured(MEASURE_S)
            say(f"{len(self.spaces)} Spaces take {load.total:.2f} cores")
            if load.total * (1 + 1 / len(self.spaces)) > limit:
                return

    async def _break(self) -> None:
        """Let people talk and things break, until the time is up."""
        duration_s = self.options.duration_s
        faults = schedule(self.options.seed, duration_s)
        say(f"{len(self.spaces)} Spaces for {duration_s:.0f} s, {len(faults)} faults")
        self.began_s = time.monotonic()
        end_s = self.began_s + duration_s
        chances = [
            random.Random(self.options.seed + 1 + n) for n in range(len(self.spaces))
        ]
        acting = [
            _started(space.act(chance))
            for space, chance in zip(self.spaces, chances, strict=True)
        ]
        waiting = [
            _started(self.reminders.run(end_s)),
            _started(self.breaker.run(faults)),
        ]
        try:
            self.load = await self._measured(duration_s)
            async with asyncio.timeout(LAST_S):
                await asyncio.gather(*waiting)
        finally:
            for task in (*acting, *waiting):
                await _stop(task)

    async def _check(self) -> None:
        """Compare with the journals, end all Spaces, and play the recordings."""
        for space in self.spaces:
            self.lost += space.journal.lost(await space.found())
            self.acknowledged += space.journal.acknowledged
        self.lost += self.reminders.untold
        self.acknowledged += self.reminders.journal.acknowledged
        self.ended_s = time.monotonic()
        await asyncio.gather(*(space.end() for space in self.spaces))
        say("all Spaces ended; waiting for the recordings")
        self.recordings = await asyncio.gather(
            *(
                recorded(space, self._voices.loops, self._voices.loop_s)
                for space in self.spaces
                if space.recorded
            )
        )
        with contextlib.suppress(TimeoutError):
            await until(lambda: not self._workers(), WORKERS_GONE_S)
        self.workers_left = self._workers()

    def _workers(self) -> int:
        return sum(len(self._stack.workers(space.id)) for space in self.spaces)

    async def _measured(self, for_s: float) -> Load:
        """Return what is in use over the next seconds."""
        await asyncio.to_thread(self.watch.look)
        before, idle_s, at_s = self.watch.cpu_s(), _idle_s(), time.monotonic()
        await asyncio.sleep(for_s)
        await asyncio.to_thread(self.watch.look)
        took_s = time.monotonic() - at_s
        cores = {
            kind: (used_s - before.get(kind, 0.0)) / took_s
            for kind, used_s in self.watch.cpu_s().items()
        }
        busy = (os.cpu_count() or 1) - (_idle_s() - idle_s) / took_s
        return Load(cores, busy)


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tree(stack: RunningStack) -> list[psutil.Process]:
    return [psutil.Process(stack.process.pid), *stack.children()]


def _idle_s() -> float:
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))


def _started(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(work, name=work.__qualname__)


async def _stop(task: asyncio.Task[Any]) -> None:
    """Cancel a task; what broke it before breaks its owner too."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
