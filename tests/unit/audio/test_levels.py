"""Loudness, and who counts as talking."""

import numpy as np
import pytest

from media_worker.audio.levels import SILENCE_DBOV, LevelGate, level_dbov
from tests.audio import BLOCK, tone


@pytest.mark.parametrize(
    ("amplitude", "level"), [(32_767, 3), (16_384, 9), (327.67, 43), (10, 73)]
)
def test_level_of_a_sine(amplitude: float, level: int) -> None:
    """
    A sine at full scale is 3 dB below overload (RFC 6464), and so on down.
    """
    assert level_dbov(tone(450, amplitude=amplitude)) == level


def test_digital_silence_is_127() -> None:
    """
    Silence has the largest level, not minus infinity.
    """
    assert level_dbov(np.zeros(BLOCK, np.int16)) == SILENCE_DBOV


def test_a_click_does_not_count_as_talking() -> None:
    """
    With two blocks to confirm, one loud block opens nothing.
    """
    gate = LevelGate(open_dbov=48, confirm_blocks=2, hold_blocks=3)

    assert [gate.update(level) for level in (20, 100, 20, 20)] == [
        False,
        False,
        False,
        True,
    ]


def test_short_pauses_do_not_close_the_gate() -> None:
    """
    It closes after `hold_blocks` of quiet in a row, and not before.
    """
    gate = LevelGate(open_dbov=48, confirm_blocks=1, hold_blocks=3)

    levels = (20, 90, 90, 20, 90, 90, 90)

    assert [gate.update(level) for level in levels] == [True] * 6 + [False]
