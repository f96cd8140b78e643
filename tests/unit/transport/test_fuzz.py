"""A short, seeded run of `make fuzz`."""

import pytest

from tests.fuzz.media.__main__ import fuzz
from tests.fuzz.media.targets import Target, targets


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_mutated_input_is_harmless(target: Target) -> None:
    """
    No mutation of real input makes an entry point raise.
    """
    fuzz(target, inputs=2_000, seed=1)
