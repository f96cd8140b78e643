"""From a mix to a file: loudness by EBU R128, a limiter, AAC in MP4.  FFmpeg's work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from spaces_contract.media import SAMPLE_RATE_HZ

from .loudness import (
    METER,
    METERED,
    Chain,
    Readings,
    integrated,
    louder,
    measured,
    readings_of,
)
from .sound import LEAD, Part, Sound, by_parts

TARGET_LUFS: Final = -16.0
MAX_GAIN_DB: Final = 30.0  # a room of whispers stays quiet, and its noise too
BIT_RATE_BPS: Final = 80_000
# The quick coder: at this rate nobody tells them apart on speech.
OPTIONS: Final = {"aac_coder": "fast"}


def gain_for(sound: Sound, readings: Readings) -> float:
    """
    Return the gain in dB that brings a mix to `TARGET_LUFS`, limited peaks included.

    Args:
        readings: Of the mix as it is.
    """
    plain = integrated(readings)
    if plain is None:
        return 0.0
    gain_db = min(MAX_GAIN_DB, TARGET_LUFS - plain)
    limited = integrated(measured(sound, gain_db=gain_db))
    if limited is None:
        return gain_db
    # What the limiter took is given back once; it takes less of that.
    return min(MAX_GAIN_DB, gain_db + TARGET_LUFS - limited)


def write_m4a(
    path: Path,
    sound: Sound,
    *,
    gain_db: float,
    told: Callable[[float], None] = lambda _: None,
) -> float | None:
    """
    Write a sound, amplified and limited; return its loudness in LUFS.

    Args:
        told: Is given the share that is written, now and then.
    """
    readings = []
    with av.open(str(path), "w", format="ipod") as file:
        stream: Any = file.add_stream(
            "aac", rate=SAMPLE_RATE_HZ, layout="mono", options=OPTIONS
        )
        stream.bit_rate = BIT_RATE_BPS
        stream.codec_context.open()  # its header goes first, though others encode
        for coded in by_parts(sound, lambda part: _coded(sound, part, gain_db)):
            readings.append(coded.readings)
            for packet in coded.packets:
                packet.stream = stream
                file.mux(packet)
            told(coded.part.end / coded.part.whole)
    loudness = integrated(np.concatenate(readings))
    return None if loudness is None else round(loudness, 2)


@dataclass(frozen=True, slots=True)
class _Coded:
    part: Part
    packets: list[Any]
    readings: Readings


def _coded(sound: Sound, part: Part, gain_db: float) -> _Coded:
    """
    Encode a part as it would be encoded within the whole.

    A frame of AAC needs the one before it, and the coder looks ahead: both are given,
    and what comes of them is left out.
    """
    chain = Chain(*louder(gain_db), METER, ("aformat", "sample_fmts=fltp"))
    codec = _codec()
    heard: list[Readings] = []
    packets: list[Any] = []
    for frame in chain.run(sound.blocks(part.lead, part.end + LEAD)):
        heard.append(readings_of([frame]))
        frame.metadata.clear()
        frame.pts += part.lead
        packets += codec.encode(frame)
    packets += codec.encode(None)
    readings = np.concatenate(heard) if heard else np.empty(0)
    first = (part.start - part.lead) // METERED
    count = None if part.is_last else (part.end - part.start) // METERED
    return _Coded(
        part,
        list(_within(part, packets)),
        readings[first:] if count is None else readings[first : first + count],
    )


def _within(part: Part, packets: list[Any]) -> Iterator[Any]:
    for packet in packets:
        # The coder's first frame of all comes before the first sample.
        begun = packet.pts >= part.start or part.start == 0
        if begun and (packet.pts < part.end or part.is_last):
            yield packet


def _codec() -> Any:
    codec: Any = av.CodecContext.create("aac", "w")
    codec.sample_rate = SAMPLE_RATE_HZ
    codec.layout = "mono"
    codec.format = "fltp"
    codec.bit_rate = BIT_RATE_BPS
    codec.time_base = Fraction(1, SAMPLE_RATE_HZ)
    codec.options = OPTIONS
    return codec
