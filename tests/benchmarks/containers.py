"""
The images under podman: their size, and from `podman run` to the first good answer.

Cold: none of the image's files is in memory, as on a node that has just pulled it.
Warm: they are, as on one that ran it before.  The base, which all share, is Debian's.
"""

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.local.ports import free_port
from spaces.adapters.signed_tokens import Ed25519Signer
from tests.bound_process import bound
from tests.containers.production import PRODUCTION
from tests.phones import another_address
from tests.running_stack import ROOT
from tests.service_account import a_service_account
from tests.worker_process import PROJECT, SPACE, SpaceDocuments
from tests.world import a_private_key

ROUNDS: Final = 5
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.01
BASE: Final = "localhost/parley-base"
IMAGES: Final = {unit: f"localhost/parley-{unit}" for unit in ("functions", "worker")}
LOCKED_UP: Final = (
    *("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
    *("--tmpfs", "/tmp:size=64m"),  # noqa: S108 -- the container's own, in memory
)


def run() -> list[dict[str, Any]]:
    """Build the images, unless they are there, and return rows of `bench.json`."""
    if shutil.which("podman") is None:
        sys.stderr.write("podman is not installed: images are left out\n")
        return []
    conf = ROOT / "tests" / "containers" / "containers.conf"
    os.environ.setdefault("CONTAINERS_CONF", str(conf))
    subprocess.run(
        ["infra/containers/build.sh"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    rows = [_sizes(unit) for unit in IMAGES]
    with tempfile.TemporaryDirectory() as folder:
        rows.append(_starts("functions", lambda _: _start_functions(Path(folder))))
        with _firestore(Path(folder)) as host:
            rows.append(_starts("worker", lambda epoch: _start_worker(host, epoch)))
    return rows


def _sizes(unit: str) -> dict[str, Any]:
    base, whole = (_told("image", "inspect", each)[0] for each in (BASE, IMAGES[unit]))
    newest = next(
        layer["size"]
        for layer in _told("history", "--format", "json", IMAGES[unit])
        if layer["size"] > 0
    )
    own = whole["Size"] - base["Size"]
    return {
        "name": f"{unit} image, own layers",
        "value": own / 1e6,
        "unit": "MB",
        "baseline": "its base",
        "baseline_value": base["Size"] / 1e6,
        "ratio": own / base["Size"],
        "spread": f"{newest / 1e6:.1f} MB new in each version",
    }


def _starts(unit: str, start: Callable[[int], float]) -> dict[str, Any]:
    """Start it cold and warm in turns; `start` is given another number each time."""
    cold, warm = [], []
    start(1)
    for number in range(ROUNDS):
        _forget(IMAGES[unit])
        cold.append(start(2 * number + 2))
        warm.append(start(2 * number + 3))
    return {
        "name": f"{unit} image, cold start to first answer",
        "value": statistics.median(cold),
        "unit": "s",
        "baseline": "warm: its files in memory",
        "baseline_value": statistics.median(warm),
        "ratio": statistics.median(cold) / statistics.median(warm),
        "spread": f"{min(cold):.2f} to {max(cold):.2f}, "
        f"warm {min(warm):.2f} to {max(warm):.2f}",
    }


def _forget(image: str) -> None:
    """Take the image's files out of the page cache."""
    mounted = subprocess.check_output(["podman", "image", "mount", image], text=True)
    try:
        for path in Path(mounted.strip()).rglob("*"):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        subprocess.run(
            ["podman", "image", "unmount", image], check=True, stdout=subprocess.DEVNULL
        )


def _start_functions(folder: Path) -> float:
    account = folder / "account.json"
    if not account.exists():
        account.write_text(json.dumps(a_service_account()))
        account.chmod(0o444)
    port = free_port()
    return _start(
        IMAGES["functions"],
        PRODUCTION | {"GOOGLE_APPLICATION_CREDENTIALS": "/account.json"},
        ("--volume", f"{account}:/account.json:ro", "-p", f"127.0.0.1:{port}:8080"),
        f"http://127.0.0.1:{port}/v1/openapi.json",
    )


def _start_worker(firestore_host: str, epoch: int) -> float:
    asyncio.run(SpaceDocuments(firestore_host).start(epoch))
    port = free_port()
    endpoint = {"bind": "0.0.0.0:41000", "announced": f"127.0.0.1:{port}"}
    environment = {
        "FIRESTORE_EMULATOR_HOST": firestore_host,
        "PARLEY_PROJECT_ID": PROJECT,
        "PARLEY_SPACE_ID": SPACE,
        "PARLEY_EPOCH": str(epoch),
        "PARLEY_GRANT_PUBLIC_KEY": Ed25519Signer(a_private_key()).public_key_pem,
        "PARLEY_CONTROL_BIND": "0.0.0.0:8080",
        "PARLEY_UDP_ENDPOINTS": json.dumps([endpoint]),
        "PARLEY_LIVE_EDGE_URL": "memory:///",
    }
    published = ("-p", f"127.0.0.1:{port}:8080", "-p", f"{port}:41000/udp")
    ready = f"http://127.0.0.1:{port}/readyz"
    return _start(IMAGES["worker"], environment, published, ready)


def _start(
    image: str, environment: Mapping[str, str], options: Sequence[str], url: str
) -> float:
    """Return seconds from `podman run` until `url` answers 200."""
    told = [f"--env={name}={value}" for name, value in environment.items()]
    begun_s = time.perf_counter()
    command = ["podman", "run", "--detach", *LOCKED_UP, *told, *options, image]
    name = subprocess.check_output(command, text=True).strip()
    try:
        while not _answers(url):
            if time.perf_counter() - begun_s > PATIENCE_S:
                raise TimeoutError(f"{image} does not answer")
            time.sleep(POLL_S)
        return time.perf_counter() - begun_s
    finally:
        subprocess.run(
            ["podman", "rm", "--force", "--time", "0", name],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- http, of our own container
            return bool(answer.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def _firestore(folder: Path) -> Iterator[str]:
    """Run a Firestore that containers reach."""
    address = another_address()
    command = bound(
        *(sys.executable, "-m", "infra.local", "firestore", "--host", address),
        *("--port", "0", "--data", folder / "firestore"),
    )
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as its:
        try:
            assert its.stdout is not None
            yield f"{address}:{its.stdout.readline().strip().rpartition(':')[2]}"
        finally:
            its.terminate()


def _told(*arguments: str) -> Any:
    return json.loads(subprocess.check_output(["podman", *arguments]))
