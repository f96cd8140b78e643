"""`AgonesLauncher`, by the real Kubernetes client, against a cluster's API."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as kubernetes

from spaces.adapters.launchers.agones import AgonesLauncher
from spaces.adapters.launchers.settings import AgonesSettings, KubernetesApi
from spaces.domain.errors import DependencyUnavailable
from spaces.service.errors import NoCapacity
from spaces.service.ports import LaunchRefused, Workload, WorkloadKind
from tests.fake_agones import TOKEN_PATH, FakeCluster, running_cluster
from tests.service_account import a_service_account

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SETTINGS = AgonesSettings(
    namespace="parley", fleet="workers", render_fleet="renders", api=None
)


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A cluster with two warm workers, and one of another fleet."""
    with running_cluster() as cluster:
        cluster.add_server("other", fleet="others")
        cluster.add_server("w1")
        cluster.add_server("w2")
        yield cluster


@pytest.fixture
def launcher(cluster: FakeCluster) -> Iterator[AgonesLauncher]:
    """A launcher on that cluster which does not really wait."""
    configuration = kubernetes.Configuration()
    configuration.host = cluster.url
    configuration.retries = False
    with closing(kubernetes.ApiClient(configuration)) as api_client:
        api: Any = kubernetes.CustomObjectsApi(api_client)
        yield AgonesLauncher(
            SETTINGS, now=lambda: NOW, open_api=lambda: api, sleep=lambda _: None
        )


def a_room(epoch: int = 1) -> Workload:
    """Return a workload."""
    return Workload(kind=WorkloadKind.ROOM, key="1nKxoPQrsTUvw", epoch=epoch)


def test_a_launch_allocates_a_warm_worker_of_the_fleet(
    cluster: FakeCluster, launcher: AgonesLauncher
) -> None:
    """
    It is told its Space by labels, and listed with the time of its allocation.
    """
    ref = launcher.launch(a_room())

    (listed,) = launcher.workloads()
    labels = cluster.servers[ref]["metadata"]["labels"]
    assert ref in ("w1", "w2")
    assert (listed.ref, listed.workload, listed.launched_at) == (ref, a_room(), NOW)
    assert labels["parley.dev/key"] == "1nKxoPQrsTUvw"
    assert labels["parley.dev/epoch"] == "1"


def test_a_launch_is_idempotent_by_epoch(
    cluster: FakeCluster, launcher: AgonesLauncher
) -> None:
    """
    The same again is the same worker; the next epoch is another.
    """
    first = launcher.launch(a_room())

    assert launcher.launch(a_room()) == first
    assert launcher.launch(a_room(epoch=2)) != first


@pytest.mark.parametrize("kind", [WorkloadKind.RENDER, WorkloadKind.CLIP])
def test_renders_have_a_fleet_of_their_own(
    cluster: FakeCluster, launcher: AgonesLauncher, kind: WorkloadKind
) -> None:
    """
    No room's worker ever holds the key that signs manifests.
    """
    render = Workload(kind=kind, key="r1", epoch=1)
    with pytest.raises(NoCapacity):
        launcher.launch(render)
    cluster.add_server("r", fleet="renders")

    assert launcher.launch(render) == "r"
    assert [each.workload for each in launcher.workloads()] == [render]


def test_contention_is_tried_again(
    cluster: FakeCluster, launcher: AgonesLauncher
) -> None:
    """
    A lost race for a worker is no lack of workers.
    """
    cluster.contention = 3

    assert launcher.launch(a_room()) in ("w1", "w2")


@pytest.mark.parametrize("reason", ["none is warm", "contention without end"])
def test_without_a_worker_there_is_no_capacity(
    cluster: FakeCluster, launcher: AgonesLauncher, reason: str
) -> None:
    """
    The task comes back when the fleet has grown; nothing was taken from another fleet.
    """
    if reason == "none is warm":
        launcher.launch(a_room(epoch=2))
        launcher.launch(a_room(epoch=3))
    else:
        cluster.contention = 1_000

    with pytest.raises(NoCapacity):
        launcher.launch(a_room())

    assert cluster.servers["other"]["status"]["state"] == "Ready"


def test_a_worker_that_shuts_down_is_not_given_out_again(
    cluster: FakeCluster, launcher: AgonesLauncher
) -> None:
    """
    Terminating is idempotent, and ends what the launch would otherwise return.
    """
    ref = launcher.launch(a_room())
    for _ in range(2):
        launcher.terminate(ref)
    launcher.terminate("never-was")

    assert launcher.workloads() == []
    assert launcher.launch(a_room()) != ref


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_cluster_in_trouble_is_tried_again(
    cluster: FakeCluster, launcher: AgonesLauncher, status: int
) -> None:
    """
    The task comes back later.
    """
    cluster.error = status

    for call in (
        lambda: launcher.launch(a_room()),
        lambda: launcher.terminate("w1"),
        launcher.workloads,
    ):
        with pytest.raises(DependencyUnavailable):
            call()


def test_a_refusal_of_the_cluster_is_for_good(
    cluster: FakeCluster, launcher: AgonesLauncher
) -> None:
    """
    Without the right to allocate, no retry helps.
    """
    cluster.error = 403

    with pytest.raises(LaunchRefused, match="403"):
        launcher.launch(a_room())


def test_a_cluster_that_does_not_answer_is_tried_again() -> None:
    """
    A refused connection is no answer.
    """
    configuration = kubernetes.Configuration()
    configuration.host = "http://127.0.0.1:9"
    configuration.retries = False
    with closing(kubernetes.ApiClient(configuration)) as api_client:
        api: Any = kubernetes.CustomObjectsApi(api_client)
        launcher = AgonesLauncher(SETTINGS, now=lambda: NOW, open_api=lambda: api)
        with pytest.raises(DependencyUnavailable):
            launcher.launch(a_room())


@pytest.mark.parametrize(("token_life_s", "asked"), [(3_600, 1), (10, 5)])
def test_a_token_is_kept_while_it_is_good(
    cluster: FakeCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token_life_s: int,
    asked: int,
) -> None:
    """
    A host does not wait for a token at each start; one that is nearly over is renewed.
    """
    account = tmp_path / "account.json"
    account.write_text(json.dumps(a_service_account(cluster.url + TOKEN_PATH)))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    cluster.token_life_s = token_life_s
    outside = KubernetesApi(url=cluster.url, ca_file=str(account))
    launcher = AgonesLauncher(replace(SETTINGS, api=outside), now=lambda: NOW)

    launcher.launch(a_room())
    launcher.launch(a_room(epoch=2))

    assert cluster.calls.count(f"POST {TOKEN_PATH}") == asked
