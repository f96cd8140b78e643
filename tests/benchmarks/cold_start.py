"""
The functions' cold start against a hello-world that imports the same clients.

From the first line of a new interpreter to the first answer.  Ours is a Space's 404, so
that Firestore was asked; the other says hello.  Both are loaded as production does it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.integration.functions.conftest import started, stopped
from tests.unit.functions.test_config import LOCAL
from tests.world import a_private_key

ROUNDS: Final = 9
BUDGET: Final = 1.5
FUNCTIONS: Final = Path(__file__).parents[2] / "functions"
KEYS: Final = ("PARLEY_GRANT_PRIVATE_KEY", "PARLEY_PROOF_PRIVATE_KEY")
ABSENT: Final = "/v1/spaces/1None1None1No"
HELLO: Final = """
import firebase_admin
import functions_framework
from google.cloud import firestore

@functions_framework.http
def api(request):
    return "hello"
"""
FIRST_ANSWER: Final = """
import json, sys, time
begun_s = time.perf_counter()
import functions_framework
from werkzeug.test import Client
app = functions_framework.create_app("api", sys.argv[1])
answer = Client(app).get(sys.argv[2])
took_s = time.perf_counter() - begun_s
print(json.dumps([answer.status_code, took_s, time.process_time()]))
"""


def run() -> list[dict[str, Any]]:
    """Measure both in turns and return rows of `bench.json`."""
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "main.py"
        hello.write_text(HELLO)
        server, address = started("firestore", Path(folder) / "data")
        try:
            times = _in_turns(hello, address)
        finally:
            stopped(server)
    return [
        _row("time", [(ours[0], bare[0]) for ours, bare in times]),
        _row("CPU", [(ours[1], bare[1]) for ours, bare in times]),
    ]


Times = tuple[float, float]


def _in_turns(hello: Path, firestore_host: str) -> list[tuple[Times, Times]]:
    keys = {name: a_private_key() for name in KEYS}
    local = LOCAL | keys | {"FIRESTORE_EMULATOR_HOST": firestore_host}
    times = [
        (
            _first_answer(FUNCTIONS / "main.py", ABSENT, 404, local),
            _first_answer(hello, "/", 200, {}),
        )
        for _ in range(ROUNDS + 1)
    ]
    return times[1:]  # the first one compiles every module


def _first_answer(main: Path, path: str, status: int, env: dict[str, str]) -> Times:
    """Return seconds of time and of CPU until `main` has answered."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIRST_ANSWER, str(main), path],
        env={"PATH": os.environ["PATH"], "GRPC_VERBOSITY": "ERROR", **env},
        cwd=main.parent,
        capture_output=True,
        check=True,
        text=True,
    )
    answered, took_s, cpu_s = json.loads(done.stdout.splitlines()[-1])
    if answered != status:
        raise RuntimeError(f"{main} answered {answered}: {done.stderr}")
    return took_s, cpu_s


def _row(kind: str, pairs: list[Times]) -> dict[str, Any]:
    ratios = [ours / bare for ours, bare in pairs]
    return {
        "name": f"functions: cold start to first answer, {kind}",
        "value": statistics.median(ours for ours, _ in pairs),
        "unit": "s",
        "baseline": f"hello-world with the same clients; budget {BUDGET} times that",
        "baseline_value": statistics.median(bare for _, bare in pairs),
        "ratio": statistics.median(ratios),
        "spread": f"{min(ratios):.2f} to {max(ratios):.2f}",
    }
