"""The embedded Firestore beside Google's emulator, in the same run."""

import asyncio
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.benchmarks.firestore_listeners import hear, processor_s
from tests.conformance.firestore.servers import (
    Client,
    ParleyFirestore,
    client,
    emulator_jar,
    running,
    running_emulator,
)

BASELINE: Final = "Google's emulator"
ROUNDS: Final = 3
THREADS: Final = 8
CALLS: Final = 100  # of each thread in a round
PAGE: Final = 20
BATCH: Final = 500
SMALL: Final = 10_000
LARGE: Final = 100_000
PAGES: Final = 30
CHANGES: Final = 50
_serial = itertools.count()


def run() -> list[dict[str, Any]]:
    """Measure; answer rows of `bench.json`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(folder))
        ours = stack.enter_context(client(server.address, "demo-bench"))
        theirs = None
        jar = emulator_jar()
        if jar is not None:
            address = stack.enter_context(running_emulator(jar))
            theirs = stack.enter_context(client(address, "demo-bench"))
        rows = [_compare(name, ours, theirs) for name in _RATES]
        rows.append(_compare_latency(ours, theirs))
        rows += [_page_time(ours, SMALL), _page_time(ours, LARGE)]
        rows.append(_contended(ours))
        rows += asyncio.run(_listeners(server))
    return rows


def _parallel(call: Callable[[int, int], object]) -> float:
    """Return calls per second of all threads together."""

    def work(thread: int) -> None:
        for number in range(CALLS):
            call(thread, number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    started_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return THREADS * CALLS / (time.perf_counter() - started_s)


def _set(db: Client) -> float:
    data = {"n": 1, "state": "live", "at": firestore.SERVER_TIMESTAMP}
    return _parallel(lambda t, n: db.document(f"rooms/{t}-{n}").set(data))


def _get(db: Client) -> float:
    return _parallel(lambda t, n: db.document(f"rooms/{t}-{n}").get())


def _query(db: Client) -> float:
    query = db.collection("rooms").where(filter=FieldFilter("state", "==", "live"))
    return _parallel(lambda t, n: query.limit(PAGE).get())


def _transaction(db: Client) -> float:
    def increment(thread: int, number: int) -> None:
        document = db.document(f"counters/{thread}")

        @firestore.transactional
        def body(transaction: firestore.Transaction) -> None:
            found = document.get(transaction=transaction)
            n = found.get("n") if found.exists else 0
            transaction.set(document, {"n": n + 1})

        body(db.transaction())

    return _parallel(increment)


_RATES: Final = {
    "firestore set": _set,
    "firestore get": _get,
    "firestore transaction": _transaction,
    f"firestore query, page of {PAGE}": _query,
}


def _compare(name: str, ours: Client, theirs: Client | None) -> dict[str, Any]:
    # Turn about, so that what else the machine does falls on both alike.
    samples: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        samples[0].append(_RATES[name](ours))
        if theirs is not None:
            samples[1].append(_RATES[name](theirs))
    return _row(name, "1/s", *samples)


def _row(
    name: str, unit: str, ours: list[float], theirs: list[float] | None = None
) -> dict[str, Any]:
    value = statistics.median(ours)
    baseline = statistics.median(theirs) if theirs else None
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": BASELINE if theirs else None,
        "baseline_value": baseline,
        "ratio": value / baseline if baseline else None,
        "spread": max(ours) - min(ours),
    }


def _compare_latency(ours: Client, theirs: Client | None) -> dict[str, Any]:
    baseline = _latencies_ms(theirs) if theirs is not None else None
    return _row("firestore listen latency", "ms", _latencies_ms(ours), baseline)


def _latencies_ms(db: Client) -> list[float]:
    """Return the time from a set to the snapshot that has it, for some changes."""
    document = db.document("listened/one")
    heard = threading.Semaphore(0)
    watch = document.on_snapshot(lambda *_: heard.release())
    heard.acquire(timeout=10)
    found = []
    for _ in range(CHANGES):
        started_s = time.perf_counter()
        document.set({"n": next(_serial)})
        heard.acquire(timeout=10)
        found.append((time.perf_counter() - started_s) * 1_000)
    watch.unsubscribe()
    return found


def _page_time(db: Client, documents: int) -> dict[str, Any]:
    """Measure a page from the middle of a collection of so many documents."""
    collection = db.collection(f"of{documents}")
    for start in range(0, documents, BATCH):
        batch = db.batch()
        for number in range(start, start + BATCH):
            data = {"n": number * 7_919 % documents, "title": "x" * 60}
            batch.set(collection.document(f"r{number:06}"), data)
        batch.commit()
    query = collection.order_by("n").start_at({"n": documents // 2}).limit(PAGE)
    found = []
    for _ in range(PAGES):
        started_s = time.perf_counter()
        query.get()
        found.append((time.perf_counter() - started_s) * 1_000)
    return _row(f"firestore page of {PAGE} from {documents:,}", "ms", found)


def _contended(db: Client) -> dict[str, Any]:
    """Measure 32 threads that each increment one document 20 times."""
    document = db.document("contended/one")
    document.set({"n": 0})

    @firestore.transactional
    def increment(transaction: firestore.Transaction) -> None:
        n = document.get(transaction=transaction).get("n")
        transaction.update(document, {"n": n + 1})

    def work() -> None:
        for _ in range(20):
            increment(db.transaction())

    threads = [threading.Thread(target=work) for _ in range(32)]
    started_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - started_s
    counted = document.get().get("n")
    return _row(f"firestore 32 x 20 increments ({counted} counted)", "s", [took_s])


async def _listeners(server: ParleyFirestore) -> list[dict[str, Any]]:
    before_s = processor_s(server.pid)
    result = await hear(server.address, listeners=200, writes_per_s=100, seconds=5)
    used_us = (processor_s(server.pid) - before_s) * 1_000_000
    name = f"firestore 200 listeners, 100 writes/s ({result.missing} lost)"
    p95_ms = statistics.quantiles(result.latencies_ms, n=20)[-1]
    return [
        _row(f"{name}, p95", "ms", [p95_ms]),
        _row(
            "firestore server's processor per delivery",
            "us",
            [used_us / len(result.latencies_ms)],
        ),
    ]
