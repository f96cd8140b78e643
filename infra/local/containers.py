"""Workers in containers, for a stack that otherwise runs as processes."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .refusals import StartRefused

if TYPE_CHECKING:
    from docker.models.containers import Container

_PORTS: Final = "41000-41399"
_API_VERSION: Final = "1.41"  # as the launcher's
_STOP_GRACE_S: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """
    The engine that runs workers.

    Args:
        engine_url: Of Docker's or podman's API.
        image: Of the worker.
    """

    engine_url: str
    image: str

    def environment(
        self,
        *,
        address: str,
        shared: Sequence[Path],
        worker: Mapping[str, str],
        render: Mapping[str, str],
    ) -> dict[str, str]:
        """
        Return what the functions must know to launch containers.

        Args:
            address: Of this machine; a container reaches it, and it reaches us there.
            shared: Folders that a container finds where they are here.
            worker: What every worker is given.
            render: What every render of a recording is given.
        """
        return {
            "PARLEY_LAUNCHER": "container",
            "PARLEY_CONTAINER_ENGINE_URL": self.engine_url,
            "PARLEY_CONTAINER_IMAGE": self.image,
            "PARLEY_CONTAINER_MEDIA_HOST": address,
            "PARLEY_CONTAINER_CONTROL_HOST": address,
            "PARLEY_CONTAINER_PORTS": _PORTS,
            "PARLEY_CONTAINER_MOUNTS": json.dumps(
                [f"{path}:{path}" for path in shared]
            ),
            "PARLEY_WORKER_ENVIRONMENT": json.dumps(dict(worker)),
            "PARLEY_RENDER_ENVIRONMENT": json.dumps(dict(render)),
        }

    def stop(self, deployment: str) -> None:
        """Stop and remove the workers of one deployment, all at the same time."""
        import docker  # a quarter of a second that only containers are worth

        with contextlib.closing(
            docker.DockerClient(base_url=self.engine_url, version=_API_VERSION)
        ) as api:
            label = f"dev.parley.deployment={deployment}"
            found = api.containers.list(all=True, filters={"label": label})
            with ThreadPoolExecutor(max_workers=16) as pool:
                list(pool.map(_stop, found))


def _stop(container: "Container") -> None:
    from docker.errors import APIError

    # At once: on the SIGTERM of `stop` alone a room waits to be relieved.
    with contextlib.suppress(APIError):  # it has ended by itself
        container.kill(signal="SIGINT")
    container.stop(timeout=_STOP_GRACE_S)
    container.remove(force=True)


def containers(
    engine_url: str | None, image: str | None, *, host: str | None
) -> Containers | None:
    """
    Return what the command line asks for, if it asks for containers.

    Raises:
        StartRefused: only a part of it is there.
    """
    if engine_url is None and image is None:
        return None
    if engine_url is None or image is None or host is None:
        raise StartRefused(
            "workers in containers need --engine, --image and --host: a container "
            "cannot reach this machine's loopback"
        )
    return Containers(engine_url=engine_url, image=image)
