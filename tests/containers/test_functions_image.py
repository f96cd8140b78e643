"""The image of the functions."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import docker

from infra.local.ports import free_port
from tests.containers.logs import tell
from tests.containers.production import PRODUCTION
from tests.service_account import a_service_account

PATIENCE_S = 60.0


def test_the_functions_answer_from_a_read_only_container(
    engine: docker.DockerClient, tmp_path: Path
) -> None:
    """
    Configured for production, as nobody's root, with no file to write.
    """
    account = tmp_path / "account.json"
    account.write_text(json.dumps(a_service_account()))
    account.chmod(0o444)
    port = free_port()
    container: Any = engine.containers.run(
        "localhost/parley-functions:latest",
        detach=True,
        environment={**PRODUCTION, "GOOGLE_APPLICATION_CREDENTIALS": "/account.json"},
        volumes=[f"{account}:/account.json:ro"],
        ports={"8080/tcp": ("127.0.0.1", port)},
        read_only=True,
        tmpfs={"/tmp": "size=64m"},  # noqa: S108 -- inside the container
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
    )
    try:
        document = _fetch(f"http://127.0.0.1:{port}/v1/openapi.json", container)
    finally:
        tell(container)
        container.remove(force=True)

    assert b'"openapi":"3.1' in document.replace(b" ", b"")


def _fetch(url: str, container: Any) -> bytes:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- ours
                body: bytes = answer.read()
                return body
        except OSError:
            assert time.monotonic() < deadline_s, container.logs().decode()
            time.sleep(0.2)
