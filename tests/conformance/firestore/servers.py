"""Firestore servers for tests: ours, and Google's emulator where its jar is found."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from infra.local.ports import free_port
from tests.bound_process import bound

# Parts of the library are typed and parts are not; tests see it as it is used.
Client: TypeAlias = Any
AsyncClient: TypeAlias = Any

_ANONYMOUS: Final = AnonymousCredentials()  # type: ignore[no-untyped-call]
ADDRESS_VARIABLE: Final = "FIRESTORE_EMULATOR_HOST"
JAR_VARIABLE: Final = "PARLEY_FIRESTORE_EMULATOR_JAR"
JAR_NAME: Final = "cloud-firestore-emulator.jar"
MAIN_CLASS: Final = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
START_TIMEOUT_S: Final = 90.0
CLOSE_TIMEOUT_S: Final = 10.0
_SDK_ROOTS: Final = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
)


def emulator_jar() -> Path | None:
    """Return Google's emulator, named by the environment or in a gcloud SDK."""
    named = os.environ.get(JAR_VARIABLE)
    if named:
        return Path(named)
    gcloud = shutil.which("gcloud")
    roots = [Path(root) for root in _SDK_ROOTS]
    if gcloud:
        roots.append(Path(gcloud).resolve().parent.parent)
    for root in roots:
        jar = root / "platform" / "cloud-firestore-emulator" / JAR_NAME
        if jar.exists() and shutil.which("java"):
            return jar
    return None


@dataclass(slots=True)
class ParleyFirestore:
    """
    Our server as a process on a port that stays the same over restarts.

    Args:
        data: Its folder.
        options: Further command-line options.
    """

    data: Path
    options: Sequence[str] = ()
    port: int = 0
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Return host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start; return when it serves."""
        command = [
            sys.executable, "-m", "infra.local", "firestore",
            "--port", str(self.port), "--data", str(self.data), *self.options,
        ]  # fmt: skip
        self._process = subprocess.Popen(
            bound(*command), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
        line = self._process.stdout.readline() if readable else ""
        if not line.startswith("ready "):
            raise RuntimeError(f"the server said {line!r}")
        self.port = int(line.rsplit(":", 1)[1])

    def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it where it stands."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(timeout=60)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return status


@contextmanager
def running(data: Path, *options: str) -> Iterator[ParleyFirestore]:
    """Run our server for the length of a block, which may also stop or kill it."""
    server = ParleyFirestore(data, options)
    server.start()
    try:
        yield server
    finally:
        if server._process is not None:
            server.stop()


@dataclass(frozen=True, slots=True)
class GoogleEmulator:
    """Google's emulator as a process."""

    address: str
    pid: int


@contextmanager
def running_emulator(jar: Path, *options: str) -> Iterator[GoogleEmulator]:
    """Run Google's emulator for the length of a block, with `options` of its own."""
    port = free_port()
    command = [
        "java", "-Xmx1g", "-cp", str(jar), MAIN_CLASS, "start",
        "--host", "127.0.0.1", "--port", str(port), *options,
    ]  # fmt: skip
    process = subprocess.Popen(
        bound(*command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield GoogleEmulator(f"127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def _address(address: str) -> Iterator[None]:
    # Clients read the variable in their constructor.
    previous = os.environ.get(ADDRESS_VARIABLE)
    os.environ[ADDRESS_VARIABLE] = address
    try:
        yield
    finally:
        if previous is None:
            del os.environ[ADDRESS_VARIABLE]
        else:
            os.environ[ADDRESS_VARIABLE] = previous


@contextmanager
def client(address: str, project: str) -> Iterator[Client]:
    """Lend a client of the server at `address`."""
    with _address(address):
        made = firestore.Client(project=project, credentials=_ANONYMOUS)
    try:
        yield made
    finally:
        _close(made)


def _close(made: Client) -> None:
    # A watch that still tries to reconnect has been seen to block this for ever.
    close = threading.Thread(target=made._firestore_api.transport.close, daemon=True)
    close.start()
    close.join(CLOSE_TIMEOUT_S)


@asynccontextmanager
async def async_client(address: str, project: str) -> AsyncIterator[AsyncClient]:
    """Lend an AsyncClient of the server at `address`."""
    with _address(address):
        made = firestore.AsyncClient(project=project, credentials=_ANONYMOUS)
    try:
        yield made
    finally:
        await made._firestore_api.transport.close()
