"""Whole rooms through the whole stack: what a worker costs, and what listeners get."""

import asyncio
import contextlib
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from spaces_contract.roles import PeerKind
from tests import speech
from tests.api import Api
from tests.benchmarks.bare_loop import bare_loop
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.running_stack import RunningStack, running_stack

WARM_UP_S: Final = 5.0
SLICE_S: Final = 5.0
BUDGET_CPU_PERCENT: Final = 3.0
BUDGET_RSS_MB: Final = 120.0
BUDGET_GAP_MS: Final = 60.0
BUDGET_LAG_MS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Room:
    """What was measured of one room."""

    cpu_percent: list[float]  # of one core, one for each slice
    bare_percent: list[float]  # of a bare loop that sends as many packets, meanwhile
    rss_mb: float
    longest_gap_ms: float
    gaps_over_60_ms: int
    packets: int
    lag_p99_ms: float


async def measure(stack: RunningStack, speakers: int, listeners: int, s: float) -> Room:
    """Hold a room for `s` seconds after a warm-up, with recorded speech in turns."""
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(stack.url, "bench_host"))
        space_id = await host.open_space("bench", speaker_policy="everyone")
        opened.push_async_callback(host.call, "POST", f"/v1/spaces/{space_id}/end")
        for number, said in enumerate(speech.conversation(speakers)):
            api = host
            if number:
                api = await opened.enter_async_context(
                    Api(stack.url, f"bench_s{number}")
                )
            joined = await api.join(space_id, "speaker")
            speaker = LightSpeaker(api, opus_frames(said))
            opened.push_async_callback(speaker.aclose)
            await speaker.connect(joined["whip_url"], joined["grant"])
            speaker.start_talking()
            # People on stage hear their own mix-minus.
            await _listen(opened, api, joined)
        peers = []
        for number in range(listeners):
            api = await opened.enter_async_context(Api(stack.url, f"bench_l{number}"))
            peers.append(await _listen(opened, api, await api.join(space_id)))
        (worker,) = stack.workers(space_id)
        bare = await opened.enter_async_context(bare_loop(speakers + listeners))
        await asyncio.sleep(WARM_UP_S)
        return await _watch(stack, (worker, bare), peers, s)


async def _listen(
    opened: contextlib.AsyncExitStack, api: Api, joined: dict[str, Any]
) -> LightPeer:
    peer = LightPeer(api, PeerKind.WHEP)
    opened.push_async_callback(peer.aclose)
    await peer.connect(joined["whep_url"], joined["grant"])
    return peer


async def _watch(
    stack: RunningStack,
    processes: tuple[psutil.Process, psutil.Process],
    peers: list[LightPeer],
    s: float,
) -> Room:
    for peer in peers:
        peer.arrivals.reset()
    worker, _ = processes
    slices: list[list[float]] = []
    rss_bytes = 0
    for _ in range(round(s / SLICE_S)):
        before, began_s = [_cpu_s(p) for p in processes], time.monotonic()
        await asyncio.sleep(SLICE_S)
        elapsed_s = time.monotonic() - began_s
        after = [_cpu_s(p) for p in processes]
        pairs = zip(before, after, strict=True)
        slices.append([100 * (late - early) / elapsed_s for early, late in pairs])
        rss_bytes = max(rss_bytes, worker.memory_info().rss)
    metrics = await asyncio.to_thread(stack.metrics, worker)
    return Room(
        cpu_percent=[worker_percent for worker_percent, _ in slices],
        bare_percent=[bare_percent for _, bare_percent in slices],
        rss_mb=rss_bytes / 2**20,
        longest_gap_ms=1000 * max(p.arrivals.longest_gap_s for p in peers),
        gaps_over_60_ms=sum(p.arrivals.gaps_over_60_ms for p in peers),
        packets=sum(p.arrivals.packets for p in peers),
        lag_p99_ms=1000 * metrics['parley_worker_loop_lag_quantile_s{quantile="0.99"}'],
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _row(
    name: str,
    value: float,
    unit: str,
    budget: float,
    spread: Any,
    *,
    baseline: str = "budget",
) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": baseline,
        "baseline_value": budget,
        "ratio": value / budget,
        "spread": spread,
    }


def _spread(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


async def _run(stack: RunningStack) -> list[dict[str, Any]]:
    small = await measure(stack, speakers=2, listeners=5, s=30)
    stage = await measure(stack, speakers=1, listeners=13, s=60)
    name = "room 1 + 13, 60 s: "
    return [
        *_cpu_rows(small),
        _row("room 2 + 5: worker RSS", small.rss_mb, "MB", BUDGET_RSS_MB, None),
        _row(
            name + "longest gap at any listener",
            stage.longest_gap_ms,
            "ms",
            BUDGET_GAP_MS,
            f"{stage.gaps_over_60_ms} of {stage.packets} gaps over 60 ms",
        ),
        _row(name + "loop lag p99", stage.lag_p99_ms, "ms", BUDGET_LAG_MS, None),
    ]


def _cpu_rows(room: Room) -> list[dict[str, Any]]:
    """Compare with the budget, and with what the machine asks for at the least."""
    name, unit = "room 2 + 5: worker CPU", "% of a core"
    cpu, bare = map(statistics.median, (room.cpu_percent, room.bare_percent))
    spread, bare_spread = _spread(room.cpu_percent), _spread(room.bare_percent)
    return [
        _row(name, cpu, unit, BUDGET_CPU_PERCENT, spread),
        _row(name, cpu, unit, bare, f"bare {bare_spread}", baseline="bare event loop"),
    ]


def run() -> list[dict[str, Any]]:
    """Start a stack of its own and measure both rooms."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
    ):
        return asyncio.run(_run(stack))
