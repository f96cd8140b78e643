"""The mixer: who hears what, and how loud."""

import numpy as np
import pytest

from media_worker.audio.mixer import CEILING, SoftLimiter, mix_minus
from tests.audio import BLOCK, level_at, roughness, tone, voice


def test_each_speaker_hears_the_others_and_not_themselves() -> None:
    """
    With tones of 440 Hz and 880 Hz, each speaker's return has only the other's tone.
    """
    blocks = {"ana": tone(450), "bo": tone(900)}

    _, minus = mix_minus(blocks)

    assert level_at(minus["ana"], 900) == pytest.approx(8_000, rel=0.01)
    assert level_at(minus["ana"], 450) < 1


def test_minus_stays_exact_where_the_full_mix_overflows() -> None:
    """
    Three speakers at full scale: each minus is the exact sum of the other two.
    """
    blocks = {name: np.full(BLOCK, 32_000, np.int16) for name in "abc"}

    full, minus = mix_minus(blocks)

    assert full[0] == 96_000
    assert all((mix == 64_000).all() for mix in minus.values())


def test_an_empty_stage_cannot_be_mixed() -> None:
    """
    Mixing nobody is refused.
    """
    with pytest.raises(ValueError, match="at least one"):
        mix_minus({})


def test_blocks_of_different_length_cannot_be_mixed() -> None:
    """
    A short block is refused instead of being stretched.
    """
    with pytest.raises(ValueError, match=r"shape|homogeneous"):
        mix_minus({"a": tone(450), "b": tone(450, seconds=0.01)})


def test_what_is_not_too_loud_passes_bit_for_bit() -> None:
    """
    The limiter changes nothing below its ceiling.
    """
    mix = tone(450, amplitude=CEILING - 1).astype(np.int32)

    limited = SoftLimiter().limit(mix)

    assert (limited == mix).all()


def test_a_loud_mix_is_turned_down_and_keeps_its_shape() -> None:
    """
    A tone of twice the full scale comes out at the ceiling, nearly without harmonics.
    """
    limiter = SoftLimiter()
    mix = tone(450, amplitude=30_000, seconds=0.2).astype(np.int32) * 2

    blocks = [limiter.limit(block) for block in mix.reshape(-1, BLOCK)]
    settled = np.concatenate(blocks[2:])

    assert np.abs(settled).max() <= CEILING + 1
    assert level_at(settled, 450) == pytest.approx(CEILING, rel=0.03)
    assert level_at(settled, 3 * 450) < 0.01 * CEILING


def test_gain_returns_without_a_step() -> None:
    """
    After a loud block a soft tone swells back; nowhere is there a click.
    """
    limiter = SoftLimiter()
    limiter.limit(tone(450, amplitude=32_000).astype(np.int32) * 3)
    soft = tone(450, amplitude=6_000, seconds=1).astype(np.int32)

    out = np.concatenate([limiter.limit(block) for block in soft.reshape(-1, BLOCK)])

    assert roughness(out) <= roughness(tone(450, amplitude=6_000)) * 1.05
    assert level_at(out[-BLOCK:], 450) == pytest.approx(6_000, rel=0.01)


def test_the_limiter_never_leaves_int16() -> None:
    """
    Thirteen people shouting at once wrap around nowhere.
    """
    limiter = SoftLimiter()
    mix = sum(voice(0.5, amplitude=30_000, seed=n).astype(np.int32) for n in range(13))
    assert isinstance(mix, np.ndarray)

    for block in mix.reshape(-1, BLOCK):
        out = limiter.limit(block)

        assert np.sign(out[np.argmax(np.abs(block))]) == np.sign(
            block[np.argmax(np.abs(block))]
        )
