"""The web client's page over HTTP: read, kept, and read again."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from spaces.adapters.web_shell import FRESH_FOR_S, HttpWebShell
from spaces.domain.errors import DependencyUnavailable
from spaces.service.web_shell import Shell


class Host(HTTPServer):
    """Serves one page."""

    page = b"<head></head>"
    status = 200
    reads = 0


class Handler(BaseHTTPRequestHandler):
    """Answers with the server's page."""

    server: Host

    def do_GET(self) -> None:
        self.server.reads += 1
        self.send_response(self.server.status)
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Set-Cookie", "a=b")
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[Host]:
    """Yield a server on a port of its own."""
    with Host(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_the_page_is_read_once_in_a_while(host: Host) -> None:
    """
    With its strict headers and no others; again when it is old; the last one when
    that fails.
    """
    now_s = [0.0]
    url = f"http://127.0.0.1:{host.server_port}/index.html"
    shell = HttpWebShell(url, lambda: now_s[0])

    first, second = shell.read(), shell.read()
    reads = host.reads
    host.page = b"<head>new</head>"
    now_s[0] += FRESH_FOR_S
    third = shell.read()
    host.status = 500
    now_s[0] += FRESH_FOR_S
    fourth = shell.read()

    kept = {"Content-Security-Policy": "default-src 'none'"}
    assert first == second == Shell("<head></head>", kept)
    assert (reads, host.reads) == (1, 3)
    assert third == fourth == Shell("<head>new</head>", kept)


def test_a_page_that_never_was_read(host: Host) -> None:
    """
    Where there is nothing to show, it is a lost dependency.
    """
    host.status = 404
    url = f"http://127.0.0.1:{host.server_port}/index.html"

    with pytest.raises(DependencyUnavailable):
        HttpWebShell(url).read()
