"""Real images in a real engine: podman's API, which speaks Docker's."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 20.0
BUILD_TIMEOUT_S = 900.0


@pytest.fixture(scope="session")
def images() -> None:
    """Both images, built from this work tree."""
    for program in ("podman", "mmdebstrap"):
        if shutil.which(program) is None:
            pytest.fail(f"install {program}: these tests build and run real images")
    subprocess.run(
        [ROOT / "infra" / "containers" / "build.sh"],
        check=True,
        timeout=BUILD_TIMEOUT_S,
    )


@pytest.fixture(scope="session")
def engine_url(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The engine's API on a socket of our own."""
    socket = tmp_path_factory.mktemp("engine") / "podman.sock"
    url = f"unix://{socket}"
    command = ["podman", "system", "service", "--time", "0", url]
    service = subprocess.Popen(command, env=dict(os.environ))
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not socket.exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    yield url
    service.terminate()
    service.wait(START_TIMEOUT_S)


@pytest.fixture
def engine(engine_url: str) -> Iterator[docker.DockerClient]:
    """A client to look at what is really there."""
    with closing(docker.DockerClient(base_url=engine_url)) as client:
        yield client
