"""Workloads as GameServers of a warm Agones fleet on Kubernetes."""

import functools
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import google.auth
import google.auth.transport.requests
import urllib3
from kubernetes import client as kubernetes
from kubernetes.config import load_incluster_config

from spaces_contract.trace_context import ANNOTATION, current

from ...domain.errors import DependencyUnavailable
from ...service.errors import NoCapacity
from ...service.ports import (
    Clock,
    LaunchedWorkload,
    LaunchRefused,
    Workload,
    WorkloadKind,
)
from .settings import AgonesSettings, KubernetesApi

FLEET_LABEL: Final = "agones.dev/fleet"
# What a warm worker reads to know its Space; media_worker/warm.py names the same.
KIND_LABEL: Final = "parley.dev/kind"
KEY_LABEL: Final = "parley.dev/key"
EPOCH_LABEL: Final = "parley.dev/epoch"
INDEX_LABEL: Final = "parley.dev/index"
ALLOCATED_AT: Final = "parley.dev/allocated-at"  # its creation was long before
CALL_TIMEOUT_S: Final = 10.0
CONTENTION_TRIES: Final = 5
CONTENTION_WAIT_S: Final = 0.1
SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)

OpenApi = Callable[[], Any]  # a CustomObjectsApi, whose answers have no types


