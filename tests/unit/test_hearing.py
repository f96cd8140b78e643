"""Listening tests forgive a machine that was busy, and nothing else."""

import numpy as np
import pytest

from tests import speech
from tests.hearing import TRIES, expect_heard
from tests.speech import SAMPLE_RATE_HZ, Samples

SAID = speech.load(speech.DATA / "austen_cold_hearted.wav")
OTHER = speech.load(speech.DATA / "austen_not_ill_disposed.wav")
HEARD = 7 * SAMPLE_RATE_HZ
COPY = np.tile(SAID, 3)[:HEARD]


class Recordings:
    """What is heard, one after the other; the last one without end."""

    def __init__(self, *recordings: Samples) -> None:
        self._recordings = recordings
        self.taken = 0

    async def record(self) -> Samples:
        """Return the next."""
        self.taken += 1
        return self._recordings[min(self.taken, len(self._recordings)) - 1]


async def test_a_machine_may_be_busy_at_first() -> None:
    """
    Silence for a while, and then what was said.
    """
    recordings = Recordings(np.zeros(HEARD, np.int16), COPY)

    assert await expect_heard(recordings.record, SAID) is COPY
    assert recordings.taken == 2


@pytest.mark.parametrize("heard", [np.tile(OTHER, 3)[:HEARD], np.zeros_like(COPY)])
async def test_another_voice_stays_another(heard: Samples) -> None:
    """
    However often it is heard, and so does silence.
    """
    recordings = Recordings(heard)

    with pytest.raises(AssertionError, match="not what was said"):
        await expect_heard(recordings.record, SAID)

    assert recordings.taken == TRIES
