"""Real images, built before, in a real engine: podman, which speaks Docker's API."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import docker
import pytest

from infra.local.processes import dies_with

START_TIMEOUT_S = 20.0


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The engine's API on a socket of our own."""
    if shutil.which("podman") is None:
        pytest.fail("install podman: these tests run the images that it has built")
    socket = tmp_path_factory.mktemp("engine") / "podman.sock"
    url = f"unix://{socket}"
    command = ["podman", "system", "service", "--time", "0", url]
    service = subprocess.Popen(
        command,
        env=dict(os.environ),
        preexec_fn=dies_with(os.getpid()),
    )
    with service:
        try:
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while not socket.exists():
                assert time.monotonic() < deadline_s, "podman's service does not start"
                time.sleep(0.05)
            yield url
        finally:
            service.terminate()
            try:
                service.wait(START_TIMEOUT_S)
            finally:
                service.kill()  # containers are not its children, and lose nothing


@pytest.fixture
def engine(engine_url: str) -> Iterator[docker.DockerClient]:
    """A client to look at what is really there."""
    with closing(docker.DockerClient(base_url=engine_url)) as client:
        yield client
