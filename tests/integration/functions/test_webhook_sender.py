"""Webhooks go where they were configured to go, and nowhere from there."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from spaces.adapters.webhooks import HttpWebhookSender
from spaces.domain.errors import DependencyUnavailable


class Receiver:
    """Answers each POST the same, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, bytes, str | None]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, body, self.headers["webhook-id"]))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Yield a receiver that listens."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.05,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.mark.parametrize("status", [200, 302, 307, 410, 500])
def test_one_post_and_its_status(receiver: Receiver, status: int) -> None:
    """
    Redirects are answers like others: what is signed goes to no third party.
    """
    receiver.status = status
    sender = HttpWebhookSender(private=True)

    assert sender.post(receiver.url, b"{}", {"webhook-id": "evt_1"}) == status
    assert receiver.got == [("/hook", b"{}", "evt_1")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1"])
def test_private_addresses_are_not_called_in_production(
    receiver: Receiver, host: str
) -> None:
    """
    Nothing inside a cloud's network is reached by a webhook.
    """
    url = receiver.url.replace("127.0.0.1", host)

    with pytest.raises(DependencyUnavailable):
        HttpWebhookSender(private=False).post(url, b"{}", {})
    assert receiver.got == []


@pytest.mark.parametrize(
    ("addresses", "called"),
    [
        (["93.184.215.14"], ["https://hooks.example/"]),
        (["93.184.215.14", "10.0.0.1"], []),
    ],
)
def test_a_name_is_called_where_all_its_addresses_are_public(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], called: list[str]
) -> None:
    """
    One private address among others is enough for nobody to be called.
    """
    asked: list[str] = []

    def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in addresses
        ]

    def post(url: str, **_: object) -> None:
        asked.append(url)
        raise requests.ConnectionError

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(requests, "post", post)

    with pytest.raises(DependencyUnavailable):
        HttpWebhookSender(private=False).post("https://hooks.example/", b"{}", {})
    assert asked == called


def test_nobody_there() -> None:
    """
    The task is to come again.
    """
    with pytest.raises(DependencyUnavailable):
        HttpWebhookSender(private=True).post("http://127.0.0.1:9/", b"{}", {})
