"""A deployment of doubles for each test."""

import pytest

from tests.builders import HOST, a_profile
from tests.world import World


@pytest.fixture
def world() -> World:
    """Return a deployment in which host, ana and bo have accounts."""
    world = World()
    for user_id in (HOST, "ana", "bo"):
        world.database.put_profile(a_profile(user_id))
    return world
