"""What the stack's processes and the clients use, and whether any of them leaks."""

import asyncio
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil

SAMPLE_EVERY_S: Final = 5.0
WARM_UP_S: Final = 60.0  # of each process: what it loads at first is no leak
SHORTEST_S: Final = 60.0  # of the samples that say something
CLIENTS: Final = "clients"
STORE: Final = "object store"
OURS: Final = frozenset({CLIENTS, STORE})  # stand-ins, and no part of Parley
# Words of the command line, the more telling first.
KINDS: Final = (
    ("media_worker.recording", "render"),
    ("media_worker", "worker"),
    ("infra.local.gateway", "gateway"),
    ("infra.local.functions_server", "functions"),
    ("firestore", "firestore"),
    ("tasks", "tasks"),
    ("tests.soak.store", STORE),
    ("infra.local", "supervisor"),
)
# From the first to the last third of what is looked at.
MOST_GROWTH: Final = {"rss_mb": 8.0, "descriptors": 8.0, "threads": 4.0}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one process."""

    at_s: float
    cpu_s: float
    rss_mb: float
    descriptors: float
    threads: float


@dataclass(frozen=True, slots=True)
class Growth:
    """How much the worst process of a kind has grown in one thing."""

    kind: str
    thing: str
    by: float
    to: float


class Watch:
    """
    Samples processes; `run` is a task of the owner's.

    Args:
        found: All processes of the stack, as they are now.

    Attributes:
        samples: Of each process, by kind, id and when it started.
        most: How many of a kind there were at the same time.
    """

    def __init__(self, found: Callable[[], list[psutil.Process]]) -> None:
        self._found = found
        self.samples: defaultdict[tuple[str, int, float], list[Sample]] = defaultdict(
            list
        )
        self._known: dict[tuple[int, float], str] = {}
        self.most: defaultdict[str, int] = defaultdict(int)

    async def run(self) -> None:
        """Look every five seconds, for ever."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def look(self) -> None:
        """Look once."""
        now_s = time.monotonic()
        counts: defaultdict[str, int] = defaultdict(int)
        for process in [*self._found(), psutil.Process()]:
            try:
                kind = self._kind(process)
                key = (kind, process.pid, process.create_time())
                self.samples[key].append(_sample(process, now_s))
            except psutil.Error:
                continue  # it has just ended
            counts[kind] += 1
        for kind, count in counts.items():
            self.most[kind] = max(self.most[kind], count)

    def cpu_s(self) -> dict[str, float]:
        """Return seconds of CPU by kind, of all that were ever seen."""
        used: defaultdict[str, float] = defaultdict(float)
        for (kind, *_), samples in list(self.samples.items()):  # a thread looks on
            used[kind] += samples[-1].cpu_s
        return dict(used)

    def growths(self, began_s: float, ended_s: float) -> list[Growth]:
        """Return by kind and thing what of Parley's grew most in the second half."""
        half_s = (began_s + ended_s) / 2
        worst: dict[tuple[str, str], Growth] = {}
        for (kind, *_), samples in self.samples.items():
            if kind in OURS:
                continue
            from_s = max(half_s, samples[0].at_s + WARM_UP_S)
            seen = [each for each in samples if from_s <= each.at_s <= ended_s]
            if not seen or seen[-1].at_s - seen[0].at_s < SHORTEST_S:
                continue
            for thing in MOST_GROWTH:
                growth = _growth(kind, thing, seen)
                before = worst.get((kind, thing))
                if before is None or before.by < growth.by:
                    worst[kind, thing] = growth
        return list(worst.values())

    def _kind(self, process: psutil.Process) -> str:
        if process.pid == os.getpid():
            return CLIENTS
        key = (process.pid, process.create_time())
        if key not in self._known:
            words = process.cmdline()
            self._known[key] = next(
                (name for word, name in KINDS if word in words), "other"
            )
        return self._known[key]


def _sample(process: psutil.Process, now_s: float) -> Sample:
    with process.oneshot():
        times = process.cpu_times()
        return Sample(
            at_s=now_s,
            cpu_s=times.user + times.system,
            rss_mb=process.memory_info().rss / 1e6,
            descriptors=process.num_fds(),
            threads=process.num_threads(),
        )


def _growth(kind: str, thing: str, seen: list[Sample]) -> Growth:
    third = max(1, len(seen) // 3)
    first, last = (
        [getattr(each, thing) for each in part]
        for part in (seen[:third], seen[-third:])
    )
    # A leak raises both; what comes and goes, and what is cut off for a while, one.
    usual = statistics.median(last) - statistics.median(first)
    return Growth(kind, thing, min(usual, min(last) - min(first)), max(last))
