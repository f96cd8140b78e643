"""
From `start` to a worker that is ready: warm, of an Agones fleet, and cold, a process.

Real functions, task queue, Firestore and workers; the cluster's API and the pods'
sidecars are ours, and answer at once: Google's are some ms farther away.
"""

import asyncio
import contextlib
import json
import math
import os
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from google.cloud import firestore

from infra.local.folder import DataFolder
from infra.local.keys import KeyFolder, public_pem
from infra.local.ports import free_port
from spaces_contract import paths
from spaces_contract.roles import PeerKind
from tests.api import Api
from tests.fake_agones import TOKEN_PATH, FakeCluster, Labels, running_cluster
from tests.fake_sidecar import FakeSidecar, running_sidecar
from tests.light_clients import LightPeer
from tests.running_stack import RunningStack, running_stack
from tests.service_account import a_service_account
from tests.worker_process import PROJECT, WorkerProcess

WARM_STARTS: Final = 20
COLD_STARTS: Final = 5
WARM_UP: Final = 2  # the functions load their libraries when they are first asked
BUDGET_WARM_MS: Final = 500.0
PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """
    One start, in ms since its request was sent.

    Args:
        answered_ms: The API had answered.
        ready_ms: The worker's state reached whoever listens to it in Firestore.
        joined_ms: A listener who tried from then on was connected.
    """

    answered_ms: float
    ready_ms: float
    joined_ms: float


class Readiness:
    """Tells, by Firestore's own Listen, when a Space's worker is ready."""

    def __init__(self, client: Any, space_id: str) -> None:
        self._ready = threading.Event()
        self._begun = threading.Event()
        self.at_s = 0.0
        self._watch = client.document(paths.runtime_worker(space_id)).on_snapshot(
            self._changed
        )

    async def begun(self) -> None:
        """Wait until the watch runs."""
        await asyncio.to_thread(self._begun.wait, PATIENCE_S)

    async def ready(self) -> float:
        """Return when it was, as `time.perf_counter` tells it."""
        if not await asyncio.to_thread(self._ready.wait, PATIENCE_S):
            raise TimeoutError("the worker is not ready")
        return self.at_s

    async def aclose(self) -> None:
        """End the watch."""
        await asyncio.to_thread(self._watch.unsubscribe)

    def _changed(self, documents: Any, _changes: Any, _read_at: Any) -> None:
        self._begun.set()
        states = [document.get("state") for document in documents if document.exists]
        if "ready" in states and not self._ready.is_set():
            self.at_s = time.perf_counter()
            self._ready.set()


