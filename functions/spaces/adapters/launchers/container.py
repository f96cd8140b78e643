"""Workloads as containers of an engine with Docker's API."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from spaces_contract.trace_context import VARIABLE, current

from ...domain.errors import DependencyUnavailable
from ...service.errors import NoCapacity
from ...service.ports import LaunchedWorkload, LaunchRefused, Workload, WorkloadKind
from .settings import PORTS_PER_WORKER, ContainerSettings

API_VERSION: Final = "1.41"  # of Docker 20.10 and podman 4, and of all since
ENDED: Final = ("exited", "dead")
LABEL: Final = "dev.parley.workload"  # its value: the workload as JSON
DEPLOYMENT_LABEL: Final = "dev.parley.deployment"
PORT_LABEL: Final = "dev.parley.port"  # the first of its ports
CALL_TIMEOUT_S: Final = 30.0
NAMED_TRIES: Final = 20
NAMED_WAIT_S: Final = 0.1
STOP_GRACE_S: Final = 15  # a worker drains within that, or is killed
MEMORY_LIMIT: Final = "1g"  # a room of thousands of listeners needs a third of it
PIDS_LIMIT: Final = 256
RENDER_ENTRYPOINT: Final = ("/opt/parley/bin/python", "-m", "media_worker.recording")
# What a job of a recording is told by.
OF_RECORDINGS: Final = MappingProxyType(
    {WorkloadKind.RENDER: "--version", WorkloadKind.CLIP: "--clip"}
)
TMPFS: Final = {"/tmp": "size=64m,mode=1777"}  # noqa: S108 -- inside the container

OpenEngine = Callable[[], docker.DockerClient]


class ContainerLauncher:
    """
    `Launcher` on one machine: a container for each workload, named by it.

    A container that ended is kept until the sweep, so that a launch that comes twice
    never starts an epoch a second time.

    Args:
        grant_public_key: PEM, given to each worker.
        open_engine: Opens the engine's API; called for each call, and closed.
        sleep: Waits between tries, s.
    """

    def __init__(
        self,
        settings: ContainerSettings,
        *,
        project_id: str,
        grant_public_key: str,
        open_engine: OpenEngine | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._shared = {
            "PARLEY_PROJECT_ID": project_id,
            "PARLEY_GRANT_PUBLIC_KEY": grant_public_key,
        }
        self._open_engine = open_engine or self._open
        self._sleep = sleep

    def launch(self, workload: Workload) -> str:
        """
        Create and start the container; see `Launcher`.

        Raises:
            NoCapacity: all ports of the machine are taken.
        """
        with _translated(), self._engine() as engine:
            name = _name(workload)
            known = _find(engine, name)
            # Still "created": whoever made it did not get on.
            if known is not None and (known.status != "created" or _started(known)):
                return name
            for port in self._free_ports(engine):
                if self._start(engine, workload, port):
                    return name
        raise NoCapacity

    def terminate(self, ref: str) -> None:
        """Stop the container, gracefully first, and remove it; see `Launcher`."""
        with _translated(), self._engine() as engine:
            container = _find(engine, ref)
            if container is not None:
                container.stop(timeout=STOP_GRACE_S)
                container.remove(force=True)

    def workloads(self) -> list[LaunchedWorkload]:
        """List containers, running and ended; see `Launcher`."""
        with _translated(), self._engine() as engine:
            return [
                LaunchedWorkload(
                    ref=each.name,
                    workload=_workload(json.loads(each.labels[LABEL])),
                    launched_at=_instant(each.attrs["Created"]),
                    runs=each.status not in ENDED,
                )
                for each in _all(engine)
                if each.labels[DEPLOYMENT_LABEL] == self._settings.deployment
            ]

    def _open(self) -> docker.DockerClient:
        return docker.DockerClient(
            base_url=self._settings.engine_url,
            version=API_VERSION,
            timeout=int(CALL_TIMEOUT_S),
        )

    def _engine(self) -> "_Closing":
        return _Closing(self._open_engine())

    def _free_ports(self, engine: docker.DockerClient) -> Iterator[int]:
        """First ports that no container of ours has; others may have taken them."""
        taken = {int(each.labels[PORT_LABEL]) for each in _all(engine)}
        ports = self._settings.ports
        last = ports.stop - PORTS_PER_WORKER
        for first in range(ports.start, last + 1, PORTS_PER_WORKER):
            if first not in taken:
                yield first

    def _start(
        self, engine: docker.DockerClient, workload: Workload, port: int
    ) -> bool:
        """Create and start; False where the machine has given one of the ports away."""
        try:
            container = engine.containers.create(**self._options(workload, port))
        except APIError as error:
            if not _is_taken_name(error):
                raise
            # Launched twice at the same moment: the other one's will do.
            container = self._named(engine, _name(workload))
        return _started(container)

    def _named(self, engine: docker.DockerClient, name: str) -> Any:
        """Return a container whose name is taken: podman takes it, then makes it."""
        for _ in range(NAMED_TRIES):
            found = _find(engine, name)
            if found is not None:
                return found
            self._sleep(NAMED_WAIT_S)
        raise DependencyUnavailable

    def _options(self, workload: Workload, port: int) -> dict[str, Any]:
        settings = self._settings
        if workload.kind in OF_RECORDINGS:
            special = self._render(workload)
        else:
            special = self._room(workload, range(port, port + PORTS_PER_WORKER))
        return {
            "image": settings.image,
            "name": _name(workload),
            "labels": {
                LABEL: json.dumps(_body(workload)),
                DEPLOYMENT_LABEL: settings.deployment,
                PORT_LABEL: str(port),
            },
            "volumes": list(settings.mounts),
            "read_only": True,
            "tmpfs": TMPFS,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "mem_limit": MEMORY_LIMIT,
            "pids_limit": PIDS_LIMIT,
            "restart_policy": {"Name": "no"},  # the watchdog relaunches, by epoch
            "stop_signal": "SIGTERM",
            **special,
            "environment": {**special["environment"], **_trace()},
        }

    def _render(self, workload: Workload) -> dict[str, Any]:
        about = (
            *(workload.kind.value, "--recording", workload.key),
            *(OF_RECORDINGS[workload.kind], str(workload.epoch)),
        )
        return {
            "entrypoint": [*RENDER_ENTRYPOINT, *about],
            # It handles none, and Linux keeps others from a container's first process.
            "stop_signal": "SIGKILL",
            "environment": dict(self._settings.render_environment),
        }

    def _room(self, workload: Workload, ports: range) -> dict[str, Any]:
        media_host = _in_url(self._settings.media_host)
        control = f"{_in_url(self._settings.control_host)}:{ports.start}"
        endpoints = [
            {"bind": f"0.0.0.0:{port}", "announced": f"{media_host}:{port}"}
            for port in ports
        ]
        return {
            "ports": {
                **{f"{port}/udp": port for port in ports},
                f"{ports.start}/tcp": (self._settings.control_host, ports.start),
            },
            "environment": {
                **self._settings.worker_environment,
                **self._shared,
                "PARLEY_WORKLOAD": workload.kind.value,
                "PARLEY_RELAY_INDEX": str(workload.index),
                "PARLEY_SPACE_ID": workload.key,
                "PARLEY_EPOCH": str(workload.epoch),
                "PARLEY_CONTROL_BIND": f"0.0.0.0:{ports.start}",
                "PARLEY_CONTROL_URL": f"http://{control}",
                "PARLEY_UDP_ENDPOINTS": json.dumps(endpoints),
            },
        }


class _Closing:
    """Closes an engine's connections at the end of a block."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self._engine = engine

    def __enter__(self) -> docker.DockerClient:
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.close()


