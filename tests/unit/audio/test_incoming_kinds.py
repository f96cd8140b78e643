"""Whatever a client's encoder is set to, it is heard whole: frames of any length."""

from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.libopus import SET_DTX, ffi, library
from media_worker.audio.opus import Decoder
from media_worker.audio.opus_packet import is_dtx
from media_worker.audio.playout import Playout
from tests.audio import BLOCK, RATE_HZ, Samples, blocks_of, roughness, similarity, voice
from tests.network import PTIME_S, Network

APPLICATION_VOIP = 2048  # opus_defines.h


def sent(
    channels: list[Samples], *, frame_ms: int, options: dict[str, str] | None = None
) -> list[ReceivedPacket]:
    """Return what a client sends that is not ours, each packet when it is complete."""
    codec: Any = av.CodecContext.create("libopus", "w")
    layout = "mono" if len(channels) == 1 else "stereo"
    codec.sample_rate, codec.layout, codec.format = RATE_HZ, layout, "s16"
    codec.bit_rate = 32_000
    codec.options = {"frame_duration": str(frame_ms), "application": "voip"} | (
        options or {}
    )
    size = RATE_HZ * frame_ms // 1_000
    packets = []
    interleaved = np.stack(channels, axis=1)
    for start in range(0, len(interleaved) - size + 1, size):
        block = np.ascontiguousarray(interleaved[start : start + size])
        frame = av.AudioFrame.from_ndarray(
            block.reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate, frame.pts = RATE_HZ, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return [
        ReceivedPacket(
            ssrc=7,
            sequence_number=number,
            timestamp=number * size,
            payload=payload,
            level_dbov=None,
            arrival_s=1.0 + number * frame_ms / 1_000,
        )
        for number, payload in enumerate(packets)
    ]


def with_dtx(source: Samples) -> list[ReceivedPacket]:
    """Return `source` as by a client with DTX, which PyAV's encoder cannot do."""
    lib, payload = library(), ffi.new("unsigned char[]", 1_275)
    encoder = lib.opus_encoder_create(RATE_HZ, 1, APPLICATION_VOIP, ffi.NULL)
    lib.opus_encoder_ctl(encoder, SET_DTX, ffi.cast("int", 1))
    packets = []
    for number, block in enumerate(blocks_of(source)):
        pcm = ffi.from_buffer("int16_t[]", block)
        size = lib.opus_encode(encoder, pcm, BLOCK, payload, 1_275)
        packets.append(Network().packet(number, 1.0 + number * PTIME_S))
        packets[-1] = replace(packets[-1], payload=bytes(ffi.buffer(payload, size)))
    lib.opus_encoder_destroy(encoder)
    return packets


def decoded(packets: list[ReceivedPacket]) -> Samples:
    """Return what `packets` hold."""
    with Decoder() as decoder:
        return np.concatenate([decoder.decode(packet.payload) for packet in packets])


def heard(packets: list[ReceivedPacket]) -> tuple[Samples, Playout]:
    """Return what is played of `packets`."""
    network, playout = Network(), Playout(Decoder())
    network.run(playout, packets)
    playout.close()
    return network.heard(), playout


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
def test_frames_of_10_to_60_ms_are_played_whole(frame_ms: int) -> None:
    """
    Each packet is decoded once, and nothing is made up but at the end.
    """
    packets = sent([voice(1.8)], frame_ms=frame_ms)

    played, playout = heard(packets)

    assert playout.counts.decoded == 1_800 // frame_ms
    assert playout.buffer.counts.concealed_samples <= RATE_HZ // 10
    assert similarity(decoded(packets), played) > 0.98


@pytest.mark.parametrize("frame_ms", [10, 60])
def test_their_jitter_and_loss_are_borne(frame_ms: int) -> None:
    """
    30 ms of jitter and every twentieth packet lost: no click, and the voice is there.
    """
    source = voice(2)
    jitter_s = np.random.default_rng(1).uniform(0, 0.030, 500)
    options = {"fec": "1", "packet_loss": "10"}
    packets = [
        replace(packet, arrival_s=packet.arrival_s + jitter_s[packet.sequence_number])
        for packet in sent([source], frame_ms=frame_ms, options=options)
        if packet.sequence_number % 20 != 19
    ]

    played, playout = heard(packets)

    assert playout.buffer.counts.lost >= len(packets) // 20 - 1
    assert roughness(played) < 1.5 * roughness(source)
    assert similarity(source, played) > 0.5


def test_stereo_is_heard_in_the_middle() -> None:
    """
    What is said left and right is mixed to one channel; nobody is lost.
    """
    left, right = voice(1, seed=1), voice(1, seed=2, pitch_hz=210)

    packets = sent([left, right], frame_ms=20, options={"application": "audio"})
    played, _ = heard(packets)

    assert all(packet.payload[0] & 0x04 for packet in packets)  # RFC 6716 3.1
    assert similarity((left // 2 + right // 2).astype(np.int16), played) > 0.9


def test_a_pause_by_dtx_is_silence_and_speech_after_it_whole() -> None:
    """
    A client that stops sending in pauses: no loss is seen, and every word comes.
    """
    word, pause = voice(1.5), np.zeros(2 * RATE_HZ, np.int16)
    packets = with_dtx(np.concatenate([word, pause, word]))
    kept = [packet for packet in packets if not is_dtx(packet.payload)]

    played, playout = heard(
        [replace(packet, sequence_number=n) for n, packet in enumerate(kept)]
    )

    assert len(kept) < 0.75 * len(packets)
    assert playout.buffer.counts.lost == 0
    assert similarity(decoded(kept[:75]), played[: 2 * RATE_HZ]) > 0.98
    assert similarity(decoded(kept)[-70 * BLOCK :], played[3 * RATE_HZ :]) > 0.95
    assert np.abs(played[int(2.5 * RATE_HZ) : 3 * RATE_HZ]).max() < 20
