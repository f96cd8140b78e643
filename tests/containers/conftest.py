"""Real images, built before, in a real engine: podman, which speaks Docker's API."""

import shutil
from collections.abc import Iterator
from contextlib import closing

import docker
import pytest

from tests.containers.engine import running_engine


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The engine's API on a socket of our own."""
    if shutil.which("podman") is None:
        pytest.fail("install podman: these tests run the images that it has built")
    with running_engine(tmp_path_factory.mktemp("engine")) as url:
        yield url


@pytest.fixture
def engine(engine_url: str) -> Iterator[docker.DockerClient]:
    """A client to look at what is really there."""
    with closing(docker.DockerClient(base_url=engine_url)) as client:
        yield client
