"""Who loads what is measured, on which core, and what that costs."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psutil

from tests.crowd import Crowd

SLICES: Final = 6
SLICE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Load:
    """
    CPU of some processes while they served, slice by slice.

    Args:
        cores: CPU seconds a second.
        packets_a_second: Sent to listeners.
        ptime_ms: Of each packet.
    """

    cores: list[float]
    packets_a_second: list[float]
    ptime_ms: int = 20

    @property
    def us_a_packet(self) -> list[float]:
        """CPU for each packet, one value a slice."""
        pairs = zip(self.cores, self.packets_a_second, strict=True)
        return [1e6 * cores / packets for cores, packets in pairs]

    @property
    def listeners_a_core(self) -> list[float]:
        """Listeners that one core carries, one value a slice, by packets sent."""
        return [1_000 * self.ptime_ms / us for us in self.us_a_packet]


async def crowd_in(
    stack: contextlib.AsyncExitStack, host: str = "127.0.0.1", *, reads: bool = False
) -> Crowd:
    """Return a crowd that is kept alive until the stack is closed."""
    crowd = Crowd(host, reads=reads)
    stack.callback(crowd.close)
    alive = asyncio.create_task(crowd.keep_alive(), name="crowd")
    stack.callback(alive.cancel)
    return crowd


async def watched(
    processes: Sequence[psutil.Process],
    packets: Any,
    *,
    slices: int = SLICES,
    slice_s: float = SLICE_S,
    ptime_ms: int = 20,
) -> Load:
    """Watch CPU and packets for some slices of time."""
    load = Load([], [], ptime_ms)
    for _ in range(slices):
        before_s, began_s = cpu_s(*processes), time.monotonic()
        before = await packets()
        await asyncio.sleep(slice_s)
        sent = await packets() - before
        elapsed_s = time.monotonic() - began_s
        load.cores.append((cpu_s(*processes) - before_s) / elapsed_s)
        load.packets_a_second.append(sent / elapsed_s)
    return load


def cpu_s(*processes: psutil.Process) -> float:
    """Return what processes and all below them have used."""
    total = 0.0
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


@contextlib.contextmanager
def client_core() -> Iterator[None]:
    """Run this thread, and what it starts, where the crowd belongs."""
    with _cores_of(slice(-1, None)):
        yield


@contextlib.contextmanager
def server_core() -> Iterator[None]:
    """Run this thread, and what it starts, where what is measured belongs."""
    with _cores_of(slice(0, 1)):
        yield


_CORES: Final = sorted(os.sched_getaffinity(0))


@contextlib.contextmanager
def _cores_of(which: slice) -> Iterator[None]:
    """Run this thread, and what it starts, on some of the machine's cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _CORES[which])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
