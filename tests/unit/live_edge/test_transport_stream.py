"""Transport streams: what FFmpeg, which did not write them, makes of them."""

import io
import itertools
from collections import defaultdict

import av
import numpy as np
import pytest

from media_worker.live_edge.aac import AacEncoder
from media_worker.live_edge.transport_stream import FRAME_TICKS, WRAP, TsWriter
from tests.audio import blocks_of, level_at, tone
from tests.hls_player import decoded


def frames_of(seconds: float, frequency_hz: float = 440) -> list[bytes]:
    """Return the AAC frames of a tone."""
    return AacEncoder().encode(blocks_of(tone(frequency_hz, seconds=seconds)))


def packets(stream: bytes) -> list[bytes]:
    """Return the packets of 188 bytes."""
    assert len(stream) % 188 == 0
    return [stream[at : at + 188] for at in range(0, len(stream), 188)]


def pid(packet: bytes) -> int:
    """Return whose packet it is."""
    return (packet[1] & 0x1F) << 8 | packet[2]


def time_stamps(stream: bytes) -> list[int]:
    """Return the time of each frame that FFmpeg finds."""
    with av.open(io.BytesIO(stream), "r", format="mpegts") as container:
        return [packet.pts for packet in container.demux() if packet.pts is not None]


def test_a_segment_is_heard_as_it_was_encoded() -> None:
    """
    FFmpeg finds every frame, evenly spaced from the time that was given.
    """
    frames = frames_of(1)

    stream = TsWriter().segment(frames, begins=900_000)

    assert time_stamps(stream) == [
        900_000 + k * FRAME_TICKS for k in range(len(frames))
    ]
    assert level_at(decoded(stream)[4_096:44_000], 440) == pytest.approx(
        8_000, rel=0.02
    )


def test_counters_go_on_over_segments() -> None:
    """
    Continuity counters continue uninterrupted from segment to segment (RFC 8216 3).
    """
    writer, frames = TsWriter(), frames_of(4)
    counters = defaultdict(list)

    for at in range(0, 141, 47):
        for packet in packets(writer.segment(frames[at : at + 47], begins=0)):
            counters[pid(packet)].append(packet[3] & 0x0F)

    assert counters.keys() == {0, 0x1000, 0x100}
    for seen in counters.values():
        assert all((b - a) % 16 == 1 for a, b in itertools.pairwise(seen))


def test_every_segment_can_be_decoded_alone() -> None:
    """
    Each begins with its tables, and with the beginning of a frame.
    """
    writer, frames = TsWriter(), frames_of(3)
    writer.segment(frames[:47], begins=0)

    second = writer.segment(frames[47:94], begins=47 * FRAME_TICKS)

    assert [pid(packet) for packet in packets(second)[:3]] == [0, 0x1000, 0x100]
    assert len(time_stamps(second)) == 47


def test_no_border_is_heard() -> None:
    """
    A tone that is cut into segments is as smooth at their borders as within them.
    """
    writer, frames = TsWriter(), frames_of(4, frequency_hz=500)
    cuts = [frames[at : at + 47] for at in range(0, 141, 47)]
    stream = b"".join(
        writer.segment(cut, begins=index * 47 * FRAME_TICKS)
        for index, cut in enumerate(cuts)
    )

    sound = decoded(stream)[4_096:].astype(np.int64)
    bends = np.abs(np.diff(sound, 2))

    assert bends.max() < 8_000 * (2 * np.pi * 500 / 48_000) ** 2 * 1.5


def test_the_clock_wraps() -> None:
    """
    After 26 hours the time of 33 bits begins anew, within a segment too.
    """
    stream = TsWriter().segment(frames_of(1), begins=WRAP - 8 * FRAME_TICKS)

    times = [stamp % WRAP for stamp in time_stamps(stream)]

    assert times[7:9] == [WRAP - FRAME_TICKS, 0]


def test_packing_costs_little() -> None:
    """
    A second takes a tenth more than its sound: an audience pays for every byte.
    """
    frames = frames_of(2)[20:67]

    stream = TsWriter().segment(frames, begins=0)

    assert len(stream) < 1.2 * sum(len(frame) + 7 for frame in frames)
