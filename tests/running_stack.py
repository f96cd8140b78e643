"""`python -m infra.local up` as a child process, for tests, bench and demo."""

import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from infra.local.ports import free_port
from tests.bound_process import bound

ROOT: Final = Path(__file__).resolve().parents[1]
READY_TIMEOUT_S: Final = 90.0
STOP_TIMEOUT_S: Final = 60.0
ANSWER_TIMEOUT_S: Final = 40.0


class RunningStack:
    """A stack that has said `ready`; `stop` is what Ctrl-C does."""

    def __init__(self, process: subprocess.Popen[str], url: str, port: int) -> None:
        self.process = process
        self.url = url
        self.port = port

    def children(self) -> list[psutil.Process]:
        """Return every process below the supervisor."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        """
        Return the one child whose command line holds all `words`.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [
            child for child in self.children() if set(words) <= set(command_line(child))
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} children run {words}")
        return found[0]

    def workers(self, space_id: str) -> list[psutil.Process]:
        """Return the media workers that run a Space."""
        return [
            child
            for child in self.children()
            if "media_worker" in command_line(child)
            and _environment(child).get("PARLEY_SPACE_ID") == space_id
        ]

    def metrics(self, worker: psutil.Process) -> dict[str, float]:
        """Return a worker's Prometheus samples, by name with its labels."""
        listening = [
            connection.laddr.port
            for connection in worker.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        url = f"http://127.0.0.1:{listening[0]}/metrics"
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
            text = answer.read().decode()
        return {
            name: float(value)
            for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)
        }

    def stop(self) -> list[psutil.Process]:
        """Send SIGINT, wait, and return the processes that are still there."""
        children = self.children()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_TIMEOUT_S)
        _, alive = psutil.wait_procs(children, timeout=60)
        return list(alive)


def command_line(process: psutil.Process) -> list[str]:
    """Return a process's arguments; none where it has ended meanwhile."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return {}


def start(
    data: Path,
    port: int | None = None,
    host: str | None = None,
    options: Sequence[str] = (),
    module: str = "infra.local",
) -> RunningStack:
    """
    Start a stack that ends with this process, and wait for its `ready` line.

    Args:
        module: What is run; it takes the command line of `infra.local`.

    Raises:
        RuntimeError: it exited, or was not ready within `READY_TIMEOUT_S`; the text
            holds what it printed.
    """
    port = port or free_port()
    command = [sys.executable, "-m", module, "up"]
    command += ["--port", str(port), "--data", str(data)]
    command += ["--host", host] if host else []
    command += options
    process = subprocess.Popen(
        bound(*command),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()))
    reader.daemon = True
    reader.start()
    timer = threading.Timer(READY_TIMEOUT_S, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                return RunningStack(process, line.split()[1].strip(), port)
    finally:
        timer.cancel()
    with process:  # waits, and closes its pipes
        reader.join()
    raise RuntimeError(f"exit code {process.returncode}: {''.join(said)}")


@contextmanager
def running_stack(
    data: Path,
    port: int | None = None,
    host: str | None = None,
    options: Sequence[str] = (),
    module: str = "infra.local",
) -> Iterator[RunningStack]:
    """Start a stack, and stop it at the end whatever happened."""
    stack = start(data, port, host, options, module)
    with stack.process:  # closes its pipes when it has ended
        try:
            yield stack
        finally:
            if stack.process.poll() is None:
                stack.stop()