class Fleet:
    """Pods of one worker each, made one at a time, when nothing is measured."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pods: dict[str, tuple[FakeSidecar, int]] = {}
        self._told: set[asyncio.Task[None]] = set()
        self.cluster = FakeCluster(self._allocated)

    @contextlib.asynccontextmanager
    async def warm(self, data: DataFolder, firestore_host: str) -> AsyncIterator[None]:
        """Hold one warm worker more than before, for the length of a block."""
        name, port = f"w{len(self._pods)}", free_port(datagram=True)
        async with running_sidecar() as sidecar:
            settings = {
                "AGONES_SDK_HTTP_PORT": str(sidecar.port),
                "PARLEY_UDP_BINDS": json.dumps({"media-0": f"127.0.0.1:{port}"}),
                "PARLEY_SPACE_ID": "",
                "PARLEY_EPOCH": "",
                "PARLEY_UDP_ENDPOINTS": "",
                "PARLEY_LIVE_EDGE_URL": data.objects_url,
                "PARLEY_GRANT_PUBLIC_KEY": public_pem(KeyFolder(data.keys).grant_key()),
            }
            worker = WorkerProcess(firestore_host, data.objects, settings=settings)
            async with worker:
                await sidecar.called("/ready")
                await sidecar.watched()
                self._pods[name] = sidecar, port
                self.cluster.add_server(name)
                yield
                await worker.exit_code()

    def _allocated(self, name: str, labels: Labels) -> None:
        self._loop.call_soon_threadsafe(self._tell, name, dict(labels))

    def _tell(self, name: str, labels: Labels) -> None:
        sidecar, port = self._pods[name]
        ports = {"media-0": port}
        telling = asyncio.create_task(
            sidecar.allocate(labels, address="127.0.0.1", ports=ports)
        )
        self._told.add(telling)
        telling.add_done_callback(self._told.discard)


def run() -> list[dict[str, Any]]:
    """Measure both and return rows of `bench.json`."""
    warm, cold = asyncio.run(_warm_starts()), asyncio.run(_cold_starts())
    cold_ready_ms = [each.ready_ms for each in cold]
    cold_joined_ms = [each.joined_ms for each in cold]
    return [
        _row(
            f"warm worker: start to ready, budget p95 {BUDGET_WARM_MS:.0f} ms",
            [each.ready_ms for each in warm],
            cold_ready_ms,
        ),
        _row(
            "warm worker: start to a listener connected",
            [each.joined_ms for each in warm],
            cold_joined_ms,
        ),
        _row("start to its answer", [each.answered_ms for each in warm], None),
    ]


async def _warm_starts() -> list[Start]:
    fleet = Fleet()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cluster(fleet.cluster) as cluster,
        _told_of(cluster.url, Path(folder)),
        running_stack(Path(folder) / "data", module="tests.warm_stack") as stack,
    ):
        data = DataFolder((Path(folder) / "data").resolve())
        starts = []
        async with Api(stack.url, "warm_host") as host:
            for _ in range(WARM_UP + WARM_STARTS):
                async with fleet.warm(data, _firestore_of(stack)):
                    starts.append(await _start(host, stack))
        return starts[WARM_UP:]


async def _cold_starts() -> list[Start]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
    ):
        async with Api(stack.url, "cold_host") as host:
            starts = [await _start(host, stack) for _ in range(1 + COLD_STARTS)]
        return starts[1:]


@contextlib.contextmanager
def _told_of(cluster_url: str, folder: Path) -> Iterator[None]:
    """Tell the stack where the cluster is, and who asks it."""
    account = folder / "account.json"
    account.write_text(json.dumps(a_service_account(cluster_url + TOKEN_PATH)))
    told = {"WARM_CLUSTER_URL": cluster_url, "WARM_ACCOUNT": str(account)}
    with mock.patch.dict(os.environ, told):
        yield


def _firestore_of(stack: RunningStack) -> str:
    arguments = stack.child("infra.local", "firestore").cmdline()
    return f"127.0.0.1:{arguments[arguments.index('--port') + 1]}"


async def _start(host: Api, stack: RunningStack) -> Start:
    body = {"title": "Warm", "speaker_policy": "everyone"}
    space_id = str((await host.call("POST", "/v1/spaces", body))["id"])
    async with _watched(_firestore_of(stack), space_id) as readiness:
        begun_s = time.perf_counter()
        await host.call("POST", f"/v1/spaces/{space_id}/start")
        answered_s = time.perf_counter()
        joined = await host.join(space_id)
        ready_s = await readiness.ready()
    ears = LightPeer(host, PeerKind.WHEP)
    await ears.connect(joined["whep_url"], joined["grant"])
    joined_s = time.perf_counter()
    await ears.aclose()
    await host.call("POST", f"/v1/spaces/{space_id}/end")
    return Start(
        answered_ms=(answered_s - begun_s) * 1e3,
        ready_ms=(ready_s - begun_s) * 1e3,
        joined_ms=(joined_s - begun_s) * 1e3,
    )


@contextlib.asynccontextmanager
async def _watched(firestore_host: str, space_id: str) -> AsyncIterator[Readiness]:
    with mock.patch.dict(os.environ, FIRESTORE_EMULATOR_HOST=firestore_host):
        client: Any = firestore.Client(project=PROJECT)
    with contextlib.closing(client):
        readiness = Readiness(client, space_id)
        try:
            await readiness.begun()
            yield readiness
        finally:
            await readiness.aclose()


def _row(name: str, times_ms: list[float], cold_ms: list[float] | None) -> Any:
    times_ms = sorted(times_ms)
    p50_ms = statistics.median(times_ms)
    p95_ms = times_ms[math.ceil(0.95 * len(times_ms)) - 1]
    row = {
        "name": name,
        "value": p50_ms,
        "unit": "ms, p50",
        "spread": f"p95 {p95_ms:.0f} of {len(times_ms)}",
    }
    if cold_ms is None:
        return row
    cold_p50_ms = statistics.median(cold_ms)
    return row | {
        "baseline": "a cold process",
        "baseline_value": cold_p50_ms,
        "ratio": p50_ms / cold_p50_ms,
    }
