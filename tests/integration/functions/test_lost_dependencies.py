"""A dependency that is gone costs a caller seconds and an honest answer, not a hang."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.firestore_v1.types import RunQueryResponse

from spaces.adapters import worker_control
from spaces.adapters.clock import random_token
from spaces.adapters.firestore.client import (
    RETRY_FOR_S,
    RPC_TIMEOUT_S,
    BoundedClient,
)
from spaces.adapters.launchers.process import ProcessLauncher
from spaces.adapters.worker_control import HttpWorkerControl
from spaces.domain.errors import DependencyUnavailable
from spaces.service.errors import WorkerUnreachable
from spaces.service.ports import Workload, WorkloadKind
from tests.builders import SPACE_ID
from tests.firestore_world import FirestoreWorld
from tests.integration.functions.conftest import (
    connected,
    started,
    stopped,
)
from tests.world import code_of

PATH = f"/v1/spaces/{SPACE_ID}"


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an address that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed_port() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("closed_port", "GET", PATH),
        ("closed_port", "GET", "/v1/spaces"),
        ("closed_port", "PUT", "/v1/me"),
        ("nobody", "POST", f"{PATH}/join"),
        ("nobody", "PUT", "/v1/me"),
    ],
)
def test_a_lost_firestore_is_503(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    method: str,
    path: str,
) -> None:
    """
    Reads, queries, joins and transactions answer 503 with Retry-After in seconds.
    """
    person = {"handle": "ana", "display_name": "Ana"}
    body = person if method == "PUT" else None

    address = request.getfixturevalue(kind)
    for client in connected(address, monkeypatch, patience_s=RPC_TIMEOUT_S):
        world = FirestoreWorld(client)
        response = world.call(method, path, as_user="ana", json=body)

    assert (response.status_code, code_of(response)) == (503, "dependency-unavailable")
    assert response.headers["Retry-After"] == "1"


def test_a_restart_goes_unnoticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A Firestore that was killed and is back answers the next call, with all it had.
    """
    server, address = started("firestore", tmp_path)
    port = address.rsplit(":", 1)[1]
    for client in connected(address, monkeypatch):
        world = FirestoreWorld(client)
        person = {"handle": "ana", "display_name": "Ana"}
        before = world.call("PUT", "/v1/me", as_user="ana", json=person)
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
        server, _ = started("firestore", tmp_path, "--port", port)
        after = world.call("GET", "/v1/me", as_user="ana")
        assert after.get_json() == before.get_json()
    stopped(server)


@pytest.mark.parametrize("scheduled_start", [None, "2030-05-05T12:00:00Z"])
@pytest.mark.parametrize("keyed", [False, True])
def test_a_lost_answer_makes_one_space(
    client: BoundedClient,
    monkeypatch: pytest.MonkeyPatch,
    scheduled_start: str | None,
    keyed: bool,
) -> None:
    """
    A commit that was applied, and then repeated as its answer was lost, is 201.
    """
    world = FirestoreWorld(client)
    person = {"handle": "lost", "display_name": "Lost"}
    world.call("PUT", "/v1/me", as_user="lost", json=person)
    commit = client._firestore_api.commit

    def twice(*arguments: Any, **options: Any) -> Any:
        commit(*arguments, **options)
        return commit(*arguments, **options)

    monkeypatch.setattr(client._firestore_api, "commit", twice)
    body = {"scheduled_start": scheduled_start} if scheduled_start else {}
    headers = {"Idempotency-Key": random_token()} if keyed else {}
    made = world.call("POST", "/v1/spaces", as_user="lost", json=body, headers=headers)

    path = made.headers["Location"]
    assert made.status_code == 201
    assert world.call("GET", path).get_json() == made.get_json()


@pytest.mark.parametrize("kind", ["nobody", "closed_port"])
def test_a_lost_worker_is_unreachable(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """
    A worker that is silent, or is not there, is said to be unreachable.
    """
    monkeypatch.setattr(worker_control, "READ_TIMEOUT_S", 0.2)  # of 5
    url = f"http://{request.getfixturevalue(kind)}"

    with pytest.raises(WorkerUnreachable):
        HttpWorkerControl().open_session(url, forward="f", offer_sdp=b"v=0")


def test_a_lost_supervisor_passes(closed_port: str) -> None:
    """
    A launch that finds no supervisor may succeed later.
    """
    launcher = ProcessLauncher(f"http://{closed_port}", token="t")

    with pytest.raises(DependencyUnavailable):
        launcher.launch(Workload(kind=WorkloadKind.ROOM, key="s", epoch=1))


def test_the_bounded_client_bounds_every_method(
    closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What `BoundedClient` overrides is what the library uses: no method keeps 60 s.
    """
    for client in connected(closed_port, monkeypatch, patience_s=RPC_TIMEOUT_S):
        wrapped: Any = client._firestore_api.transport._wrapped_methods

    assert len(wrapped) > 10
    assert {method._timeout for method in wrapped.values()} == {RPC_TIMEOUT_S}
    assert {method._retry.timeout for method in wrapped.values()} == {RETRY_FOR_S}


@pytest.fixture
def breaking_off() -> Iterator[str]:
    """Yield the address of a Firestore whose answers to queries break off."""

    def run_query(_: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield RunQueryResponse.serialize(RunQueryResponse())
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "Stream removed")

    handlers = {"RunQuery": grpc.unary_stream_rpc_method_handler(run_query)}
    service = "google.firestore.v1.Firestore"
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, handlers)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait(5)


def test_an_answer_that_breaks_off_is_503(
    breaking_off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A query that fails half-way is no error of ours, whatever the library makes of it.
    """
    for client in connected(breaking_off, monkeypatch):
        answer = FirestoreWorld(client).call("GET", "/v1/spaces")

    assert (answer.status_code, code_of(answer)) == (503, "dependency-unavailable")
