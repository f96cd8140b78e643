"""An engine's API on a socket of our own: podman, which speaks Docker's."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bound_process import bound

START_TIMEOUT_S: Final = 20.0


@contextmanager
def running_engine(folder: Path) -> Iterator[str]:
    """Serve at a socket in `folder`, and give its URL."""
    socket = folder / "podman.sock"
    url = f"unix://{socket}"
    command = ["podman", "system", "service", "--time", "0", url]
    service = subprocess.Popen(bound(*command))
    with service:
        try:
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while not socket.exists():
                assert time.monotonic() < deadline_s, "podman's service does not start"
                time.sleep(0.05)
            yield url
        finally:
            service.terminate()
            try:
                service.wait(START_TIMEOUT_S)
            finally:
                service.kill()  # containers are not its children, and lose nothing
