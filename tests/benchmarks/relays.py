"""
Relays: what a listener costs one relay and two, against the origin itself.

The same crowd hears the origin, then a relay, then each of two relays, which share the
one core of what is measured.  What a worker costs without an audience is told apart.
"""

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests import speech
from tests.benchmarks.bare_send import open_files
from tests.benchmarks.loads import Load, client_core, crowd_in, server_core, watched
from tests.light_clients import LightSpeaker, opus_frames
from tests.relay_process import RelayProcess
from tests.worker_process import EmbeddedFirestore, SpaceDocuments, WorkerProcess

LISTENERS: Final = 500  # of each worker
SETTLE_S: Final = 12.0  # until what joining needs is given back
CONSENT_S: Final = 35.0  # then those who are silent are gone
BUDGET_RATIO: Final = 1.1
# One process and packets of 20 ms, whatever the audience: the cost of that is compared.
SETTINGS: Final = {"PARLEY_EGRESS_FROM": "5000", "PARLEY_LONG_FRAMES_FROM": "100000"}


@dataclass(frozen=True, slots=True)
class Carried:
    """
    What some workers did with the crowd.

    Args:
        idle: CPU of them together without an audience, cores.
        hop_ms: What the way over the relay adds; 0 for the origin.
    """

    load: Load
    idle: float
    hop_ms: float = 0.0

    @property
    def us_a_packet(self) -> list[float]:
        """CPU that each listener's packet adds, one value a slice."""
        pairs = zip(self.load.cores, self.load.packets_a_second, strict=True)
        return [1e6 * (cores - self.idle) / packets for cores, packets in pairs]


def run() -> list[dict[str, Any]]:
    """Measure all and return rows of `bench.json`."""
    with open_files(3 * LISTENERS), client_core():
        origin, one, two = asyncio.run(_measure())
    base = statistics.median(origin.us_a_packet)
    rows = [
        _row(f"CPU per listener packet, {name}", carried, "the origin's", base)
        for name, carried in (
            (f"origin with {LISTENERS} listeners", origin),
            (f"1 relay with {LISTENERS}", one),
            (f"2 relays with {LISTENERS} each", two),
        )
    ]
    return [*rows, _hop(one)]


def _row(
    name: str, carried: Carried, baseline: str, baseline_value: float
) -> dict[str, Any]:
    values = carried.us_a_packet
    value = statistics.median(values)
    idle = f"{100 * carried.idle:.1f} % of a core without listeners"
    return {
        "name": name,
        "value": value,
        "unit": "us",
        "baseline": baseline,
        "baseline_value": baseline_value,
        "ratio": value / baseline_value,
        "spread": f"{min(values):.3g}-{max(values):.3g}; {idle}",
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


async def _measure() -> tuple[Carried, Carried, Carried]:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        firestore = await stack.enter_async_context(EmbeddedFirestore(folder / "data"))
        documents = SpaceDocuments(firestore.host)
        stack.callback(documents.client.close)
        await documents.start()
        await documents.put_on_stage("ana", role="host")
        origin = WorkerProcess(firestore.host, folder / "objects", settings=SETTINGS)
        with server_core():
            await stack.enter_async_context(origin)
        await origin.ready(documents)
        await _talk(stack, origin)
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
        return (
            await _carry([origin]),
            await _carry(relays[:1]),
            await _carry(relays),
        )


async def _talk(stack: contextlib.AsyncExitStack, worker: WorkerProcess) -> None:
    samples = speech.load(next(iter(sorted(speech.DATA.glob("*.wav")))))
    api: Any = worker  # it signs for itself
    ana = LightSpeaker(api, opus_frames(samples))
    stack.push_async_callback(ana.aclose)
    await ana.connect("/whip", "ana")
    ana.start_talking()


async def _carry(workers: Sequence[WorkerProcess]) -> Carried:
    """Let a crowd hear each of some workers; return what that costs them together."""
    processes = [psutil.Process(worker.process.pid) for worker in workers]

    async def sent() -> float:
        told = [await worker.metrics() for worker in workers]
        return sum(each["fan_out_packets_sent_total"] for each in told)

    await asyncio.sleep(SETTLE_S)
    idle = statistics.median((await watched(processes, sent)).cores)
    async with contextlib.AsyncExitStack() as stack:
        for worker in workers:
            crowd = await crowd_in(stack)

            async def post(user: str, offer: str, to: WorkerProcess = worker) -> str:
                return (await to.post_sdp("/whep", user, offer))[0]

            await crowd.join(post, LISTENERS)
        await asyncio.sleep(SETTLE_S)
        load = await watched(processes, sent)
        metrics = await workers[0].metrics()
    # Their sessions end as those of listeners whose network is gone.
    await asyncio.sleep(CONSENT_S)
    return Carried(load, idle, 1000 * metrics.get("relay_hop_delay_s", 0.0))
