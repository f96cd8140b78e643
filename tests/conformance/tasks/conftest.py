"""Fixtures of the Cloud Tasks conformance tests."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.tasks.harness import (
    Client,
    Target,
    TasksServer,
    make_queue,
    serving_target,
)


@pytest.fixture
def target() -> Iterator[Target]:
    """A handler of tasks on loopback."""
    with serving_target() as target:
        yield target


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the shared server."""
    return tmp_path_factory.mktemp("tasks")


@pytest.fixture(scope="session")
def client(shared_data: Path) -> Iterator[Client]:
    """The real client, on one server for all tests that do not kill it."""
    server = TasksServer(shared_data)
    yield server.start()
    server.kill(signal.SIGTERM)


@pytest.fixture
def queue(client: Client) -> str:
    """A queue of the test's own, which retries soon."""
    return make_queue(client)
