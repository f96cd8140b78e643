"""What launchers must know; read from the environment elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PORTS_PER_WORKER: Final = 4  # UDP, one for each process of a worker; TCP on the first


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """
    An engine with Docker's API (Docker, podman) on one machine.

    Args:
        deployment: Tells this deployment's containers from others' on that machine.
        engine_url: unix:///… or tcp://….
        image: Of the worker; by digest in production.
        media_host: Address of that machine that clients send media to; its own
            containers too, as relays do.
        control_host: Address of that machine that the functions reach, and its own
            containers, and no client.
        ports: The machine's ports for workers, `PORTS_PER_WORKER` for each.
        mounts: Folders of the machine, "/source:/target" or "/source:/target:ro".
        worker_environment: What every worker is given beside what its Space gives.
        render_environment: What every render of a recording is given.
    """

    deployment: str
    engine_url: str
    image: str
    media_host: str
    control_host: str
    ports: range
    mounts: tuple[str, ...]
    worker_environment: Mapping[str, str]
    render_environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesApi:
    """
    A cluster as it is reached from outside.

    Args:
        ca_file: Of the authority that signed its certificate.
    """

    url: str
    ca_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgonesSettings:
    """
    A warm fleet of workers.

    Args:
        fleet: Of rooms and relays.
        render_fleet: Of renders, which alone can sign manifests.
        api: None is the cluster that the functions themselves run in.
    """

    namespace: str
    fleet: str
    render_fleet: str
    api: KubernetesApi | None
