"""
Whether the embedded Firestore's memory grows under steady load.

    python -m tests.benchmarks.firestore_memory --minutes 10

Prints the server's resident memory each 30 s and, at the end, its slope over the second
half; the status is 1 where that is over the bound.  The first half fills caches.  The
history is the server's default, one hour of it: it grows on disk alone.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from google.cloud.firestore_v1.base_query import FieldFilter

from tests.benchmarks.firestore import increment
from tests.conformance.firestore.servers import Client, client, running
from tests.fuzz.firestore.listening import Listener

OPERATIONS_PER_S: Final = 100
SAMPLE_S: Final = 5.0
PRINT_S: Final = 30.0
DOCUMENTS: Final = 500
PAGE: Final = 20
LISTENERS: Final = 8  # a stream of one after the other is cut and resumed
RESUME_EVERY: Final = 50  # operations
MAX_SLOPE_MIB_PER_MIN: Final = 0.5
_Sample = tuple[float, float]  # minutes since the start, MiB


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def slope_mib_per_min(samples: list[_Sample]) -> float:
    """Return the slope of the line through the second half of the samples."""
    half = samples[(len(samples) - 1) // 2 :]
    minutes, sizes = [at for at, _ in half], [size for _, size in half]
    return statistics.linear_regression(minutes, sizes).slope


def _load(db: Client) -> Iterator[None]:
    """Make one operation at each step: a mix of all that the server does."""
    rooms = db.collection("rooms")
    live = rooms.where(filter=FieldFilter("live", "==", True))
    listeners = [_listener(db, live.limit(n + 1)) for n in range(LISTENERS)]
    for listener in listeners:
        listener.open()
    calls: tuple[Callable[[int], object], ...] = (
        lambda n: rooms.document(f"r{n}").set(_data(n)),
        lambda n: rooms.document(f"r{n}").get(),
        lambda n: live.limit(PAGE).get(),
        lambda n: live.count().get(),
        lambda n: rooms.document(f"r{n * 7 % DOCUMENTS}").delete(),
        lambda n: increment(db, f"counters/c{n % PAGE}"),
    )
    try:
        for number in itertools.count():
            calls[number % len(calls)](number * 31 % DOCUMENTS)
            if number % RESUME_EVERY == 0:
                again = listeners[number // RESUME_EVERY % LISTENERS]
                again.close()
                again.open()
            yield
    finally:
        for listener in listeners:
            listener.close()


def _listener(db: Client, query: Any) -> Listener:
    parent, _ = query._parent._parent_info()
    asked = {"parent": parent, "structured_query": query._to_protobuf()}
    return Listener(db, {"query": asked})


def _data(number: int) -> dict[str, Any]:
    return {"live": number % 3 > 0, "n": number, "title": "x" * 200}


def measure(minutes: float, out: Callable[[str], object]) -> list[_Sample]:
    """Load a server of our own for so long; return samples of its memory."""
    samples: list[_Sample] = []
    printed_s = -PRINT_S
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as server,
        client(server.address, "demo-memory") as db,
    ):
        started_s = time.monotonic()
        for number, _ in enumerate(_load(db)):
            now_s = time.monotonic() - started_s
            if now_s >= len(samples) * SAMPLE_S:
                samples.append((now_s / 60, resident_mib(server.pid)))
                if now_s - printed_s >= PRINT_S:
                    printed_s = now_s
                    out(f"{now_s:5.0f} s  {samples[-1][1]:7.1f} MiB  {number} calls\n")
            if now_s >= minutes * 60 and len(samples) > 1:
                return samples
            time.sleep(max(0.0, number / OPERATIONS_PER_S - now_s))
    raise AssertionError("the load does not end by itself")


def main() -> int:
    """Run the command; the status tells whether memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    samples = measure(parser.parse_args().minutes, sys.stdout.write)
    slope = slope_mib_per_min(samples)
    sys.stdout.write(
        f"firestore memory: {samples[-1][1]:.1f} MiB, second half {slope:+.2f} MiB/min"
        f" (bound {MAX_SLOPE_MIB_PER_MIN:.1f})\n"
    )
    return 1 if slope > MAX_SLOPE_MIB_PER_MIN else 0


if __name__ == "__main__":
    sys.exit(main())
