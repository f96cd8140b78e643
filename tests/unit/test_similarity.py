"""The measure by which listening tests judge tells speech from what is only like it."""

import numpy as np
import pytest

from tests import speech
from tests.similarity import likeness
from tests.speech import SAMPLE_RATE_HZ, Samples

SAID = speech.load(speech.DATA / "austen_cold_hearted.wav")
OTHER = speech.load(speech.DATA / "austen_not_ill_disposed.wav")
BEGIN, HEARD = 20_000, 7 * SAMPLE_RATE_HZ
LOOP = np.tile(SAID, 3)[BEGIN : BEGIN + HEARD]


def waiting(*gaps_ms: int) -> Samples:
    """As a jitter buffer plays it that runs dry so often, and goes on later."""
    parts = []
    for part, gap_ms in zip(
        np.array_split(LOOP, len(gaps_ms) + 1), (*gaps_ms, 0), strict=True
    ):
        parts += [part, np.zeros(gap_ms * SAMPLE_RATE_HZ // 1000, np.int16)]
    return np.concatenate(parts)[:HEARD]


def broken(every: int) -> Samples:
    """Of which the first half of every so many samples is missing."""
    pieces = np.arange(HEARD) % every < every // 2
    return np.where(pieces, np.int16(0), LOOP)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(LOOP, id="a copy"),
        pytest.param(waiting(200), id="waited once"),
        pytest.param(waiting(60, 120, 90, 40), id="waited four times"),
        pytest.param(LOOP // 4, id="softer"),
    ],
)
def test_the_same_speech_is_alike(heard: Samples) -> None:
    """What players do to time and loudness is forgiven."""
    alike = likeness(heard, SAID)

    assert alike.envelope > 0.75
    assert alike.waveform > 0.75


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(np.tile(OTHER, 3)[:HEARD], id="another sentence"),
        pytest.param(broken(SAMPLE_RATE_HZ), id="half of it is missing"),
        pytest.param(broken(SAMPLE_RATE_HZ // 5), id="chopped"),
        pytest.param(LOOP[::-1].copy(), id="backwards"),
        pytest.param(np.zeros(HEARD, np.int16), id="silence"),
    ],
)
def test_what_only_resembles_it_is_not(heard: Samples) -> None:
    """The same reader's other words, and the words with holes, are told apart."""
    alike = likeness(heard, SAID)

    assert alike.envelope < 0.65 or alike.waveform < 0.5


def test_too_little_is_refused() -> None:
    """A second is like too many others."""
    with pytest.raises(ValueError, match="too little"):
        likeness(LOOP[:SAMPLE_RATE_HZ], SAID)
