"""
Listeners: what a crowd costs a real worker, against the kernel's floor and aiortc.

The worker (or aiortc) has one core, this process with the crowd another, where the
machine has two.  CPU is user + system time of all processes of what is measured.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from tests import speech
from tests.benchmarks.bare_send import bare_us, open_files
from tests.benchmarks.loads import (
    Load,
    client_core,
    cpu_s,
    crowd_in,
    server_core,
    watched,
)
from tests.bound_process import bound
from tests.crowd import Crowd
from tests.light_clients import talking
from tests.media_endpoint import address_of_this_machine
from tests.worker_process import EmbeddedFirestore, SpaceDocuments, WorkerProcess

LISTENERS: Final = 1_000
STORM: Final = 500
STORM_S: Final = 5.0
MEMORY_LISTENERS: Final = 2_000
LONG_FRAMES_FROM: Final = 1_750
EGRESSES: Final = 2  # that there may be; all share the worker's one core here
SAMPLED: Final = 20
SETTLE_S: Final = 3.0
REST_S: Final = 12.0  # until what joining needs is given back
JOINS: Final = 100  # measured for CPU, one after the other
PACKETS_A_SECOND: Final = 50
SATURATED: Final = 0.85  # of a core
KEPT_UP: Final = 0.95  # of what is due; below, a busy machine gives it no whole core
STEPS: Final = {"frames": (50, 10), "packets": (140, 20)}  # first crowd, then more by
# At the room's pace: of a socket as it comes, and of one that has our port's option.
FLOORS: Final = {"bare sendmmsg": False, "bare sendmmsg, nothing may be split": True}
BUDGET_GAP_MS: Final = 60.0
BUDGET_KB: Final = 100.0


@dataclass(frozen=True, slots=True)
class Stock:
    """What stock aiortc does in the same run."""

    join_ms: float
    frames: list[float]  # listeners a core
    packets: list[float]
    kb_a_listener: float


@dataclass(frozen=True, slots=True)
class Ours:
    """What the worker does."""

    join_ms: float
    short: Load
    long: Load
    storm_gaps_ms: list[float]  # the longest of each sampled listener
    kb_a_listener: float


def run() -> list[dict[str, Any]]:
    """Measure all and return rows of `bench.json`."""
    with open_files(2 * MEMORY_LISTENERS), client_core():
        floors_us = _floors_us()
        ours = asyncio.run(_measure_worker())
        for floor_us, again_us in zip(floors_us, _floors_us(), strict=True):
            floor_us.extend(again_us)
        stock = asyncio.run(_measure_stock())
    return [*_cost_rows(ours, stock, floors_us), *_crowd_rows(ours, stock)]


def _cost_rows(
    ours: Ours, stock: Stock, floors_us: list[list[float]]
) -> Iterator[dict[str, Any]]:
    for name, floor_us in zip(FLOORS, floors_us, strict=True):
        yield _row(
            f"CPU per listener packet, {LISTENERS} listeners",
            ours.short.us_a_packet,
            "us",
            name,
            statistics.median(floor_us),
            f"bare {min(floor_us):.2f}-{max(floor_us):.2f}",
        )
    short = ours.short.listeners_a_core
    for name, baseline in (("frames", stock.frames), ("packets", stock.packets)):
        yield _row(
            f"listeners per core, 20 ms, {LISTENERS} listeners",
            short,
            "listeners",
            f"stock aiortc, MediaRelay of {name}",
            statistics.median(baseline),
            f"aiortc {min(baseline):.0f}-{max(baseline):.0f}",
        )
    yield _row(
        f"listeners per core, 60 ms, {MEMORY_LISTENERS} listeners",
        ours.long.listeners_a_core,
        "listeners",
        f"our own 20 ms at {LISTENERS}",
        statistics.median(short),
    )


def _crowd_rows(ours: Ours, stock: Stock) -> Iterator[dict[str, Any]]:
    yield _row("CPU per join", [ours.join_ms], "ms", "stock aiortc", stock.join_ms)
    yield _row(
        f"{STORM} join within {STORM_S:.0f} s, {LISTENERS} listen: longest gap",
        [max(ours.storm_gaps_ms)],
        "ms",
        "budget",
        BUDGET_GAP_MS,
        f"{SAMPLED} sampled, {min(ours.storm_gaps_ms):.0f} at the best",
    )
    yield _row(
        f"memory per listener at {MEMORY_LISTENERS}",
        [ours.kb_a_listener],
        "KB",
        "budget",
        BUDGET_KB,
        f"stock aiortc {stock.kb_a_listener:.0f} KB",
    )


def _row(
    name: str,
    values: list[float],
    unit: str,
    baseline: str,
    baseline_value: float,
    note: str = "",
) -> dict[str, Any]:
    value = statistics.median(values)
    spread = f"{min(values):.3g}-{max(values):.3g}" if len(values) > 1 else ""
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": baseline,
        "baseline_value": baseline_value,
        "ratio": value / baseline_value,
        "spread": "; ".join(part for part in (spread, note) if part) or None,
    }


async def _measure_worker() -> Ours:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        firestore = await stack.enter_async_context(EmbeddedFirestore(folder / "data"))
        documents = await stack.enter_async_context(
            SpaceDocuments.live(firestore.host, "ana")
        )
        worker = WorkerProcess(
            firestore.host,
            folder / "objects",
            egresses=EGRESSES,
            settings={"PARLEY_LONG_FRAMES_FROM": str(LONG_FRAMES_FROM)},
        )
        with server_core():
            await stack.enter_async_context(worker)
        await worker.ready(documents)
        crowd = await crowd_in(stack)
        samples = speech.load(next(iter(sorted(speech.DATA.glob("*.wav")))))
        await stack.enter_async_context(talking(worker, "ana", samples))
        return await _with_speaker(worker, crowd)


async def _with_speaker(worker: WorkerProcess, crowd: Crowd) -> Ours:
    process = psutil.Process(worker.process.pid)

    async def post(user_id: str, offer: str) -> str:
        return (await worker.post_sdp("/whep", user_id, offer))[0]

    async def sent() -> float:
        return (await worker.metrics())["fan_out_packets_sent_total"]

    await asyncio.sleep(SETTLE_S)
    empty_bytes = _rss_bytes(process)
    join_ms = await _join_ms(process, crowd, post)
    await crowd.join(post, LISTENERS - JOINS, sampled=SAMPLED)
    await asyncio.sleep(REST_S)
    _note("20 ms frames")
    short = await watched([process], sent)
    _note("join storm")
    for member in crowd.sampled:
        member.drain()
        member.arrivals.reset()
    await crowd.join(post, STORM, within_s=STORM_S)
    await asyncio.sleep(1.0)
    for member in crowd.sampled:
        member.drain()
    gaps_ms = [1000 * member.arrivals.longest_gap_s for member in crowd.sampled]
    await crowd.join(post, MEMORY_LISTENERS - LISTENERS - STORM)
    await asyncio.sleep(REST_S)
    kb = (_rss_bytes(process) - empty_bytes) / MEMORY_LISTENERS / 1024
    _note("60 ms frames")
    long = await watched([process], sent, ptime_ms=60)
    return Ours(join_ms, short, long, gaps_ms, kb)


async def _measure_stock() -> Stock:
    join_ms = kb = 0.0
    async with _stock("silent") as (process, crowd, post):
        await crowd.join(post, 10)  # what is loaded once is no join's cost
        empty_bytes = _rss_bytes(process)
        join_ms = await _join_ms(process, crowd, post)
        kb = (_rss_bytes(process) - empty_bytes) / JOINS / 1024
    return Stock(join_ms, await _saturate("frames"), await _saturate("packets"), kb)


async def _saturate(mode: str) -> list[float]:
    """Return listeners a core, with as many as keep the core busy."""
    _note(f"aiortc, {mode}")
    first, more = STEPS[mode]
    async with _stock(mode) as (process, crowd, post):

        async def received() -> float:
            return crowd.packets

        await crowd.join(post, first)
        while True:
            await asyncio.sleep(1.0)
            load = await watched([process], received, slices=1, slice_s=2.0)
            due = PACKETS_A_SECOND * len(crowd.members)
            if load.cores[0] >= SATURATED or load.packets_a_second[0] < KEPT_UP * due:
                break
            await crowd.join(post, more)
        return (await watched([process], received)).listeners_a_core


@contextlib.asynccontextmanager
async def _stock(mode: str) -> AsyncIterator[tuple[psutil.Process, Crowd, Any]]:
    async with contextlib.AsyncExitStack() as stack:
        with server_core():
            server = await asyncio.create_subprocess_exec(
                *bound(sys.executable, "-m", "tests.benchmarks.stock_aiortc", mode),
                stdout=asyncio.subprocess.PIPE,
            )
        stack.push_async_callback(server.wait)
        stack.callback(server.kill)
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().split()[1]
        http = await stack.enter_async_context(aiohttp.ClientSession())
        crowd = await crowd_in(stack, address_of_this_machine(), reads=True)

        async def post(_: str, offer: str) -> str:
            async with http.post(url, data=offer) as response:
                response.raise_for_status()
                return await response.text()

        yield psutil.Process(server.pid), crowd, post


async def _join_ms(process: psutil.Process, crowd: Crowd, post: Any) -> float:
    """Return CPU for each of `JOINS` joins, above what the time costs anyway."""
    (before,) = await _cores(process, 1)
    began_s, began_cpu_s = time.monotonic(), cpu_s(process)
    await crowd.join(post, JOINS, at_once=4)
    elapsed_s, spent_s = time.monotonic() - began_s, cpu_s(process) - began_cpu_s
    (after,) = await _cores(process, 1)
    return 1000 * (spent_s - elapsed_s * (before + after) / 2) / JOINS


async def _cores(process: psutil.Process, slices: int) -> list[float]:
    async def nothing() -> float:
        return 0.0

    return (await watched([process], nothing, slices=slices)).cores


def _rss_bytes(process: psutil.Process) -> float:
    children = process.children(recursive=True)
    return float(sum(each.memory_info().rss for each in (process, *children)))


def _floors_us() -> list[list[float]]:
    """Return the rounds of each of `FLOORS`."""
    with server_core():
        return [bare_us(LISTENERS, unsplit=unsplit) for unsplit in FLOORS.values()]


def _note(text: str) -> None:
    sys.stderr.write(f"  {text} …\n")