class _translated:
    """Takes the engine's errors for a launcher's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        match error:
            case ImageNotFound():
                raise LaunchRefused(
                    f"the engine has no such image: {error.explanation}"
                ) from error
            case NotFound():
                raise DependencyUnavailable from error  # it comes, or goes, just now
            case APIError() if error.is_client_error():
                raise LaunchRefused(f"the engine says: {error.explanation}") from error
            case DockerException() | OSError():
                raise DependencyUnavailable from error


def _all(engine: docker.DockerClient) -> list[Any]:
    found: list[Any] = engine.containers.list(
        all=True, filters={"label": LABEL}, ignore_removed=True
    )
    return found


def _find(engine: docker.DockerClient, name: str) -> Any | None:
    try:
        return engine.containers.get(name)
    except NotFound:
        return None


def _started(container: Any) -> bool:
    """Start it; where the machine has given one of its ports away, remove it."""
    try:
        container.start()
    except APIError as error:
        if _is_being_started(error):
            return True
        if not _is_taken_port(error):
            raise
        container.remove(force=True)
        return False
    return True


def _is_being_started(error: APIError) -> bool:
    # By another launch of the same; Docker answers 304, podman 500.
    return "container state improper" in str(error.explanation)


def _is_taken_name(error: APIError) -> bool:
    # Docker answers 409; podman 500.
    return error.status_code == 409 or "already in use" in str(error.explanation)


def _is_taken_port(error: APIError) -> bool:
    text = str(error.explanation)
    return "address already in use" in text or "port is already allocated" in text


def _name(workload: Workload) -> str:
    kind, key = workload.kind.value, workload.key
    return f"parley-{kind}-{key}-{workload.epoch}-{workload.index}"


def _trace() -> dict[str, str]:
    context = current.get()
    return {} if context is None else {VARIABLE: context.traceparent}


def _body(workload: Workload) -> dict[str, Any]:
    return {
        "kind": workload.kind.value,
        "key": workload.key,
        "epoch": workload.epoch,
        "index": workload.index,
    }


def _workload(body: dict[str, Any]) -> Workload:
    return Workload(
        kind=WorkloadKind(body["kind"]),
        key=body["key"],
        epoch=body["epoch"],
        index=body["index"],
    )


def _instant(text: str) -> datetime:
    # Nanoseconds are more than Python reads.
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
