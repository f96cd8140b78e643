"""Opus through PyAV's libopus."""

import sys
from pathlib import Path

import numpy as np
import pytest

from media_worker.audio import libopus
from media_worker.audio.mix_encoder import MixEncoder
from media_worker.audio.opus import CoderClosed, Decoder, Encoder, OpusError
from media_worker.audio.opus_packet import (
    MalformedPacket,
    duration_samples,
    has_fec,
    is_dtx,
    without_padding,
)
from tests.audio import BLOCK, alignment, blocks_of, level_at, similarity, snr_db, voice


def test_a_voice_survives_coding() -> None:
    """
    A second of voice comes back at the same loudness and almost the same shape.
    """
    source = voice(1.0)

    with Encoder() as encoder, Decoder() as decoder:
        heard = [decoder.decode(encoder.encode(block)) for block in blocks_of(source)]

    assert similarity(source, np.concatenate(heard)) > 0.98
    assert alignment(source, np.concatenate(heard)) <= 312  # 6.5 ms of look-ahead


def test_fec_brings_a_lost_packet_back() -> None:
    """
    With loss announced, the packet after a lost one carries it; PLC is worse.
    """
    blocks = blocks_of(voice(1.0, pitch_hz=140))
    with Encoder(bitrate_bps=32_000) as encoder:
        encoder.expect_loss(20)
        packets = [encoder.encode(block) for block in blocks]
    lost = 30

    def heard(conceal: bool) -> np.ndarray:
        with Decoder() as decoder:
            for packet in packets[:lost]:
                decoder.decode(packet)
            if conceal:
                return decoder.conceal(BLOCK)
            return decoder.decode_lost(packets[lost + 1], BLOCK)

    with Decoder() as decoder:
        truth = [decoder.decode(packet) for packet in packets][lost]

    assert has_fec(packets[lost + 1])
    assert snr_db(truth, heard(conceal=False)) > snr_db(truth, heard(conceal=True)) + 3


def test_without_announced_loss_there_is_no_fec() -> None:
    """
    Bits are spent on redundancy only when they are asked for.
    """
    with Encoder() as encoder:
        packets = [encoder.encode(block) for block in blocks_of(voice(0.5))]

    assert not any(has_fec(packet) for packet in packets)


def test_garbage_is_refused_and_the_decoder_goes_on() -> None:
    """
    A packet that is none raises; the next good one decodes.
    """
    with Encoder() as encoder, Decoder() as decoder:
        with pytest.raises(OpusError):
            decoder.decode(b"\xff\xff\xff")

        assert decoder.decode(encoder.encode(np.zeros(BLOCK, np.int16))).size == BLOCK


def test_a_closed_coder_refuses_and_closes_twice() -> None:
    """
    Closing is idempotent; use after it is an error, not a crash.
    """
    encoder, decoder = Encoder(), Decoder()
    for coder in (encoder, decoder):
        coder.close()
        coder.close()

    with pytest.raises(CoderClosed):
        encoder.encode(np.zeros(BLOCK, np.int16))
    with pytest.raises(CoderClosed):
        decoder.conceal(BLOCK)


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"\x00", 480),  # SILK 10 ms
        (b"\x18", 2_880),  # SILK 60 ms
        (b"\x78\x00", 960),  # hybrid 20 ms
        (b"\xe0", 120),  # CELT 2.5 ms
        (b"\xf9\x00\x00", 1_920),  # two CELT frames of 20 ms
        (b"\xfb\x03\x00", 2_880),  # three of them, counted
    ],
)
def test_duration_is_read_from_the_packet(payload: bytes, samples: int) -> None:
    """
    TOC and frame count tell the length (RFC 6716 3.1, 3.2).
    """
    assert duration_samples(payload) == samples


@pytest.mark.parametrize("payload", [b"", b"\xfb", b"\x1b\x3f", b"\xfb\x00"])
def test_impossible_packets_are_refused(payload: bytes) -> None:
    """
    Empty, cut short, longer than 120 ms, or without frames: malformed.
    """
    with pytest.raises(MalformedPacket):
        duration_samples(payload)


@pytest.mark.parametrize(
    ("payload", "frames"),
    [
        (b"\xf8\1\2", b"\xf8\1\2"),
        (b"\xfb\x01\7\7", b"\xfb\x01\7\7"),
        (b"\xfb\x41\0\7\7", b"\xfb\x01\7\7"),
        (b"\xfb\x41\2\7\7\5\5", b"\xfb\x01\7\7"),
        (b"\xfb\xc2\1\1\7\7\7\5", b"\xfb\x82\1\7\7\7"),
        (b"\xfb\x41\xff\1\7" + bytes(255), b"\xfb\x01\7"),
        (b"\xfb\x41\x09\7", b"\xfb\x41\x09\7"),
        (b"\xfb\x41\xff\xff", b"\xfb\x41\xff\xff"),
        (b"\xfb", b"\xfb"),
    ],
)
def test_padding_is_taken_away_and_nothing_else(payload: bytes, frames: bytes) -> None:
    """
    Of any length; what claims more padding than it has bytes stays as it is.
    """
    assert without_padding(payload) == frames


def test_a_packet_without_speech_is_dtx() -> None:
    """
    One or two bytes mean that the sender went quiet.
    """
    assert is_dtx(b"\x78")
    assert not is_dtx(b"\x78\x01\x02")


def test_silence_costs_no_encode_and_sounds_the_same_after() -> None:
    """
    Long silence repeats one packet; speech after it is as if all had been encoded.
    """
    speech = blocks_of(voice(1.0))
    mixes = [*speech[:25], *[None] * 100, *speech[25:]]
    encoder, plain = MixEncoder(), Encoder()
    with Decoder() as decoder, Decoder() as plain_decoder:
        heard, expected, silent = [], [], set()
        for mix in mixes:
            packet = encoder.encode(None if mix is None else mix.astype(np.int32))
            if mix is None:
                silent.add(packet)
            heard.append(decoder.decode(packet))
            block = np.zeros(BLOCK, np.int16) if mix is None else mix
            expected.append(plain_decoder.decode(plain.encode(block)))
    encoder.close()
    plain.close()

    assert len(silent) < 30
    assert np.abs(np.concatenate(heard[40:120])).max() <= 2
    assert snr_db(np.concatenate(expected[125:]), np.concatenate(heard[125:])) > 15


def test_a_missing_library_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A PyAV built without its own libopus is named, instead of a loader's riddle.
    """
    (tmp_path / "av").mkdir()
    (tmp_path / "av" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "av", raising=False)

    with pytest.raises(libopus.OpusMissing, match="wheel"):
        libopus.find_library()


def test_a_tone_keeps_its_frequency() -> None:
    """
    440 Hz in is 440 Hz out.
    """
    source = voice(0.5, amplitude=0) + np.round(
        8_000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 48_000)
    ).astype(np.int16)

    with Encoder() as encoder, Decoder() as decoder:
        heard = [decoder.decode(encoder.encode(block)) for block in blocks_of(source)]

    assert level_at(np.concatenate(heard[5:]), 440) == pytest.approx(8_000, rel=0.05)
