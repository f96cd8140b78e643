"""The embedded Firestore beside Google's emulator, in the same run."""

import asyncio
import functools
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

from tests.benchmarks.firestore_listeners import Heard, hear
from tests.conformance.firestore.servers import (
    Client,
    GoogleEmulator,
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
PAGES_MS: Final = 3_000  # of them together, should they be slow
CHANGES: Final = 50
LISTENERS: Final = 200
WRITES_PER_S: Final = 100
LISTENED_S: Final = 5
_serial = itertools.count()


def run() -> list[dict[str, Any]]:
    """Measure; answer rows of `bench.json`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(folder))
        ours = stack.enter_context(client(server.address, "demo-bench"))
        emulator = theirs = None
        jar = emulator_jar()
        if jar is not None:
            emulator = stack.enter_context(running_emulator(jar))
            theirs = stack.enter_context(client(emulator.address, "demo-bench"))
        rows = [_compare(name, ours, theirs) for name in _RATES]
        rows.append(_compare_once("firestore listen latency", _latencies, ours, theirs))
        for documents in (SMALL, LARGE):
            name = f"firestore page of {PAGE} from {documents:,}"
            page = functools.partial(_page_times, documents)
            rows.append(_compare_once(name, page, ours, theirs))
        rows.append(_contended(ours))
        rows += _listeners(server, emulator)
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
    return _parallel(lambda t, _: increment(db, f"counters/{t}"))


def increment(db: Client, path: str) -> None:
    """Count one up in a transaction that reads before it writes."""
    document = db.document(path)

    @firestore.transactional
    def body(transaction: firestore.Transaction) -> None:
        found = document.get(transaction=transaction)
        n = found.get("n") if found.exists else 0
        transaction.set(document, {"n": n + 1})

    body(db.transaction())


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


def _compare_once(
    name: str,
    measure: Callable[[Client], list[float]],
    ours: Client,
    theirs: Client | None,
) -> dict[str, Any]:
    baseline = measure(theirs) if theirs is not None else None
    return _row(name, "ms", measure(ours), baseline)


def _latencies(db: Client) -> list[float]:
    """Return the times in ms from a set to the snapshot that has it."""
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


def _page_times(documents: int, db: Client) -> list[float]:
    """Return the times in ms of pages from the middle of so many documents."""
    collection = db.collection(f"of{documents}")
    for start in range(0, documents, BATCH):
        batch = db.batch()
        for number in range(start, start + BATCH):
            data = {"n": number * 7_919 % documents, "title": "x" * 60}
            batch.set(collection.document(f"r{number:06}"), data)
        batch.commit()
    query = collection.order_by("n").start_at({"n": documents // 2}).limit(PAGE)
    found: list[float] = []
    while len(found) < PAGES and sum(found) < PAGES_MS:
        started_s = time.perf_counter()
        query.get()
        found.append((time.perf_counter() - started_s) * 1_000)
    return found


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


def _listeners(
    ours: ParleyFirestore, theirs: GoogleEmulator | None
) -> list[dict[str, Any]]:
    here = asyncio.run(_hear(ours))
    there = asyncio.run(_hear(theirs)) if theirs is not None else None
    lost = f"{here.missing} lost"
    if there is not None:
        lost += f", Google's {there.missing}"
    p95 = _row(
        f"firestore {LISTENERS} listeners, {WRITES_PER_S} writes/s ({lost}), p95",
        "ms",
        [here.p95_ms],
        [there.p95_ms] if there else None,
    )
    cost = _row(
        "firestore server's processor per delivery",
        "us",
        [here.server_us],
        [there.server_us] if there else None,
    )
    cost["spread"] = f"of the bench itself: {here.bench_us:.3g}"
    return [p95, cost]


async def _hear(server: ParleyFirestore | GoogleEmulator) -> Heard:
    return await hear(
        server.address,
        server.pid,
        listeners=LISTENERS,
        writes_per_s=WRITES_PER_S,
        seconds=LISTENED_S,
    )
