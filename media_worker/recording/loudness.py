"""
How loud a sound is: EBU R128, by FFmpeg's meter.

The meter gives the loudness of 400 ms each 100 ms; the gates of ITU-R BS.1770 are
applied to these here, so that parts can be measured at the same time.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from spaces_contract.media import SAMPLE_RATE_HZ

from .sound import Part, Pcm, Sound, by_parts

CEILING: Final = 0.84  # -1.5 dBFS: AAC may overshoot a little
METER: Final = ("ebur128", "metadata=1:framelog=quiet")
METERED: Final = SAMPLE_RATE_HZ // 10  # samples from one reading to the next
_MOMENTARY: Final = "lavfi.r128.M"
_SILENCE_LUFS: Final = -70.0  # the absolute gate
_RELATIVE_LU: Final = -10.0
_STARVED: Final = (av.BlockingIOError, av.EOFError)

Readings = NDArray[np.float64]


def integrated(readings: Readings) -> float | None:
    """Return the loudness in LUFS of all readings together; None for silence."""
    loud = readings[readings > _SILENCE_LUFS]
    if not len(loud):
        return None
    gate = _mean(loud) + _RELATIVE_LU
    return _mean(loud[loud > gate])


def louder(gain_db: float) -> tuple[tuple[str, str], ...]:
    """Return the filters that amplify, and limit what would be too loud."""
    return (
        ("aformat", "sample_fmts=dblp"),
        ("volume", f"volume={gain_db:.3f}dB:precision=double"),
        ("alimiter", f"limit={CEILING}:level=disabled:attack=5:release=50:latency=1"),
    )


def measured(sound: Sound, *, gain_db: float) -> Readings:
    """Return the readings of a sound once it is amplified and limited."""

    def of(part: Part) -> Readings:
        chain = Chain(*louder(gain_db), METER)
        frames = chain.run(sound.blocks(part.lead, part.end))
        return readings_of(frames)[(part.start - part.lead) // METERED :]

    return np.concatenate(list(by_parts(sound, of)))


def readings_of(frames: Iterable[Any]) -> Readings:
    """Return what the meter wrote on these; those of less than 100 ms tell nothing."""
    told = (frame.metadata.get(_MOMENTARY) for frame in frames)
    return np.array([float(each) for each in told if each is not None], np.float64)


class Meter:
    """Measures a sound while it is made, block by block."""

    def __init__(self) -> None:
        self._chain = Chain(METER)
        self._readings: list[Readings] = []

    def push(self, block: Pcm) -> None:
        """Take what comes next."""
        self._readings.append(readings_of(self._chain.push(block)))

    def readings(self) -> Readings:
        """Return all readings; nothing can be pushed any more."""
        return np.concatenate([*self._readings, readings_of(self._chain.end())])


class Chain:
    """A chain of filters; holds its graph, which FFmpeg's contexts do not."""

    def __init__(self, *filters: tuple[str, str]) -> None:
        self._graph = Graph()
        self._position = 0
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
        """Yield the frames that come out of all of it."""
        for block in blocks:
            yield from self.push(block)
        yield from self.end()

    def push(self, block: Pcm) -> Iterator[Any]:
        """Yield the frames that come out once this has gone in."""
        frame = av.AudioFrame.from_ndarray(block[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, self._position
        self._position += len(block)
        self._source.push(frame)
        yield from self._pulled()

    def end(self) -> Iterator[Any]:
        """Yield the frames that were held back."""
        self._source.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[Any]:
        with contextlib.suppress(*_STARVED):
            while True:
                yield self._sink.pull()


def _mean(levels: Readings) -> float:
    return float(10 * np.log10(np.mean(10 ** (levels / 10))))
