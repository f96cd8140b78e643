"""Soft and loud voices come to the same loudness, and nothing else changes."""

import functools

import numpy as np
import pytest

from media_worker.audio.leveller import MAX_GAIN_DB, Leveller
from media_worker.audio.levels import level_dbov
from media_worker.audio.mixer import Mix
from tests.audio import (
    BLOCK,
    RATE_HZ,
    Samples,
    blocks_of,
    rms,
    voice,
)

SETTLED = 500  # blocks after which nothing moves


@functools.cache
def common() -> Samples:
    """Return a voice of 10 s that needs no gain."""
    return voice(10, amplitude=6_000)


def spoken(gain_db: float) -> Samples:
    """Return a voice of 20 s that is so much louder than it should be."""
    return np.tile(common() * 10 ** (gain_db / 20), 2).astype(np.int16)


def levelled(source: Samples, leveller: Leveller | None = None) -> list[Mix]:
    """Return the blocks of `source` after levelling."""
    leveller = leveller or Leveller()
    return [leveller.level(block, level_dbov(block)) for block in blocks_of(source)]


@pytest.mark.parametrize("gain_db", [-12, -6, 6, 10])
def test_soft_and_loud_voices_end_up_alike(gain_db: float) -> None:
    """
    From 12 dB too soft to 10 dB too loud: all come within 1.5 dB.
    """
    heard = np.concatenate(levelled(spoken(gain_db))[SETTLED:])

    assert 20 * np.log10(rms(heard) / rms(common())) == pytest.approx(0, abs=1.5)


def test_who_is_loud_enough_is_left_alone() -> None:
    """
    The very blocks come out: one voice alone costs nothing to mix.
    """
    blocks = blocks_of(common())
    leveller = Leveller()

    assert all(leveller.level(block, level_dbov(block)) is block for block in blocks)


def test_a_loud_first_sentence_is_no_loud_voice() -> None:
    """
    4 dB too loud for two seconds, then as it should be: nothing moves.
    """
    leveller = Leveller()
    loud, plain = spoken(4)[: 2 * RATE_HZ], common()[: 5 * RATE_HZ]

    levelled(np.concatenate([loud, plain]), leveller)

    assert leveller.gain_db == 0


def test_the_gain_is_bounded() -> None:
    """
    Somebody far from the microphone is raised by 12 dB and no more.
    """
    leveller = Leveller()

    levelled(spoken(-18), leveller)

    assert MAX_GAIN_DB - 0.5 < leveller.gain_db <= MAX_GAIN_DB


def test_noise_and_pauses_move_nothing() -> None:
    """
    Neither a fan that runs for a minute nor a long pause after speech changes a gain.
    """
    fan = np.random.default_rng(1).normal(0, 150, 60 * 48_000).astype(np.int16)
    hears_fan, hears_speech = Leveller(), Leveller()
    levelled(spoken(-9), hears_speech)
    before = hears_speech.gain_db

    levelled(fan, hears_fan)
    levelled((fan[: 20 * 48_000] // 8).astype(np.int16), hears_speech)

    assert hears_fan.gain_db == 0
    assert hears_speech.gain_db == before > 6


def test_noise_after_silence_is_soon_known_as_noise() -> None:
    """
    A fan that starts is taken for speech for seconds: that makes it little louder.
    """
    leveller = Leveller()
    room = np.random.default_rng(2).normal(0, 10, 48_000).astype(np.int16)
    fan = np.random.default_rng(1).normal(0, 150, 60 * 48_000).astype(np.int16)

    levelled(np.concatenate([room, fan]), leveller)

    assert leveller.gain_db < 6


def test_gain_moves_without_a_step() -> None:
    """
    While a soft voice is raised, by 0.3 dB each 100 ms, what is under it slides up.
    """
    leveller = Leveller()
    under_it = np.full(BLOCK, 10_000, np.int16)
    heard, gains_db = [], []
    for block in blocks_of(spoken(-12)):
        heard.append(leveller.level(under_it, level_dbov(block)))
        gains_db.append(leveller.gain_db)

    samples = np.concatenate(heard)
    assert np.abs(np.diff(gains_db)).max() <= 0.31
    assert np.abs(np.diff(samples)).max() <= 3
    assert samples[-1] == pytest.approx(10_000 * 10 ** (gains_db[-1] / 20), rel=0.01)
    assert gains_db[-1] > 9


def test_a_settled_gain_stands_still() -> None:
    """
    After it arrived it changes by less than 1.5 dB: words keep their stress.
    """
    leveller = Leveller()
    gains = []
    for block in blocks_of(spoken(-9)):
        leveller.level(block, level_dbov(block))
        gains.append(leveller.gain_db)

    assert np.ptp(gains[SETTLED:]) < 1.5
