"""
CPU of a request above that of a bare Flask function with the same answer.

Firestore's part is left out by stores in memory; ID tokens are verified and grants are
signed as in production.  Both are called as WSGI applications, in turns.
"""

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from infra.local.auth import TokenIssuer
from infra.local.keys import KeyFolder, SigningKey
from spaces.adapters.firebase_auth import FirebaseIdTokens
from spaces.http.app import api_app
from spaces.http.routes import Section
from tests.applications import PUBLIC_URL
from tests.builders import SPACE_ID, a_profile, a_runtime, a_space
from tests.world import World

PROJECT: Final = "demo-parley"
WARM_UP: Final = 100
REQUESTS: Final = 1_000
BUDGET_MS: Final = 3.0
SPACE: Final = f"/v1/spaces/{SPACE_ID}"
CALLS: Final = {
    "get a Space": ("GET", SPACE),
    "list live Spaces": ("GET", "/v1/spaces"),
    "join, with an ID token": ("POST", f"{SPACE}/join"),
}


def run() -> list[dict[str, Any]]:
    """Measure some calls and return rows of `bench.json`."""
    with tempfile.TemporaryDirectory() as folder:
        key = KeyFolder(Path(folder)).signing_key("bench")
        with _certificates(key) as certs_url:
            api = _api(certs_url)
            now_s = int(time.time())
            token = TokenIssuer(key).id_token(
                "ana", project_id=PROJECT, name="ana", now_s=now_s
            )
            return [_measured(name, api, token) for name in CALLS]


def _api(certs_url: str) -> flask.Flask:
    world = World()
    world.database.put_profile(a_profile("ana"))
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    return api_app(
        [Section("/", lambda: world.operations)],
        id_tokens=FirebaseIdTokens(PROJECT, certs_url=certs_url),
        cors_origins=frozenset({"https://app.example"}),
        public_url=PUBLIC_URL,
    )


def _measured(name: str, api: flask.Flask, token: str) -> dict[str, Any]:
    method, path = CALLS[name]
    builder = EnvironBuilder(
        path, method=method, headers=[("Authorization", f"Bearer {token}")]
    )
    environ = builder.get_environ()
    chunks, status, _ = run_wsgi_app(api, dict(environ))
    if not status.startswith("200"):
        raise RuntimeError(f"{method} {path}: {status}")
    bare = _bare(method, path, json.loads(b"".join(chunks)))
    pairs = [(_cpu_ms(api, environ), _cpu_ms(bare, environ)) for _ in range(REQUESTS)]
    above_ms = sorted(ours - theirs for ours, theirs in pairs[WARM_UP:])
    return {
        "name": f"functions: CPU above a bare Flask function, {name}",
        "value": statistics.median(above_ms),
        "unit": "ms",
        "baseline": "budget",
        "baseline_value": BUDGET_MS,
        "ratio": statistics.median(above_ms) / BUDGET_MS,
        "spread": f"p95 {above_ms[int(0.95 * len(above_ms))]:.2f}",
    }


def _bare(method: str, path: str, body: Any) -> flask.Flask:
    app = flask.Flask("bare")
    app.add_url_rule(path, view_func=lambda: flask.jsonify(body), methods=[method])
    return app


def _cpu_ms(app: flask.Flask, environ: dict[str, Any]) -> float:
    begun_s = time.process_time()
    run_wsgi_app(app, dict(environ), buffered=True)
    return (time.process_time() - begun_s) * 1e3


@contextmanager
def _certificates(key: SigningKey) -> Iterator[str]:
    """Serve the issuer's certificate as Google does, to be kept for an hour."""
    body = json.dumps({key.key_id: key.certificate_pem}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Cache-Control", "public, max-age=3600")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/certs"
        server.shutdown()
        thread.join()
