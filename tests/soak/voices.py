"""What the speakers of a soak say, and when in its loop each is heard."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from tests import speech
from tests.light_clients import opus_frames
from tests.soak.hearing import Interval

AUDIBLE_RMS: Final = 300.0
STEP: Final = 960  # 20 ms
PAUSE_STEPS: Final = 15  # shorter ones belong to the speech


@dataclass(frozen=True, slots=True)
class Voices:
    """
    Recorded speech in turns, as a loop.

    Args:
        frames: Opus packets of each speaker.
        loops: When each is heard, in seconds of the loop.
    """

    frames: list[list[bytes]]
    loops: list[list[Interval]]
    loop_s: float

    @classmethod
    def of(cls, speakers: int) -> Self:
        """Encode once what everybody says for the whole soak."""
        turns = speech.conversation(speakers)
        frames = [opus_frames(turn) for turn in turns]
        # A last part of less than a packet is not said.
        loop_s = len(frames[0]) * STEP / speech.SAMPLE_RATE_HZ
        return cls(frames, [_heard(turn) for turn in turns], loop_s)


def _heard(samples: speech.Samples) -> list[Interval]:
    whole = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
    loud = np.sqrt(np.mean(whole.astype(np.float64) ** 2, axis=1)) > AUDIBLE_RMS
    found: list[list[int]] = []
    for step in np.flatnonzero(loud).tolist():
        if found and step - found[-1][1] <= PAUSE_STEPS:
            found[-1][1] = step + 1
        else:
            found.append([step, step + 1])
    step_s = STEP / speech.SAMPLE_RATE_HZ
    return [(start * step_s, end * step_s) for start, end in found]
