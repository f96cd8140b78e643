"""
The part of a cluster's API that allocates GameServers, over HTTP.

Label selectors, states and answers are those of Agones 1.5x; there is no kube-apiserver
without a cluster.  As nasty as one: contention, servers that drain, none that are warm.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SERVERS_PATH = "/apis/agones.dev/v1/namespaces/parley/gameservers"
ALLOCATIONS_PATH = (
    "/apis/allocation.agones.dev/v1/namespaces/parley/gameserverallocations"
)


TOKEN_PATH = "/token"  # of Google's, which gives tokens to service accounts

Labels = Mapping[str, str]


class FakeCluster:
    """
    A fleet of GameServers by name; `contention` allocations are lost first.

    Args:
        on_allocated: Called with a server's name and its new labels, in a thread.
    """

    def __init__(
        self, on_allocated: Callable[[str, Labels], None] = lambda *_: None
    ) -> None:
        self._on_allocated = on_allocated
        self.servers: dict[str, dict[str, Any]] = {}
        self.contention = 0
        self.token_life_s = 3600
        self.error: int | None = None
        self.calls: list[str] = []
        self.url = ""
        self._lock = threading.Lock()

    def add_server(self, name: str, fleet: str = "workers", **metadata: Any) -> None:
        """Add one that is warm."""
        self.servers[name] = {
            "metadata": {
                "name": name,
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"agones.dev/fleet": fleet},
                "annotations": {},
                **metadata,
            },
            "status": {"state": "Ready"},
        }

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Return status and body."""
        url = urlsplit(target)
        with self._lock:
            self.calls.append(f"{method} {url.path}")
            if url.path == TOKEN_PATH:
                return 200, {"access_token": "t", "expires_in": self.token_life_s}
            if self.error is not None:
                return self.error, {"kind": "Status", "code": self.error}
            if (method, url.path) == ("POST", ALLOCATIONS_PATH):
                return 201, {**body, "status": self._allocate(body["spec"])}
            if (method, url.path) == ("GET", SERVERS_PATH):
                selector = parse_qs(url.query).get("labelSelector", [""])[0]
                items = [s for s in self.servers.values() if _matches(s, selector)]
                return 200, {"kind": "GameServerList", "items": items}
            folder, _, name = url.path.rpartition("/")
            if (method, folder) == ("DELETE", SERVERS_PATH) and name in self.servers:
                # It drains for a while, and is listed while it does.
                self.servers[name]["metadata"]["deletionTimestamp"] = "now"
                return 200, self.servers[name]
            return 404, {"kind": "Status", "code": 404}

    def _allocate(self, spec: Any) -> dict[str, Any]:
        if self.contention:
            self.contention -= 1
            return {"state": "Contention"}
        (selector,) = spec["selectors"]
        wanted = ",".join(f"{k}={v}" for k, v in selector["matchLabels"].items())
        for name, server in self.servers.items():
            ready = server["status"]["state"] == selector["gameServerState"]
            if ready and _matches(server, wanted):
                for kind in ("labels", "annotations"):
                    server["metadata"][kind] |= spec["metadata"].get(kind, {})
                server["status"]["state"] = "Allocated"
                self._on_allocated(name, server["metadata"]["labels"])
                return {"state": "Allocated", "gameServerName": name}
        return {"state": "UnAllocated"}


def _matches(server: dict[str, Any], selector: str) -> bool:
    labels = server["metadata"]["labels"]
    for term in filter(None, selector.split(",")):
        key, equals, value = term.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


@contextmanager
def running_cluster(given: FakeCluster | None = None) -> Iterator[FakeCluster]:
    """Serve a cluster's API on loopback; a new one, unless one is given."""
    cluster = given or FakeCluster()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            said = self.rfile.read(length)
            # Who asks for a token sends a form.
            body = None if self.path == TOKEN_PATH else json.loads(said or b"null")
            status, answer = cluster.answer(self.command, self.path, body)
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = do

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        cluster.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield cluster
        finally:
            server.shutdown()
            thread.join()
