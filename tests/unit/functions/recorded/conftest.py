"""What is recorded is said by a stage of three."""

import pytest

from tests.recorded_world import a_stage_of_three
from tests.world import World


@pytest.fixture
def world() -> World:
    """Return a deployment with a live Space: its host, three speakers, a listener."""
    return a_stage_of_three()
