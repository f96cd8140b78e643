"""Silence that repeats itself is not decoded, and nobody hears a difference."""

import numpy as np

from media_worker.audio.opus import Decoder
from media_worker.audio.resting_decoder import SILENCE, RestingDecoder
from tests import speech
from tests.audio import BLOCK, snr_db
from tests.light_clients import opus_frames
from tests.network import SILK_20_MS, CountingDecoder

FADED_PACKETS = 80  # until the encoder has come to rest


class SilentDecoder(CountingDecoder):
    """Counts, and decodes everything to silence."""

    def decode(self, payload: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """Return what a decoder leaves of silence."""
        self.decoded += 1
        return np.ones(BLOCK, np.int16)


def test_the_same_silence_is_decoded_some_times_only() -> None:
    """
    A microphone that is off costs its first packets, and then nothing, also where
    its encoder goes round in twos.
    """
    decoder = SilentDecoder()
    resting = RestingDecoder(decoder)

    blocks = [resting.decode(SILK_20_MS + bytes([n % 2])) for n in range(100)]

    assert decoder.decoded == 4
    assert blocks[-1] is SILENCE


def test_other_packets_are_always_decoded() -> None:
    """
    A packet that differs, or one that is loud however often it comes.
    """
    silent, loud = SilentDecoder(), CountingDecoder()
    differing, repeating = RestingDecoder(silent), RestingDecoder(loud)

    for number in range(100):
        differing.decode(SILK_20_MS + bytes([number]))
        repeating.decode(SILK_20_MS)

    assert silent.decoded == loud.decoded == 100


def test_after_a_loss_it_decodes_again() -> None:
    """
    What was concealed has moved the decoder: it has to come to rest anew.
    """
    decoder = SilentDecoder()
    resting = RestingDecoder(decoder)
    for _ in range(10):
        resting.decode(SILK_20_MS)
    resting.conceal(BLOCK)
    for _ in range(10):
        resting.decode(SILK_20_MS)

    assert decoder.decoded == 4


def test_speech_after_silence_sounds_as_if_all_had_been_decoded() -> None:
    """
    With libopus and recorded speech, unmuting after 4 s is the same to 40 dB.
    """
    said = speech.conversation(1)[0][: BLOCK * 60]
    pause = np.zeros(BLOCK * 200, np.int16)
    packets = opus_frames(np.concatenate([said, pause, said]))
    plain, resting = Decoder(), RestingDecoder(Decoder())

    expected = [plain.decode(packet) for packet in packets]
    heard = [resting.decode(packet) for packet in packets]
    plain.close()
    resting.close()

    spared = sum(block is SILENCE for block in heard)
    first = 60 + 200
    assert spared > 200 - FADED_PACKETS
    assert snr_db(np.concatenate(expected[first:]), np.concatenate(heard[first:])) > 40
