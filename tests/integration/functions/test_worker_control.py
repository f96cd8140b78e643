"""What the functions make of a worker's answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spaces.adapters.launchers.process import ProcessLauncher
from spaces.adapters.worker_control import HttpWorkerControl
from spaces.domain.errors import DependencyUnavailable
from spaces.service.errors import WorkerRefused, WorkerUnreachable
from spaces.service.ports import LaunchRefused, Workload, WorkloadKind
from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId

SESSION = SessionId("session-0123456789")
ROOM = Workload(kind=WorkloadKind.ROOM, key="s", epoch=3)


class Peer:
    """Answers each request the same, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 201
        self.headers: dict[str, str] = {"Parley-Session-Id": SESSION}
        self.body = b"v=0\r\n"
        self.seen: list[tuple[str, str, str, bytes]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                token = self.headers.get("Authorization", "")
                peer.seen.append((self.command, self.path, token, body))
                self.send_response(peer.status)
                for name, value in peer.headers.items():
                    self.send_header(name, value)
                sent = b"" if peer.status == 204 else peer.body
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_POST = do_DELETE = answer

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Yield a peer that listens."""
    peer = Peer()
    thread = threading.Thread(target=peer.server.serve_forever, args=(0.05,))
    thread.start()
    yield peer
    peer.server.shutdown()
    peer.server.server_close()
    thread.join()


def test_an_opened_session(peer: Peer) -> None:
    """
    The offer goes out as it came, with the forward; answer and id come back.
    """
    opened = HttpWorkerControl().open_session(
        peer.url, forward="signed", offer_sdp=b"v=0\r\n\xc3\xbc"
    )

    assert (opened.session_id, opened.answer_sdp) == (SESSION, "v=0\r\n")
    assert peer.seen == [("POST", "/sessions", "Bearer signed", b"v=0\r\n\xc3\xbc")]


def test_a_closed_session(peer: Peer) -> None:
    """
    DELETE names the session.
    """
    peer.status = 204

    HttpWorkerControl().close_session(peer.url, forward="signed", session_id=SESSION)

    assert peer.seen == [("DELETE", f"/sessions/{SESSION}", "Bearer signed", b"")]


def test_a_refusal_carries_its_reason(peer: Peer) -> None:
    """
    The worker's code and words reach the caller.
    """
    peer.status, peer.body = 422, b'{"code": "sdp-no-audio", "detail": "video only"}'

    with pytest.raises(WorkerRefused, match="video only") as refused:
        HttpWorkerControl().open_session(peer.url, forward="f", offer_sdp=b"v=0")

    assert refused.value.reason is ControlError.SDP_NO_AUDIO


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"Internal Server Error"),
        (400, b'{"code": "made-up", "detail": ""}'),
        (400, b'["code"]'),
        (404, b"null"),
        (200, b"v=0"),
        (302, b""),
    ],
)
def test_nonsense_is_no_answer(peer: Peer, status: int, body: bytes) -> None:
    """
    Whoever answers like that is not the worker: try again.
    """
    peer.status, peer.body, peer.headers = status, body, {"Location": peer.url}

    with pytest.raises(WorkerUnreachable):
        HttpWorkerControl().open_session(peer.url, forward="f", offer_sdp=b"v=0")


def test_a_session_id_is_not_trusted(peer: Peer) -> None:
    """
    An id that cannot stand in a URL is no id.
    """
    peer.headers = {"Parley-Session-Id": "../../etc"}

    with pytest.raises(WorkerUnreachable):
        HttpWorkerControl().open_session(peer.url, forward="f", offer_sdp=b"v=0")


@pytest.mark.parametrize("status", [200, 201])
def test_a_launch_is_named(peer: Peer, status: int) -> None:
    """
    New or known, a workload has a reference; the supervisor sees all four of its names.
    """
    peer.status, peer.body = status, b'{"ref": "w1"}'

    assert ProcessLauncher(peer.url, token="t").launch(ROOM) == "w1"
    assert peer.seen[0][:3] == ("POST", "/workloads", "Bearer t")
    assert peer.seen[0][3] == b'{"kind": "room", "key": "s", "epoch": 3, "index": 0}'


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, DependencyUnavailable), (400, LaunchRefused), (401, LaunchRefused)],
)
def test_a_launch_that_fails(peer: Peer, status: int, error: type[Exception]) -> None:
    """
    What may pass is told from what is for good.
    """
    peer.status = status

    with pytest.raises(error):
        ProcessLauncher(peer.url, token="t").launch(ROOM)


@pytest.mark.parametrize("status", [204, 404])
def test_what_is_gone_is_terminated(peer: Peer, status: int) -> None:
    """
    Terminating twice is harmless.
    """
    peer.status = status

    ProcessLauncher(peer.url, token="t").terminate("w1")

    assert peer.seen[0][:2] == ("DELETE", "/workloads/w1")
