"""The fleet's manifests: valid, locked down, and of one mind with the worker."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate.utils import validate

from media_worker.agones import UDP_BINDS, Allocation
from media_worker.config import Config
from media_worker.epoch_life import RELIEF_PATIENCE_S
from media_worker.warm import job_of

DRAIN_S = 30  # far more than peers, segments and stems take
FOLDER = Path(__file__).parents[3] / "infra" / "agones"
KUBERNETES = "1.30"
DOCUMENTS: list[dict[str, Any]] = [
    document
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
FLEETS = {d["metadata"]["name"]: d for d in DOCUMENTS if d["kind"] == "Fleet"}
# Kinds of Agones and of Google are no part of Kubernetes' own schemas.
OTHERS = ("agones.dev", "googleapis.com")
OWN = [d for d in DOCUMENTS if not d["apiVersion"].split("/")[0].endswith(OTHERS)]


def pod_of(fleet: dict[str, Any]) -> dict[str, Any]:
    """Return a fleet's pod as the Pod that it becomes."""
    spec = fleet["spec"]["template"]["spec"]["template"]["spec"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "worker"},
        "spec": spec,
    }


@pytest.mark.parametrize(
    "document",
    [*OWN, *map(pod_of, FLEETS.values())],
    ids=[f"{d['kind']}-{d['metadata']['name']}" for d in OWN] + list(FLEETS),
)
def test_manifests_are_valid(document: dict[str, Any]) -> None:
    """
    No unknown field, no wrong type.
    """
    validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("fleet", FLEETS)
def test_pods_may_do_nothing(fleet: str) -> None:
    """
    Not root, read-only, no capability, no token of the cluster, bounded memory.
    """
    spec = pod_of(FLEETS[fleet])["spec"]
    (container,) = spec["containers"]
    security = container["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container["resources"]["limits"]
    assert "@sha256:" in container["image"]


@pytest.mark.parametrize(
    ("kind", "told"), [("render", ("--version", "3")), ("clip", ("--clip", "3"))]
)
def test_a_recordings_jobs_are_told_what_they_are_for(
    kind: str, told: tuple[str, str]
) -> None:
    """
    A pod of the renders' fleet makes what it was allocated to: a version, or a clip.
    """
    allocation = Allocation(
        kind=kind, key="1nKxoPQrsTUvw", epoch=3, index=1, address="", ports={}
    )

    assert job_of(allocation) == (kind, "--recording", "1nKxoPQrsTUvw", *told)


@pytest.mark.parametrize(("kind", "relay"), [("room", None), ("relay", 2)])
def test_a_rooms_environment_is_whole(kind: str, relay: int | None) -> None:
    """
    With what an allocation adds, the worker's configuration lacks nothing.
    """
    fleet = FLEETS["workers"]["spec"]["template"]["spec"]
    (container,) = pod_of(FLEETS["workers"])["spec"]["containers"]
    env = {each["name"]: each.get("value", "given") for each in container["env"]}
    ports = {port["name"]: 7000 + n for n, port in enumerate(fleet["ports"])}
    allocation = Allocation(
        kind=kind,
        key="1nKxoPQrsTUvw",
        epoch=3,
        index=2,
        address="203.0.113.5",
        ports=ports,
    )

    config = Config.from_env(allocation.room_environment(env))

    bound = {port["containerPort"] for port in fleet["ports"]}
    assert {udp.bind[1] for udp in config.udp_endpoints} == bound
    assert [udp.announced for udp in config.udp_endpoints] == [
        ("203.0.113.5", port) for port in ports.values()
    ]
    assert set(json.loads(env[UDP_BINDS])) == set(ports)
    assert config.recording is not None
    assert config.relay == relay


def test_only_renders_can_sign() -> None:
    """
    A room that was taken over cannot vouch for a recording.
    """
    signers = [
        name for name, fleet in FLEETS.items() if "PROOF_PRIVATE" in json.dumps(fleet)
    ]

    assert signers == ["renders"]


def test_the_launcher_has_no_right_that_it_does_not_use() -> None:
    """
    Create an allocation; list and delete GameServers; nothing else.
    """
    roles = [d for d in DOCUMENTS if d["kind"] in ("Role", "ClusterRole")]
    rights = {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }

    assert rights == {
        ("allocation.agones.dev", "gameserverallocations", "create"),
        ("agones.dev", "gameservers", "list"),
        ("agones.dev", "gameservers", "delete"),
    }


@pytest.mark.parametrize("annotations", [{"parley.dev/traceparent": "00-t"}, None, {}])
def test_an_allocated_worker_takes_its_trace_over(
    annotations: dict[str, str] | None,
) -> None:
    """
    From the annotation of its GameServer, as an older launcher sets none.
    """
    names = ("kind", "key", "epoch", "index")
    labels = {f"parley.dev/{name}": "1" for name in names}
    server = {
        "object_meta": {"labels": labels, "annotations": annotations},
        "status": {"state": "Allocated", "address": "", "ports": []},
    }

    allocation = Allocation.of(server)

    assert allocation is not None
    told = allocation.room_environment({UDP_BINDS: "{}", "TRACEPARENT": "of the pod"})
    assert told["TRACEPARENT"] == ("00-t" if annotations else "")


def test_metrics_are_collected_where_workers_tell_them() -> None:
    """
    From the port of the fleet's pods on which the control API answers.
    """
    (monitoring,) = [d for d in DOCUMENTS if d["kind"] == "PodMonitoring"]
    (endpoint,) = monitoring["spec"]["endpoints"]
    (worker,) = pod_of(FLEETS["workers"])["spec"]["containers"]
    env = {each["name"]: each.get("value") for each in worker["env"]}
    (port,) = [p for p in worker["ports"] if p["name"] == endpoint["port"]]

    assert monitoring["metadata"]["namespace"] == "parley"
    assert env["PARLEY_CONTROL_BIND"].endswith(f":{port['containerPort']}")
    assert endpoint["path"] == "/metrics"


def test_a_pod_outlives_the_wait_for_its_successor() -> None:
    """
    A worker that leaves is not killed before it gave up, and had time to drain then.
    """
    spec = pod_of(FLEETS["workers"])["spec"]

    assert spec["terminationGracePeriodSeconds"] >= RELIEF_PATIENCE_S + DRAIN_S
