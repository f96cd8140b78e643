"""
The functions as Cloud Functions runs them: gunicorn around functions-framework.

One process hosts both functions of `functions/main.py`, as production's two services:
`tasks` gets what is below `/tasks`, `api` gets the rest.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from gunicorn.app.base import BaseApplication

from .processes import dies_with
from .stack import FUNCTIONS, READY_PATH

_THREADS: Final = 16
_GRACE_S: Final = 1

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class FunctionsServer(BaseApplication):
    """
    gunicorn with one process of threads, configured in code.

    Args:
        port: On loopback; the gateway is the one public port.
        source: The functions' `main.py`.
    """

    def __init__(self, port: int, source: Path) -> None:
        self._port = port
        self._source = source
        super().__init__()  # type: ignore[no-untyped-call]  # gunicorn has no types

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        settings = {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            "timeout": 0,  # a laptop that was asleep is no hung worker
            "graceful_timeout": _GRACE_S,
            "keepalive": 75,  # longer than the gateway keeps an idle connection
            "control_socket_disable": True,
            "proc_name": "parley-functions",
            "post_fork": _tie_to_arbiter,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)  # type: ignore[union-attr]  # set by the parent

    def load(self) -> WsgiApp:
        """Load both functions; called in the worker process."""
        import functions_framework

        create_app: Callable[[str, str], WsgiApp] = functions_framework.create_app
        source = str(self._source)
        return by_path(create_app("api", source), create_app("tasks", source))


def by_path(api: WsgiApp, tasks: WsgiApp) -> WsgiApp:
    """Return an application that gives each request to the function it is for."""

    def dispatch(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == READY_PATH:
            start_response("204 No Content", [])
            return []
        chosen = tasks if path == "/tasks" or path.startswith("/tasks/") else api
        return chosen(environ, start_response)

    return dispatch


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.functions_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--source", type=Path, default=FUNCTIONS / "main.py")
    options = parser.parse_args(argv)
    server = FunctionsServer(options.port, options.source)
    server.run()  # type: ignore[no-untyped-call]  # gunicorn has no types
    return 0


def _tie_to_arbiter(_arbiter: object, _worker: object) -> None:
    # The arbiter's own tie to the supervisor is not inherited by its fork.
    dies_with(os.getppid())()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
