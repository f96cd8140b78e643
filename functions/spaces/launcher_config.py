"""Which launcher starts workers, and what it must know."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from .adapters.launchers.settings import (
    PORTS_PER_WORKER,
    AgonesSettings,
    ContainerSettings,
    KubernetesApi,
)
from .environment import EnvironmentReader

_PORTS_FORM: Final = "first-last, as in 41000-41999"


class LauncherKind(StrEnum):
    """Where workers run."""

    PROCESS = "process"
    CONTAINER = "container"
    AGONES = "agones"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfig:
    """The supervisor of the embedded stack."""

    url: str
    token: str


LauncherConfig = ProcessConfig | ContainerSettings | AgonesSettings


def read_launcher(
    reader: EnvironmentReader, *, production: bool
) -> LauncherConfig | None:
    """Read what `PARLEY_LAUNCHER` needs; None after a complaint to `reader`."""
    name = reader.text("PARLEY_LAUNCHER")
    match name:
        case LauncherKind.CONTAINER:
            return _container(reader)
        case LauncherKind.AGONES:
            return _agones(reader)
        case LauncherKind.PROCESS if not production:
            return ProcessConfig(
                url=reader.text("PARLEY_LOCAL_LAUNCHER_URL"),
                token=reader.text("PARLEY_LOCAL_LAUNCHER_TOKEN"),
            )
    if name:
        reader.complain(f"PARLEY_LAUNCHER cannot be {name!r} here")
    return None


def _container(reader: EnvironmentReader) -> ContainerSettings:
    return ContainerSettings(
        deployment=reader.text("PARLEY_PUBLIC_URL").rstrip("/"),
        engine_url=reader.text("PARLEY_CONTAINER_ENGINE_URL"),
        image=reader.text("PARLEY_CONTAINER_IMAGE"),
        media_host=reader.text("PARLEY_CONTAINER_MEDIA_HOST"),
        control_host=reader.text("PARLEY_CONTAINER_CONTROL_HOST"),
        ports=_ports(reader, "PARLEY_CONTAINER_PORTS"),
        mounts=reader.json(
            "PARLEY_CONTAINER_MOUNTS", _texts, default="[]", form='["/srv/a:/a", …]'
        )
        or (),
        worker_environment=reader.json(
            "PARLEY_WORKER_ENVIRONMENT",
            _environment,
            default="{}",
            form='{"PARLEY_LIVE_EDGE_URL": "s3://…", …}',
        )
        or {},
        render_environment=reader.json(
            "PARLEY_RENDER_ENVIRONMENT",
            _environment,
            default="{}",
            form='{"PARLEY_PROOF_PRIVATE_KEY": "-----BEGIN…", …}',
        )
        or {},
    )


def _agones(reader: EnvironmentReader) -> AgonesSettings:
    outside = "PARLEY_KUBERNETES_API_URL" in reader.env
    return AgonesSettings(
        namespace=reader.text("PARLEY_AGONES_NAMESPACE"),
        fleet=reader.text("PARLEY_AGONES_FLEET"),
        render_fleet=reader.text("PARLEY_AGONES_RENDER_FLEET"),
        api=KubernetesApi(
            url=reader.text("PARLEY_KUBERNETES_API_URL"),
            ca_file=reader.text("PARLEY_KUBERNETES_CA_FILE"),
        )
        if outside
        else None,
    )


def _ports(reader: EnvironmentReader, name: str) -> range:
    first, _, last = reader.text(name).partition("-")
    if first.isdecimal() and last.isdecimal():
        ports = range(int(first), int(last) + 1)
        if ports.start > 0 and ports.stop <= 65_536 and len(ports) >= PORTS_PER_WORKER:
            return ports
    if first:
        reader.complain(
            f"{name} must be {_PORTS_FORM}, at least {PORTS_PER_WORKER} ports"
        )
    return range(0)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError(value)
    return tuple(value)


def _environment(value: Any) -> Mapping[str, str]:
    if not all(isinstance(each, str) for each in value.values()):
        raise TypeError(value)
    return dict(value)
