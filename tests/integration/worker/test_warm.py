"""A worker of an Agones fleet: warm, allocated, and gone with its Space."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.local.ports import free_port
from tests.audio import voice
from tests.fake_sidecar import FakeSidecar, running_sidecar
from tests.light_clients import talking
from tests.worker_process import (
    SPACE,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)

LABELS = {
    "parley.dev/kind": "room",
    "parley.dev/key": SPACE,
    "parley.dev/epoch": "1",
    "parley.dev/index": "0",
}


@pytest.fixture
async def sidecar() -> AsyncIterator[FakeSidecar]:
    """The sidecar of the worker's pod."""
    async with running_sidecar() as running:
        yield running


def settings(sidecar: FakeSidecar, port: int) -> dict[str, str]:
    """Return what the fleet's manifest gives a pod: no Space, and no epoch."""
    return {
        "AGONES_SDK_HTTP_PORT": str(sidecar.port),
        "PARLEY_UDP_BINDS": json.dumps({"media-0": f"127.0.0.1:{port}"}),
        "PARLEY_SPACE_ID": "",
        "PARLEY_EPOCH": "",
        "PARLEY_UDP_ENDPOINTS": "",
    }


async def test_a_warm_worker_serves_the_space_it_is_allocated_to(
    sidecar: FakeSidecar, tmp_path: Path
) -> None:
    """
    It says that it is ready and healthy, survives a cut watch, talks on the node's
    port, and gives its place back when it ends.
    """
    port = free_port(datagram=True)
    async with (
        EmbeddedFirestore(tmp_path / "data") as server,
        WorkerProcess(
            server.host, tmp_path / "objects", settings=settings(sidecar, port)
        ) as worker,
    ):
        await sidecar.called("/ready")
        await sidecar.watched()
        await sidecar.cut_watches()
        documents = SpaceDocuments(server.host)
        await documents.start()
        await documents.put_on_stage("ana")

        await sidecar.allocate(LABELS, address="127.0.0.1", ports={"media-0": port})

        await worker.ready(documents)
        fields = await documents.runtime_fields()
        async with talking(worker, "ana", voice(2)):
            await until(lambda: worker.room_json().get("talking"))
        await documents.space.update({"state": "ended"})
        code = await worker.exit_code()

    assert fields["udp_endpoints"] == [f"127.0.0.1:{port}"]
    assert code == 0
    assert "/health" in sidecar.calls
    assert sidecar.calls[-1] == "/shutdown"


async def test_a_warm_worker_stops_at_once(
    sidecar: FakeSidecar, tmp_path: Path
) -> None:
    """
    A fleet that shrinks takes workers which nobody needed.
    """
    unused = "127.0.0.1:9"
    async with WorkerProcess(
        unused,
        tmp_path / "objects",
        settings=settings(sidecar, free_port(datagram=True)),
    ) as worker:
        await sidecar.called("/ready")
        worker.terminate()

        assert await worker.exit_code() == 0
    assert "/shutdown" not in sidecar.calls
