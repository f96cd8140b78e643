"""A worker in a container hands its live Space over to one of a newer image."""

import asyncio
from pathlib import Path

import docker

from tests.containers.logs import told
from tests.containers.upgraded_stack import upgraded_stack
from tests.upgrading import UpgradedSpace

# 10 s, however busy the machine: without a successor nobody looks for one for 15 s.
# `make soak` judges the promise of infra/operations.md, 3 s.
MAX_MISSING_FRAMES = 500


async def test_a_live_space_goes_over_to_a_new_image(
    engine: docker.DockerClient, engine_url: str, tmp_path: Path
) -> None:
    """
    The old container ends by itself, and its people are told to wait by nobody.
    """
    image = "localhost/parley-worker:latest"
    with (
        upgraded_stack(tmp_path, engine, engine_url, image) as stack,
        told(engine, stack.url, tmp_path),
    ):
        async with UpgradedSpace(stack, number=0, guests=1, recorded=False) as space:
            await asyncio.to_thread(stack.publish)
            old = await asyncio.to_thread(stack.versions)
            refusals = [person.api.refusals for person in space.people]

            await space.drain()

            new = await asyncio.to_thread(stack.versions)

    assert (old, new) == ([False], [True])
    assert [person.sessions for person in space.people] == [2, 2]
    assert [person.api.refusals for person in space.people] == refusals
    assert space.listeners[0].ears.missing_frames <= MAX_MISSING_FRAMES