class AgonesLauncher:
    """
    `Launcher` that allocates a worker which is already running.

    Two launches of the same workload at the same instant may take two workers; the
    second cannot claim its epoch in Firestore, and gives its place back by itself.

    Args:
        now: The clock; an allocation notes its time.
        open_api: Opens the API of the cluster, when it is first needed.
        sleep: Waits between tries, s.
    """

    def __init__(
        self,
        settings: AgonesSettings,
        *,
        now: Clock,
        open_api: OpenApi | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._now = now
        # Kept: a new one asks for a token and shakes hands, while a host waits.
        self._api = functools.cache(open_api or (lambda: cluster_api(settings.api)))
        self._sleep = sleep

    def launch(self, workload: Workload) -> str:
        """
        Return the worker that was allocated to it before, or allocate one.

        Raises:
            NoCapacity: no worker of the fleet is warm; it grows meanwhile.
        """
        with _translated():
            api = self._api()
            fleet = self._fleet(workload.kind)
            for server in self._list(api, fleet, _labels(workload)):
                return str(server["metadata"]["name"])
            return self._allocate(api, workload)

    def terminate(self, ref: str) -> None:
        """Delete the GameServer, which drains its worker; see `Launcher`."""
        with _translated():
            try:
                self._api().delete_namespaced_custom_object(
                    *("agones.dev", "v1", self._settings.namespace, "gameservers", ref),
                    _request_timeout=CALL_TIMEOUT_S,
                )
            except kubernetes.ApiException as error:
                if error.status != 404:
                    raise

    def workloads(self) -> list[LaunchedWorkload]:
        """List what was allocated; see `Launcher`."""
        with _translated():
            api = self._api()
            fleets = (self._settings.fleet, self._settings.render_fleet)
            servers = [each for fleet in fleets for each in self._list(api, fleet, {})]
        return [_launched(server) for server in servers]

    def _fleet(self, kind: WorkloadKind) -> str:
        if kind in (WorkloadKind.RENDER, WorkloadKind.CLIP):
            return self._settings.render_fleet
        return self._settings.fleet

    def _allocate(self, api: Any, workload: Workload) -> str:
        for _ in range(CONTENTION_TRIES):
            answer = api.create_namespaced_custom_object(
                *("allocation.agones.dev", "v1", self._settings.namespace),
                "gameserverallocations",
                _allocation(self._fleet(workload.kind), workload, self._now()),
                _request_timeout=CALL_TIMEOUT_S,
            )
            match answer["status"]:
                case {"state": "Allocated", "gameServerName": name}:
                    return str(name)
                case {"state": "Contention"}:
                    self._sleep(CONTENTION_WAIT_S)
                case _:
                    raise NoCapacity
        raise NoCapacity

    def _list(
        self, api: Any, fleet: str, labels: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """Return a fleet's allocated servers with these labels."""
        wanted = {FLEET_LABEL: fleet, **labels}
        selector = ",".join([*(f"{k}={v}" for k, v in wanted.items()), KEY_LABEL])
        found = api.list_namespaced_custom_object(
            *("agones.dev", "v1", self._settings.namespace, "gameservers"),
            label_selector=selector,
            _request_timeout=CALL_TIMEOUT_S,
        )
        # One that shuts down serves nobody any more.
        return [
            server
            for server in found["items"]
            if server["status"]["state"] == "Allocated"
            and "deletionTimestamp" not in server["metadata"]
        ]


def cluster_api(api: KubernetesApi | None) -> kubernetes.CustomObjectsApi:
    """
    Open a cluster's API.

    Args:
        api: Where it is, as one of Google's service accounts sees it from outside;
            None is the cluster that we run in.

    Raises:
        kubernetes.config.ConfigException: we run in none.
        google.auth.exceptions.GoogleAuthError: there is no account.
    """
    configuration = kubernetes.Configuration()
    if api is None:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # no types
    else:
        credentials, _ = google.auth.default(scopes=SCOPES)
        request = google.auth.transport.requests.Request()

        def refresh(asked: Any) -> None:
            if not credentials.valid:
                credentials.refresh(request)  # type: ignore[no-untyped-call]  # no types
            asked.api_key["authorization"] = f"Bearer {credentials.token}"

        configuration.host = api.url
        configuration.ssl_ca_cert = api.ca_file
        refresh(configuration)
        # Before each call.
        configuration.refresh_api_key_hook = refresh  # type: ignore[assignment]  # None, say its types
    return kubernetes.CustomObjectsApi(kubernetes.ApiClient(configuration))


class _translated:
    """Takes the cluster's errors for a launcher's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        match error:
            case kubernetes.ApiException(status=status) if 400 <= (
                status or 0
            ) < 500 and status not in (408, 409, 429):
                raise LaunchRefused(f"the cluster answered {status}") from error
            case (
                kubernetes.ApiException()
                | urllib3.exceptions.HTTPError()
                | google.auth.exceptions.GoogleAuthError()
            ):
                raise DependencyUnavailable from error


def _labels(workload: Workload) -> dict[str, str]:
    return {
        KIND_LABEL: workload.kind.value,
        KEY_LABEL: workload.key,
        EPOCH_LABEL: str(workload.epoch),
        INDEX_LABEL: str(workload.index),
    }


def _allocation(fleet: str, workload: Workload, at: datetime) -> dict[str, Any]:
    return {
        "apiVersion": "allocation.agones.dev/v1",
        "kind": "GameServerAllocation",
        "spec": {
            "scheduling": "Packed",
            "selectors": [
                {"matchLabels": {FLEET_LABEL: fleet}, "gameServerState": "Ready"}
            ],
            "metadata": {
                "labels": _labels(workload),
                "annotations": {ALLOCATED_AT: at.isoformat(), **_trace()},
            },
        },
    }


def _trace() -> dict[str, str]:
    context = current.get()
    return {} if context is None else {ANNOTATION: context.traceparent}


def _launched(server: Mapping[str, Any]) -> LaunchedWorkload:
    metadata = server["metadata"]
    labels = metadata["labels"]
    return LaunchedWorkload(
        ref=metadata["name"],
        workload=Workload(
            kind=WorkloadKind(labels[KIND_LABEL]),
            key=labels[KEY_LABEL],
            epoch=int(labels[EPOCH_LABEL]),
            index=int(labels[INDEX_LABEL]),
        ),
        launched_at=datetime.fromisoformat(metadata["annotations"][ALLOCATED_AT]),
    )
