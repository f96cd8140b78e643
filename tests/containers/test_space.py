"""A Space whose worker is a container behind the engine's NAT."""

from pathlib import Path

import docker

from tests.containers.logs import told
from tests.phones import another_address, talk
from tests.running_stack import running_stack


async def test_two_browsers_talk_through_the_containers_nat(
    engine: docker.DockerClient, engine_url: str, chromium: str, tmp_path: Path
) -> None:
    """
    One hears the other, and Ctrl-C leaves no container.
    """
    options = ("--engine", engine_url, "--image", "localhost/parley-worker:latest")
    with running_stack(tmp_path, host=another_address(), options=options) as stack:
        with told(engine, stack.url, tmp_path):
            await talk(stack.url, chromium)
        label = f"dev.parley.deployment={stack.url}"
        during = engine.containers.list(filters={"label": label})
        alive = stack.stop()
        after = engine.containers.list(all=True, filters={"label": label})

    assert len(during) == 1
    assert alive == []
    assert after == []
