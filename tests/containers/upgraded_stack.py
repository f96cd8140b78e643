"""A stack whose workers are containers, and whose image gets a new version."""

import io
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker

from spaces.adapters.launchers.container import DEPLOYMENT_LABEL, LABEL
from spaces.service.ports import WorkloadKind
from tests.phones import another_address
from tests.running_stack import RunningStack, running_stack

REPOSITORY: Final = "localhost/parley-upgraded"
NEXT_VERSION: Final = "FROM {image}\nLABEL dev.parley.test=upgrade\n"


class WorkerContainer:
    """A worker that is told to leave as an operator does it: `podman kill`."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._container.kill(signal="SIGTERM")

    def wait(self, timeout: float) -> None:
        """Return when it has ended, by itself; `timeout` in seconds."""
        assert self._container.wait(timeout=timeout)["StatusCode"] == 0


class UpgradedStack:
    """
    A running stack as its engine sees it.

    Args:
        image: Name by which it launches workers.
    """

    def __init__(
        self, stack: RunningStack, engine: docker.DockerClient, image: str
    ) -> None:
        self._stack = stack
        self._engine = engine
        self._image = image

    @property
    def url(self) -> str:
        """Where the stack is served."""
        return self._stack.url

    def workers(self, space_id: str) -> list[WorkerContainer]:
        """Return the media workers that run a Space."""
        return [
            WorkerContainer(each)
            for each in self._rooms()
            if json.loads(each.labels[LABEL])["key"] == space_id
        ]

    def publish(self) -> None:
        """Build a version on top of the present one, and give it the name."""
        now: Any = self._engine.images.get(self._image)
        version = NEXT_VERSION.format(image=now.id.removeprefix("sha256:"))
        self._engine.images.build(
            fileobj=io.BytesIO(version.encode()), tag=self._image, rm=True
        )

    def versions(self) -> list[bool]:
        """Return for each worker that runs, whether its image has the name now."""
        image = self._engine.images.get(self._image).id
        return [each.image.id == image for each in self._rooms()]

    def _rooms(self) -> list[Any]:
        return [
            each
            for each in self._engine.containers.list(
                filters={"label": f"{DEPLOYMENT_LABEL}={self.url}"}
            )
            if json.loads(each.labels[LABEL])["kind"] == WorkloadKind.ROOM.value
        ]


@contextmanager
def upgraded_stack(
    data: Path, engine: docker.DockerClient, engine_url: str, image: str
) -> Iterator[UpgradedStack]:
    """Start a stack whose workers run `image`, by a name that is gone at the end."""
    # Nobody else's next container is to be of a test's version.
    tag = secrets.token_hex(4)
    engine.images.get(image).tag(REPOSITORY, tag)
    name = f"{REPOSITORY}:{tag}"
    options = ("--engine", engine_url, "--image", name)
    try:
        with running_stack(data, host=another_address(), options=options) as stack:
            yield UpgradedStack(stack, engine, name)
    finally:
        engine.images.remove(name)
