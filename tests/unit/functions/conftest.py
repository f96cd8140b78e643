"""A deployment of doubles for each test."""

import pytest

from spaces_contract.runtime import WorkerState
from tests.builders import HOST, SPACE_ID, a_profile, a_runtime, a_space
from tests.world import World


@pytest.fixture
def world() -> World:
    """Return a deployment in which host, ana and bo have accounts."""
    world = World()
    for user_id in (HOST, "ana", "bo"):
        world.database.put_profile(a_profile(user_id))
    return world


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space in its first epoch, launched just now."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime(WorkerState.LAUNCHING)
    return world
