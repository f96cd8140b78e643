"""A worker whose audience outgrows its own process."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema
import psutil
import pytest

from infra.local.ports import free_port
from spaces_contract.roles import PeerKind
from spaces_contract.room_state import ROOM_JSON_SCHEMA
from tests.audio import voice
from tests.light_clients import LightPeer, talking
from tests.worker_process import (
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)

EGRESS_FROM = 2


class LargeRoom:
    """A worker with one egress process, one who talks, and some who listen."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.near: list[LightPeer] = []
        self.far: list[LightPeer] = []

    async def fill(self, stack: contextlib.AsyncExitStack) -> None:
        """Let Ana talk, and people listen in both processes."""
        await stack.enter_async_context(talking(self.worker, "ana", voice(2)))
        for index in range(EGRESS_FROM):
            self.near.append(await self._listener(stack, f"near{index}"))
        await until(self._egress_ready)
        for index in range(3):
            self.far.append(await self._listener(stack, f"far{index}"))

    @property
    def egresses(self) -> list[psutil.Process]:
        """The worker's child processes."""
        return psutil.Process(self.worker.process.pid).children(recursive=True)

    async def _listener(
        self, stack: contextlib.AsyncExitStack, user_id: str
    ) -> LightPeer:
        peer = LightPeer(self.worker, PeerKind.WHEP)
        stack.push_async_callback(peer.aclose)
        await peer.connect("/whep", user_id)
        return peer

    async def _egress_ready(self) -> bool:
        metrics = await self.worker.metrics()
        return metrics.get('egress_ready{egress="1"}') == 1


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[LargeRoom]:
    """Run Firestore, a worker and its audience."""
    first = free_port(datagram=True)
    endpoints = [
        {"bind": f"127.0.0.1:{port}", "announced": f"127.0.0.1:{port}"}
        for port in (first, free_port(datagram=True, taken=(first,)))
    ]
    settings = {
        "PARLEY_UDP_ENDPOINTS": json.dumps(endpoints),
        "PARLEY_EGRESS_FROM": str(EGRESS_FROM),
    }
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedFirestore(tmp_path / "data"))
        documents = await stack.enter_async_context(
            SpaceDocuments.live(server.host, "ana")
        )
        worker = WorkerProcess(server.host, tmp_path / "objects", settings=settings)
        await stack.enter_async_context(worker)
        await worker.ready(documents)
        fields = await documents.runtime_fields()
        assert fields["udp_endpoints"] == [each["announced"] for each in endpoints]
        large = LargeRoom(worker)
        await large.fill(stack)
        yield large


async def test_everybody_hears_and_is_counted_where_they_are(room: LargeRoom) -> None:
    """
    Metrics and room.json tell each process' listeners.
    """
    await until(lambda: all(p.arrivals.packets > 20 for p in [*room.near, *room.far]))
    # By process they are counted from the offer on, here once they are connected.
    await until(lambda: room.worker.room_json()["listener_count"] == 5)

    jsonschema.validate(room.worker.room_json(), ROOM_JSON_SCHEMA)
    assert room.worker.room_json()["listeners_by_process"] == [2, 3]
    metrics = await room.worker.metrics()
    assert metrics['egress_listeners{egress="room"}'] == 2
    assert metrics['egress_listeners{egress="1"}'] == 3
    assert metrics['egress_rss_bytes{egress="1"}'] > 0
    assert metrics["transport_sessions_connected_total"] == 6
    assert metrics["fan_out_packets_sent_total"] > 100


async def test_a_killed_worker_leaves_no_orphan(room: LargeRoom) -> None:
    """
    SIGKILL gives it no chance to tell anybody; its egress process ends all the same.
    """
    (egress,) = room.egresses

    room.worker.process.kill()
    await room.worker.process.wait()

    await until(lambda: not egress.is_running())


async def test_a_stopped_worker_takes_its_processes_along(room: LargeRoom) -> None:
    """
    SIGINT: exit code 0, and the children are gone before the parent is.
    """
    (egress,) = room.egresses

    room.worker.interrupt()

    assert await room.worker.exit_code() == 0
    assert not egress.is_running()


async def test_a_killed_egress_is_replaced_on_its_port(room: LargeRoom) -> None:
    """
    Its listeners are counted out at once and may join again; the others hear on.
    """
    (egress,) = room.egresses
    room.near[0].arrivals.reset()

    egress.kill()
    await until(lambda: room.worker.room_json()["listeners_by_process"][0] == 2)
    await until(lambda: _metric_is(room, 'egress_ready{egress="2"}', 1))
    again = LightPeer(room.worker, PeerKind.WHEP)
    await again.connect("/whep", "far0")
    await until(again.heard.is_set)

    assert again._answer.address == room.far[0]._answer.address
    assert await _metric(room, "listeners") == 3
    assert room.near[0].arrivals.packets > 10
    await again.aclose()


async def _metric(room: LargeRoom, name: str) -> float | None:
    return (await room.worker.metrics()).get(name)


async def _metric_is(room: LargeRoom, name: str, value: float) -> bool:
    return await _metric(room, name) == value
