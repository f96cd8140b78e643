"""
Relays: what a listener costs one relay and two, against the origin itself.

All three carry a crowd at the same time on the one core of what is measured, so that
whatever else the machine does falls on all of them.  What a worker costs without an
audience is told apart.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psutil

from tests import speech
from tests.benchmarks.bare_send import open_files
from tests.benchmarks.loads import Load, client_core, crowd_in, server_core, watched
from tests.light_clients import talking
from tests.relay_process import RelayProcess
from tests.worker_process import EmbeddedFirestore, SpaceDocuments, WorkerProcess

LISTENERS: Final = 500  # of each worker
KEPT_UP: Final = 0.98  # of what is due
PACKETS_A_SECOND: Final = 50
SETTLE_S: Final = 12.0  # until what joining needs is given back
# One process and packets of 20 ms, whatever the audience: the cost of that is compared.
SETTINGS: Final = {"PARLEY_EGRESS_FROM": "5000", "PARLEY_LONG_FRAMES_FROM": "100000"}


@dataclass(frozen=True, slots=True)
class Carried:
    """
    What one worker did with its crowd.

    Args:
        idle: CPU without an audience, cores.
        hop_ms: What the way over the relay adds; 0 for the origin.
    """

    load: Load
    idle: float
    hop_ms: float = 0.0

    @property
    def added_us(self) -> float:
        """CPU that each listener's packet adds to what the worker needs for itself."""
        pairs = zip(self.load.cores, self.load.packets_a_second, strict=True)
        return statistics.median(
            1e6 * (cores - self.idle) / packets for cores, packets in pairs
        )


def run() -> list[dict[str, Any]]:
    """Measure all and return rows of `bench.json`."""
    with open_files(4 * LISTENERS), client_core():
        origin, one, other = _steady(asyncio.run(_measure()))
    rows = [
        _row(f"origin with {LISTENERS} listeners", [origin], origin),
        _row(f"1 relay with {LISTENERS}", [one], origin),
        _row(f"2 relays with {LISTENERS} each", [one, other], origin),
    ]
    return [*rows, _hop(one)]


def _steady(carried: Sequence[Carried]) -> list[Carried]:
    """
    Leave out the slices in which the machine was too busy for some packets.

    Ticks that are skipped cost nothing, and make what is left look cheap.
    """
    due = KEPT_UP * PACKETS_A_SECOND * LISTENERS
    sent = zip(*(each.load.packets_a_second for each in carried), strict=True)
    kept = [index for index, each in enumerate(sent) if min(each) >= due]
    if not kept:
        sys.stderr.write("  too busy a machine: every slice lacks packets\n")
        return list(carried)
    return [
        replace(
            each,
            load=Load(
                [each.load.cores[index] for index in kept],
                [each.load.packets_a_second[index] for index in kept],
            ),
        )
        for each in carried
    ]


def _row(name: str, carried: list[Carried], origin: Carried) -> dict[str, Any]:
    """Compare slice by slice: in each, all had the same machine."""
    slices = zip(*(each.load.us_a_packet for each in carried), strict=True)
    us = [statistics.mean(each) for each in slices]
    base = origin.load.us_a_packet
    ratios = [ours / theirs for ours, theirs in zip(us, base, strict=True)]
    added = statistics.mean(each.added_us for each in carried) / origin.added_us
    idle = 100 * statistics.mean(each.idle for each in carried)
    return {
        "name": f"CPU per listener packet, {name}",
        "value": statistics.median(us),
        "unit": "us",
        "baseline": "the origin's",
        "baseline_value": statistics.median(base),
        "ratio": statistics.median(ratios),
        "spread": f"{min(ratios):.2f}-{max(ratios):.2f}; {added:.2f} without the "
        f"{idle:.1f} % of a core that each needs for itself",
    }


def _hop(carried: Carried) -> dict[str, Any]:
    return {
        "name": f"delay that a relay adds, {LISTENERS} listeners",
        "value": carried.hop_ms,
        "unit": "ms",
        "baseline": "one block of the mix",
        "baseline_value": 20.0,
        "ratio": carried.hop_ms / 20.0,
        "spread": "half a round trip, and the median time in the relay",
    }


async def _measure() -> tuple[Carried, ...]:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        firestore = await stack.enter_async_context(EmbeddedFirestore(folder / "data"))
        documents = await stack.enter_async_context(
            SpaceDocuments.live(firestore.host, "ana")
        )
        origin = WorkerProcess(firestore.host, folder / "objects", settings=SETTINGS)
        with server_core():
            await stack.enter_async_context(origin)
        await origin.ready(documents)
        samples = speech.load(next(iter(sorted(speech.DATA.glob("*.wav")))))
        await stack.enter_async_context(talking(origin, "ana", samples))
        relays = []
        for index in range(2):
            relay = RelayProcess(
                origin,
                firestore.host,
                folder / "objects",
                index=index,
                settings=SETTINGS,
            )
            await relay.place(documents)
            with server_core():
                await stack.enter_async_context(relay)
            await relay.ready(documents)
            relays.append(relay)
        return await _carry([origin, *relays])


async def _carry(workers: Sequence[WorkerProcess]) -> tuple[Carried, ...]:
    """Let a crowd hear each worker; return what that costs each of them."""
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.sleep(SETTLE_S)
        idle = await asyncio.gather(*map(_watched, workers))
        for worker in workers:
            crowd = await crowd_in(stack)

            async def post(user: str, offer: str, to: WorkerProcess = worker) -> str:
                return (await to.post_sdp("/whep", user, offer))[0]

            await crowd.join(post, LISTENERS)
        await asyncio.sleep(SETTLE_S)
        loads = await asyncio.gather(*map(_watched, workers))
        told = [await worker.metrics() for worker in workers]
    return tuple(
        Carried(
            load,
            statistics.median(before.cores),
            1000 * metrics.get("relay_hop_delay_s", 0.0),
        )
        for load, before, metrics in zip(loads, idle, told, strict=True)
    )


async def _watched(worker: WorkerProcess) -> Load:
    async def sent() -> float:
        return (await worker.metrics())["fan_out_packets_sent_total"]

    return await watched([psutil.Process(worker.process.pid)], sent)
