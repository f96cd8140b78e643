"""`ContainerLauncher` against a real engine."""

import gc
import secrets
import socket
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import docker
import pytest

from spaces.adapters.launchers.container import ContainerLauncher
from spaces.adapters.launchers.settings import PORTS_PER_WORKER, ContainerSettings
from spaces.adapters.signed_tokens import Ed25519Signer
from spaces.domain.errors import DependencyUnavailable
from spaces.service.errors import NoCapacity
from spaces.service.ports import LaunchRefused, Workload, WorkloadKind
from tests.containers.logs import tell
from tests.world import a_private_key

PATIENCE_S = 60.0
PORTS = 2 * PORTS_PER_WORKER
# Below those that this machine gives to whoever connects somewhere.
FIRST_PORTS = range(20_000, 32_000, PORTS)
SETTINGS = ContainerSettings(
    deployment="https://tests.example",
    engine_url="",
    image="localhost/parley-worker:latest",
    media_host="127.0.0.1",
    control_host="127.0.0.1",
    ports=range(0),
    mounts=(),
    worker_environment={
        "FIRESTORE_EMULATOR_HOST": "192.0.2.1:9",  # RFC 5737: it waits for nobody
        "PARLEY_LIVE_EDGE_URL": "memory:///",
    },
    render_environment={},
)


def launcher(settings: ContainerSettings) -> ContainerLauncher:
    """Return a launcher whose workers wait for a Firestore that never answers."""
    return ContainerLauncher(
        settings,
        project_id="demo-containers",
        grant_public_key=Ed25519Signer(a_private_key()).public_key_pem,
    )


@pytest.fixture
def settings(
    engine_url: str, engine: docker.DockerClient
) -> Iterator[ContainerSettings]:
    """Settings of a deployment of the test's own; nothing is left of it."""
    deployment = f"https://{secrets.token_hex(4)}.example"
    yield replace(
        SETTINGS, engine_url=engine_url, deployment=deployment, ports=free_ports()
    )
    label = f"dev.parley.deployment={deployment}"
    for each in engine.containers.list(all=True, filters={"label": label}):
        tell(each)
        each.remove(force=True)


def free_ports() -> range:
    """Return ports for two workers that nobody had just now."""
    while True:
        first = secrets.choice(FIRST_PORTS)
        ports = range(first, first + PORTS)
        if all(is_free(port) for port in ports):
            return ports


def is_free(port: int) -> bool:
    """Whether nobody has this UDP port, at any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 -- the engine publishes on all addresses
        except OSError:
            return False
        return True


def wait_for_control(port: int) -> None:
    """Return once a worker takes connections: there is something to drain then."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)


def a_room(epoch: int = 1, key: str = "1nKxoPQrsTUvw") -> Workload:
    """Return a workload."""
    return Workload(kind=WorkloadKind.ROOM, key=key, epoch=epoch)


def test_a_worker_runs_with_nothing_it_does_not_need(
    settings: ContainerSettings, engine: docker.DockerClient
) -> None:
    """
    Not root, no capability, a root folder that it cannot write, bounded memory.
    """
    ref = launcher(settings).launch(a_room())

    container: Any = engine.containers.get(ref)
    host = container.attrs["HostConfig"]
    assert container.status == "running"
    assert host["ReadonlyRootfs"]
    assert host["Memory"] == 2**30
    assert host["PidsLimit"] == 256
    status = container.exec_run(["cat", "/proc/1/status"]).output.decode()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert container.exec_run(["touch", "/opt/parley/x"]).exit_code != 0


def test_a_launch_is_idempotent_by_epoch(
    settings: ContainerSettings, engine: docker.DockerClient
) -> None:
    """
    Twice the same, at the same moment too, is one container; the next epoch another.
    """
    under_test = launcher(settings)
    with ThreadPoolExecutor(4) as pool:
        refs = set(pool.map(under_test.launch, [a_room()] * 4))
    other = under_test.launch(a_room(epoch=2))

    listed = {each.ref: each.workload for each in under_test.workloads()}
    assert len(refs) == 1
    assert listed == {refs.pop(): a_room(), other: a_room(epoch=2)}


def test_an_epoch_that_crashed_is_not_started_again(
    settings: ContainerSettings, engine: docker.DockerClient
) -> None:
    """
    Its launch task may come twice; only the watchdog's next epoch runs.
    """
    under_test = launcher(settings)
    ref = under_test.launch(a_room())
    container: Any = engine.containers.get(ref)
    container.kill()
    container.wait(timeout=20)

    again = under_test.launch(a_room())

    container.reload()
    assert (again, container.status) == (ref, "exited")
    assert [(each.ref, each.runs) for each in under_test.workloads()] == [(ref, False)]


def test_termination_drains_and_removes(
    settings: ContainerSettings, engine: docker.DockerClient
) -> None:
    """
    SIGTERM ends a worker by itself; nothing is left; a second try is no error.
    """
    under_test = launcher(settings)
    ref = under_test.launch(a_room())
    container: Any = engine.containers.get(ref)
    logs = container.logs(stream=True)
    wait_for_control(settings.ports.start)
    container.stop(timeout=20)
    code = container.wait(timeout=20)["StatusCode"]

    under_test.terminate(ref)
    under_test.terminate(ref)

    assert code == 0, b"".join(logs)
    assert under_test.workloads() == []


def test_ports_of_others_are_left_alone_until_none_is_left(
    settings: ContainerSettings,
) -> None:
    """
    A port that another program has is passed over; with all taken, there is no room.
    """
    under_test = launcher(settings)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", settings.ports.start))  # noqa: S104 -- the engine publishes on all addresses
        under_test.launch(a_room())
        with pytest.raises(NoCapacity):
            under_test.launch(a_room(epoch=2))
    (only,) = under_test.workloads()

    assert (only.workload, only.runs) == (a_room(), True)
    under_test.launch(a_room(epoch=2))  # there is room now


def test_an_image_that_is_not_there_is_named(settings: ContainerSettings) -> None:
    """
    No retry helps: whoever operates it must build or pull it.
    """
    under_test = launcher(replace(settings, image="localhost/parley-none:1"))

    with pytest.raises(LaunchRefused, match="parley-none"):
        under_test.launch(a_room())


# The library leaves a socket open whose connection was refused.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_engine_that_is_down_is_tried_again(settings: ContainerSettings) -> None:
    """
    The task comes back later.
    """
    under_test = launcher(replace(settings, engine_url="unix:///nowhere.sock"))

    for call in (
        lambda: under_test.launch(a_room()),
        lambda: under_test.terminate("x"),
        under_test.workloads,
    ):
        with pytest.raises(DependencyUnavailable):
            call()
    gc.collect()  # here, where it is expected


def test_deployments_on_one_machine_do_not_see_each_other(
    settings: ContainerSettings,
) -> None:
    """
    One's sweep would stop the other's Spaces.
    """
    launcher(settings).launch(a_room())

    assert launcher(replace(settings, deployment="other")).workloads() == []
