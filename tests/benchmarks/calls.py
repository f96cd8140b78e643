"""
What each call of the API costs: Firestore's documents, and time on the embedded one.

The calls are those of the cost test, in its order, each round on a Firestore of its
own: what earlier rounds left behind would make later ones dearer.  Google's Firestore
answers from farther away; what it bills is the same.
"""

import math
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any, Final

import grpc

from spaces.adapters.firestore.client import BoundedClient
from tests.billed_calls import Bill, every_call
from tests.firestore_world import FirestoreWorld
from tests.integration.functions.conftest import started, stopped

ROUNDS: Final = 20
EMULATOR: Final = "FIRESTORE_EMULATOR_HOST"


def run() -> list[dict[str, Any]]:
    """Measure every call and return rows of `bench.json`."""
    counted: dict[str, tuple[int, int, int]] = {}
    took_s: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        bill = _round()
        counted |= bill.counted
        for name, times in bill.took_s.items():
            took_s.setdefault(name, []).extend(times)
    return [_row(name, counted[name], took_s[name]) for name in sorted(counted)]


def _round() -> Bill:
    with tempfile.TemporaryDirectory() as data:
        server, address = started("firestore", Path(data))
        os.environ[EMULATOR] = address
        client: Any = BoundedClient(project="demo-parley")
        try:
            with grpc.insecure_channel(address) as counter:
                world = FirestoreWorld(client)
                bill = Bill(world, counter)
                every_call(bill, world, client)
                return bill
        finally:
            client.close()
            del os.environ[EMULATOR]
            stopped(server)


def _row(
    name: str, counted: tuple[int, int, int], took_s: list[float]
) -> dict[str, Any]:
    reads, writes, deletes = counted
    times_ms = sorted(each * 1e3 for each in took_s)
    p95_ms = times_ms[math.ceil(0.95 * len(times_ms)) - 1]
    return {
        "name": f"{name}: {reads} reads + {writes} writes + {deletes} deletes",
        "value": statistics.median(times_ms),
        "unit": "ms, p50",
        "spread": f"p95 {p95_ms:.1f} ms of {len(times_ms)}",
    }
