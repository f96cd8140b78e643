"""Runs the machine for so many steps, from a seed."""

import itertools
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from spaces.adapters.firestore.client import BoundedClient
from tests.conformance.firestore.servers import running
from tests.fuzz.api.machine import STEP, ApiMachine

STEPS_PER_RUN: Final = 50  # then people and Spaces are others


def fuzz(*, steps: int, seed: int) -> Counter[str]:
    """
    Return how often each operation was answered by each status, and the steps.

    What threads do at once is not repeated exactly by a seed; all else is.

    Raises:
        AssertionError: what must be true was not; the steps to it are printed.
    """
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        os.environ["FIRESTORE_EMULATOR_HOST"] = server.address
        client: Any = BoundedClient(project="demo-fuzz")
        try:
            ApiMachine.steps.clear()
            for number in itertools.count(seed):
                if ApiMachine.steps[STEP] >= steps:
                    break
                _run(client, steps - ApiMachine.steps[STEP], number)
        finally:
            client.close()
            del os.environ["FIRESTORE_EMULATOR_HOST"]
    return ApiMachine.steps


def _run(client: BoundedClient, steps: int, number: int) -> None:
    class Machine(ApiMachine):
        pass

    Machine.client = client
    run_state_machine_as_test(
        hypothesis.seed(number)(Machine),
        settings=settings(
            max_examples=max(1, steps // STEPS_PER_RUN),
            stateful_step_count=STEPS_PER_RUN,
            phases=(Phase.generate,),  # races do not shrink
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
