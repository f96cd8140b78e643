"""From a mix to a file: loudness by EBU R128, a limiter, AAC in MP4.  FFmpeg's work."""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from spaces_contract.media import SAMPLE_RATE_HZ

from .ahead import ahead

TARGET_LUFS: Final = -16.0
MAX_GAIN_DB: Final = 30.0  # a room of whispers stays quiet, and its noise too
CEILING: Final = 0.84  # -1.5 dBFS: AAC may overshoot a little
BIT_RATE_BPS: Final = 80_000
FRAME_SAMPLES: Final = 1_024  # of AAC
_SILENCE_LUFS: Final = -70.0  # EBU R128's absolute gate
_METER: Final = ("ebur128", "metadata=1:framelog=quiet")
_INTEGRATED: Final = "lavfi.r128.I"
_STARVED: Final = (av.BlockingIOError, av.EOFError)

Pcm = NDArray[np.int16]


def loudness_lufs(blocks: Iterable[Pcm], *, gain_db: float = 0.0) -> float | None:
    """Return the integrated loudness once amplified and limited; None for silence."""
    chain = _Chain(*_louder(gain_db), _METER)
    loudness = _SILENCE_LUFS
    for frame in chain.run(blocks):  # those of less than 100 ms tell nothing
        loudness = float(frame.metadata.get(_INTEGRATED, loudness))
    return loudness if loudness > _SILENCE_LUFS else None


def measured_gain(blocks: Callable[[], Iterable[Pcm]]) -> float:
    """
    Return the gain in dB that brings a mix to `TARGET_LUFS`, limited peaks included.

    Args:
        blocks: Gives the whole mix each time it is asked: mono, 48 kHz.
    """
    plain = loudness_lufs(blocks())
    if plain is None:
        return 0.0
    gain_db = min(MAX_GAIN_DB, TARGET_LUFS - plain)
    limited = loudness_lufs(blocks(), gain_db=gain_db)
    if limited is None:
        return gain_db
    # What the limiter took is given back once; it takes less of that.
    return min(MAX_GAIN_DB, gain_db + TARGET_LUFS - limited)


def write_m4a(path: Path, blocks: Iterable[Pcm], *, gain_db: float) -> float | None:
    """Write mono blocks at 48 kHz, amplified and limited; return their loudness."""
    loudness = None
    chain = _Chain(
        *_louder(gain_db),
        _METER,
        ("aformat", "sample_fmts=fltp"),
        ("asetnsamples", f"n={FRAME_SAMPLES}:p=0"),
    )
    with av.open(str(path), "w", format="ipod") as file:
        # The quick coder: at this rate nobody tells them apart on speech.
        stream: Any = file.add_stream(
            "aac", rate=SAMPLE_RATE_HZ, layout="mono", options={"aac_coder": "fast"}
        )
        stream.bit_rate = BIT_RATE_BPS
        for frame in ahead(chain.run(blocks)):
            loudness = frame.metadata.get(_INTEGRATED, loudness)
            frame.metadata.clear()
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return None if loudness is None else round(float(loudness), 2)


def _louder(gain_db: float) -> tuple[tuple[str, str], ...]:
    return (
        ("aformat", "sample_fmts=dblp"),
        ("volume", f"volume={gain_db:.3f}dB:precision=double"),
        ("alimiter", f"limit={CEILING}:level=disabled:attack=5:release=50:latency=1"),
    )


class _Chain:
    """A chain of filters; holds its graph, which FFmpeg's contexts do not."""

    def __init__(self, *filters: tuple[str, str]) -> None:
        self._graph = Graph()
        nodes: list[Any] = [
            self._graph.add_abuffer(
                format="s16",
                sample_rate=SAMPLE_RATE_HZ,
                layout="mono",
                time_base=Fraction(1, SAMPLE_RATE_HZ),
            )
        ]
        nodes += [self._graph.add(name, options) for name, options in filters]
        nodes.append(self._graph.add("abuffersink"))
        for one, next_one in itertools.pairwise(nodes):
            one.link_to(next_one)
        self._graph.configure()
        self._source, self._sink = nodes[0], nodes[-1]

    def run(self, blocks: Iterable[Pcm]) -> Iterator[Any]:
        """Yield the frames that come out; to be called once."""
        position = 0
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(
                block[None, :], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, position
            position += len(block)
            self._source.push(frame)
            yield from self._pulled()
        self._source.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[Any]:
        with contextlib.suppress(*_STARVED):
            while True:
                yield self._sink.pull()
