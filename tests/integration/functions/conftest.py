"""The embedded Firestore for the functions' adapters, as processes of their own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from spaces.adapters.firestore import client as firestore_client
from spaces.adapters.firestore.client import BoundedClient
from tests.bound_process import bound
from tests.firestore_world import FirestoreWorld
from tests.world import World

STOP_WITHIN_S = 60
# A busy machine needs more than the functions have: whoever contends waits for others.
PATIENCE_S = 60.0


def pytest_configure(config: pytest.Config) -> None:
    """Load what collects the fuzzing of the API; other folders need not wait for it."""
    config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


def started(kind: str, data: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start an embedded server; return it with its address once it serves."""
    server = subprocess.Popen(
        bound(
            *(sys.executable, "-m", "infra.local", kind),
            *("--port", "0", "--data", str(data), *options),
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("ready "), f"{kind} did not start: {line!r}"
    return server, line.removeprefix("ready ").strip()


def stopped(server: subprocess.Popen[str]) -> None:
    """Stop a server and wait for its end."""
    server.terminate()
    server.wait(STOP_WITHIN_S)
    assert server.stdout is not None
    server.stdout.close()


def served(data: Path, *options: str) -> Iterator[str]:
    """Run the embedded Firestore; yield its address."""
    server, address = started("firestore", data, *options)
    yield address
    stopped(server)


@pytest.fixture(scope="session")
def optimistic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a Firestore that finds conflicts at the commit."""
    yield from served(tmp_path_factory.mktemp("optimistic"))


@pytest.fixture(scope="session")
def pessimistic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a Firestore that locks what is read, as production's."""
    yield from served(tmp_path_factory.mktemp("pessimistic"), "--pessimistic")


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[str]:
    """A server of the test's own: what others left behind would be billed."""
    yield from served(tmp_path)


@pytest.fixture
def client(optimistic: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundedClient]:
    """Yield the functions' own client."""
    yield from connected(optimistic, monkeypatch)


@pytest.fixture(params=["optimistic", "pessimistic"])
def contended_client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BoundedClient]:
    """Yield the functions' own client, once for each kind of locking."""
    yield from connected(request.getfixturevalue(request.param), monkeypatch)


def connected(
    address: str, monkeypatch: pytest.MonkeyPatch, *, patience_s: float = PATIENCE_S
) -> Iterator[BoundedClient]:
    """
    Yield a client of the server at `address`; close it afterwards.

    Args:
        patience_s: For one call; the functions have `RPC_TIMEOUT_S`.
    """
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
    monkeypatch.setattr(firestore_client, "RPC_TIMEOUT_S", patience_s)
    client: Any = BoundedClient(project="demo-parley")
    yield client
    client.close()


@pytest.fixture
def world(client: BoundedClient) -> World:
    """Return a deployment on Firestore."""
    return FirestoreWorld(client)


@pytest.fixture
def contended_world(contended_client: BoundedClient) -> World:
    """Return a deployment on Firestore, once for each kind of locking."""
    return FirestoreWorld(contended_client)


@pytest.fixture
def operations(optimistic: str) -> Iterator[grpc.Channel]:
    """Yield a channel to the counter of the Firestore that `client` talks to."""
    with grpc.insecure_channel(optimistic) as channel:
        yield channel
