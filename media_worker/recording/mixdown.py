"""Sums the stems on the recording clock, and notes who is heard when."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spaces_contract.media import SAMPLE_RATE_HZ

from ..audio.opus import Block
from .stem_decoder import Segment

WINDOW_SAMPLES: Final = 10 * SAMPLE_RATE_HZ
AT_ONCE: Final = 2  # voices decoded at the same time; libopus lets others run
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ // 10  # who is heard is told to 100 ms
HEADROOM: Final = 0.25  # four full voices at once do not clip before the limiter
HEARD_RMS: Final = 130.0  # -48 dBov, as live
HOLE_FRAMES: Final = 7  # shorter pauses do not end a turn

Mix = NDArray[np.float32]


@dataclass(slots=True)
class Voice:
    """
    One stem in one epoch, as it is mixed window by window.

    Args:
        shift: Samples by which it is moved later on the recording clock.

    Attributes:
        heard: Turns, as frames of `FRAME_SAMPLES`: from and to.
    """

    segments: Iterator[Segment]
    shift: int = 0
    heard: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0
    _waiting: Segment | None = None
    _done: bool = False

    def window(self, start: int) -> Mix | None:
        """Return what is said in the window at `start`; windows come in order."""
        alone: Mix | None = None
        while (segment := self._next()) is not None:
            at, block = segment
            room = start + WINDOW_SAMPLES - at
            if room <= 0:
                break
            if alone is None:
                alone = np.zeros(WINDOW_SAMPLES, np.float32)
            self._place(alone, block[:room], at - start)
            rest = block[room:]
            self._waiting = (at + room, rest) if len(rest) else None
        if alone is not None:
            self._note_heard(alone, start)
        return alone

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self._next() is None

    def _next(self) -> Segment | None:
        if self._waiting is None and not self._done:
            found = next(self.segments, None)
            if found is None:
                self._done = True
            else:
                self._waiting = found[0] + self.shift, found[1]
                self.end = self._waiting[0] + len(found[1])
        return self._waiting

    def _place(self, alone: Mix, block: Block, offset: int) -> None:
        block = block[max(0, -offset) :]  # what was cut off, or came too late
        offset = max(0, offset)
        alone[offset : offset + len(block)] = block

    def _note_heard(self, alone: Mix, start: int) -> None:
        frames = alone.reshape(-1, FRAME_SAMPLES)
        loud = np.sqrt(np.mean(frames * frames, axis=1)) > HEARD_RMS
        first = start // FRAME_SAMPLES
        for index in np.flatnonzero(loud):
            frame = first + int(index)
            if self.heard and frame - self.heard[-1][1] <= HOLE_FRAMES:
                self.heard[-1] = self.heard[-1][0], frame + 1
            else:
                self.heard.append((frame, frame + 1))


def mixed(voices: list[Voice], *, start: int) -> Iterator[Mix]:
    """
    Yield the sum of all voices in windows of `WINDOW_SAMPLES`, until all are over.

    Args:
        start: Recording clock of the first window; what is before it is left out.
            A multiple of `FRAME_SAMPLES`.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def begun(at: int) -> list[Future[tuple[Mix | None, bool]]]:
            return [pool.submit(_turn, voice, at) for voice in voices]

        windows = begun(start)
        while windows:
            turns = [window.result() for window in windows]
            start += WINDOW_SAMPLES
            # The next window is decoded while this one is summed up and written.
            windows = [] if all(over for _, over in turns) else begun(start)
            mix = np.zeros(WINDOW_SAMPLES, np.float32)
            for alone, _ in turns:
                if alone is not None:
                    mix += alone
            yield mix


def _turn(voice: Voice, start: int) -> tuple[Mix | None, bool]:
    """Return a voice's window, and whether it was its last."""
    return voice.window(start), voice.is_over
