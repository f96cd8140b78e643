"""Webhooks go where they were configured to go, and nowhere from there."""

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from urllib3.util import connection

from infra.local import certificates
from spaces.adapters.webhooks import HttpWebhookSender
from spaces.domain.errors import DependencyUnavailable

PUBLIC, OTHER = "93.184.215.14", "93.184.215.15"


class Receiver:
    """Answers each POST the same, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, bytes, str | None]] = []
        self.hosts: list[str | None] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, body, self.headers["webhook-id"]))
                receiver.hosts.append(self.headers["Host"])
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


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Let names lead to one list of addresses after the other, then to the last."""
    left = list(answers)

    def resolved(host: str, port: int, *_: object, **__: object) -> list[object]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        if host[0].isdecimal():
            addresses = [host]
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


class Dialled(list[tuple[str, int]]):
    """What was dialled instead of being called; `leads_to`: where that really is."""

    leads_to: int | None = None

    def __call__(
        self, address: tuple[str, int], *_: object, **__: object
    ) -> socket.socket:
        self.append(address)
        if self.leads_to is None:
            raise ConnectionRefusedError
        found = socket.socket()
        found.connect(("127.0.0.1", self.leads_to))
        return found


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> Dialled:
    """Keep who is called from being reached."""
    calls = Dialled()
    monkeypatch.setattr("urllib3.util.connection.create_connection", calls)
    return calls


@pytest.mark.parametrize(
    ("addresses", "called"),
    [
        ([PUBLIC], [(PUBLIC, 443)]),
        ([PUBLIC, OTHER], [(PUBLIC, 443), (OTHER, 443)]),
        (["2606:4700::1"], [("2606:4700::1", 443)]),
        ([PUBLIC, "10.0.0.1"], []),
        (["64:ff9b::a00:1"], []),  # what NAT64 makes 10.0.0.1 of
        (["2002:7f00:1::"], []),  # 6to4, likewise
        (["::ffff:169.254.169.254"], []),
        (["fec0::1"], []),
        (["224.0.0.1"], []),
    ],
)
def test_a_name_is_called_where_all_its_addresses_are_public(
    monkeypatch: pytest.MonkeyPatch,
    dialled: Dialled,
    addresses: list[str],
    called: list[tuple[str, int]],
) -> None:
    """
    One private address among others is enough for nobody to be called.
    """
    resolving(monkeypatch, addresses)

    with pytest.raises(DependencyUnavailable):
        HttpWebhookSender(private=False).post("https://hooks.example/", b"{}", {})
    assert dialled == called


def test_a_name_that_leads_elsewhere_a_moment_later(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """
    Who answers for a name cannot have a public address checked and another one called.
    """
    dialled: list[tuple[str, int]] = []
    create_connection = connection.create_connection

    def dial(address: tuple[str, int], *args: Any, **keywords: Any) -> socket.socket:
        dialled.append(address)
        if address[0] == PUBLIC:
            raise ConnectionRefusedError
        return create_connection(address, *args, **keywords)

    monkeypatch.setattr(connection, "create_connection", dial)
    resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])
    url = receiver.url.replace("127.0.0.1", "hooks.example")

    with pytest.raises(DependencyUnavailable):
        HttpWebhookSender(private=False).post(url, b"{}", {})
    assert receiver.got == []
    assert dialled == [(PUBLIC, receiver.server.server_port)]


@pytest.mark.parametrize(
    ("url", "name", "path"),
    [
        ("https://hooks.example/hook", "hooks.example", "/hook"),
        ("https://hooks.example?k=a|b", "hooks.example", "/?k=a%7Cb"),
        ("https://hooks.example/a%2Db", "hooks.example", "/a-b"),
        ("https://bücher.example/für", "xn--bcher-kva.example", "/f%C3%BCr"),
    ],
)
def test_the_checked_address_proves_the_name(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    dialled: Dialled,
    receiver: Receiver,
    url: str,
    name: str,
    path: str,
) -> None:
    """
    TLS asks for the name's certificate, and the receiver is called by its name, however
    an operator spelt the URL.
    """
    authority = over_tls(receiver, name, tmp_path)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", authority)
    resolving(monkeypatch, [PUBLIC])
    dialled.leads_to = receiver.server.server_port
    sender = HttpWebhookSender(private=False)

    assert sender.post(url, b"{}", {"webhook-id": "e"}) == 200
    with pytest.raises(DependencyUnavailable):
        sender.post("https://other.example/hook", b"{}", {})
    assert receiver.got == [(path, b"{}", "e")]
    assert receiver.hosts == [name]
    assert dialled == [(PUBLIC, 443)] * 2


def over_tls(receiver: Receiver, host: str, folder: Path) -> str:
    """Have the receiver prove that it is `host`; return the authority's file."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = certificates.authority(authority_key)
    proof = certificates.server(
        key, hosts=(host,), issuer=authority, issuer_key=authority_key
    )
    trusted, chain = folder / "authority.pem", folder / "chain.pem"
    trusted.write_bytes(certificates.to_pem(authority))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain.write_bytes(private + certificates.to_pem(proof))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = receiver.server
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    return str(trusted)


def test_nobody_there() -> None:
    """
    The task is to come again.
    """
    with pytest.raises(DependencyUnavailable):
        HttpWebhookSender(private=True).post("http://127.0.0.1:9/", b"{}", {})
