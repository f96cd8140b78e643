"""What containers said; pytest shows it where a test fails."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker

LINES: Final = 200


def tell(container: Any) -> None:
    """Print the end of a container's log."""
    said = container.logs(tail=LINES).decode(errors="replace")
    sys.stderr.write(f"--- {container.name}, {container.status}\n{said}\n")


@contextmanager
def told(engine: docker.DockerClient, deployment: str, data: Path) -> Iterator[None]:
    """
    Print, before they are gone, what workers and the stack's services said.

    Args:
        deployment: Whose workers.
        data: Folder of a stack.
    """
    try:
        yield
    finally:
        label = f"dev.parley.deployment={deployment}"
        for container in engine.containers.list(all=True, filters={"label": label}):
            tell(container)
        for log in sorted((data / "logs").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-LINES:]
            sys.stderr.write("\n".join([f"--- {log.name}", *lines, ""]))
