"""Both servers, side by side: every test that takes `db` runs on each that is there."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.firestore.servers import (
    JAR_VARIABLE,
    Client,
    ParleyFirestore,
    client,
    emulator_jar,
    running,
    running_emulator,
)

INDEXES = Path(__file__).parent / "indexes.json"
JAR = emulator_jar()
SERVERS = ["parley"] if JAR is None else ["parley", "google"]
_projects = itertools.count(1)


def pytest_report_header() -> str:
    """Say whether Google's emulator is held against ours."""
    if JAR is None:
        return (
            "firestore conformance: Google's emulator skipped, no jar found "
            f"(set {JAR_VARIABLE})"
        )
    return "firestore conformance: also on Google's emulator"


@pytest.fixture(scope="session")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParleyFirestore]:
    """Our server, for the whole run."""
    data = tmp_path_factory.mktemp("firestore")
    with running(data, "--indexes", str(INDEXES)) as server:
        yield server


@pytest.fixture(scope="session")
def google() -> Iterator[str]:
    """Google's emulator, for the whole run."""
    assert JAR is not None
    with running_emulator(JAR) as emulator:
        yield emulator.address


@pytest.fixture(params=SERVERS)
def address(request: pytest.FixtureRequest) -> str:
    """Host and port of one server after the other."""
    if request.param == "google":
        found: str = request.getfixturevalue("google")
        return found
    server: ParleyFirestore = request.getfixturevalue("parley")
    return server.address


@pytest.fixture
def project() -> str:
    """A project of the test's own: an empty database."""
    return f"demo-{next(_projects)}"


@pytest.fixture
def db(address: str, project: str) -> Iterator[Client]:
    """The real client on an empty database of each server."""
    with client(address, project) as made:
        yield made


@pytest.fixture
def ours(parley: ParleyFirestore, project: str) -> Iterator[Client]:
    """The real client on an empty database of our server alone."""
    with client(parley.address, project) as made:
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test opens and leaves to be closed."""
    with ExitStack() as opened:
        yield opened
