"""Makes a clip of a recording, from the stems of those who agreed to clips."""

import json
import tempfile
import time
from collections.abc import Iterator
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Final

import numpy as np
import obstore
from numpy.typing import NDArray

from spaces_contract.json_documents import InvalidDocument
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording_objects import ClipFile, clip_file
from spaces_contract.recording_render import (
    ClipJob,
    RenderProgress,
    RenderState,
)

from .loudness import measured
from .manifest_making import MS_SAMPLES
from .mastering import gain_for, write_m4a
from .mixdown import HEADROOM, Voice, mixed
from .opening import Stores
from .sound import Pcm, Sound
from .stem_decoder import segments
from .stem_reader import PlacedPage, StemReader
from .stem_set import StemSet, stem_set

LEAD_IN: Final = SAMPLE_RATE_HZ  # decoders begin so long before, to be right in time
FADE: Final = SAMPLE_RATE_HZ // 100


class ClipMaking:
    """
    One attempt at one clip; killed at any point it may be run again.

    A job that is deleted meanwhile, as a withdrawal does, leaves no clip behind.
    """

    def __init__(
        self, job: ClipJob, stores: Stores, *, folder: Path | None = None
    ) -> None:
        self._job = job
        self._stores = stores
        self._folder = folder

    def run(self) -> RenderProgress:
        """
        Make it; return how it ended, as was told.

        Raises:
            StoreErrors, KeyServiceDown: not now; to be run again.
        """
        done = self._done_before()
        if done is not None:
            return done
        stems = stem_set(self._job, self._stores)
        if not stems.epochs:
            return self._end(RenderState.ERASED, detail="no voice of it is left")
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            audio = Path(folder) / "clip.m4a"
            sound = Sound.of_array(self._samples(stems))
            gain_db = gain_for(sound, measured(sound, gain_db=0))
            write_m4a(audio, sound, gain_db=gain_db)
            obstore.put(self._stores.objects, self._name(ClipFile.AUDIO), audio)
        if not self._is_wanted():
            obstore.delete(self._stores.objects, self._name(ClipFile.AUDIO))
            return RenderProgress(
                state=RenderState.ERASED, percent=0, updated_at_ms=_now_ms()
            )
        return self._end(RenderState.DONE)

    def _done_before(self) -> RenderProgress | None:
        try:
            data = obstore.get(self._stores.objects, self._name(ClipFile.PROGRESS))
            found = RenderProgress.from_json(json.loads(bytes(data.bytes())))
        except (FileNotFoundError, InvalidDocument, ValueError):
            return None
        return found

    def _samples(self, stems: StemSet) -> Pcm:
        """Return all samples of the clip, mixed."""
        start = self._job.start_ms * MS_SAMPLES
        count = (self._job.end_ms - self._job.start_ms) * MS_SAMPLES
        shifts = stems.shifts()
        voices = [
            Voice(
                segments(_within(item.reader, start - shift, start + count - shift)),
                shift=shift,
            )
            for item in stems.epochs
            for shift in (shifts[item.epoch],)
        ]
        sound = np.zeros(count, np.float32)
        at = 0
        for window in mixed(voices, start=start):
            part = window[: count - at]
            sound[at : at + len(part)] = part * HEADROOM
            at += len(part)
        return _faded(sound)

    def _is_wanted(self) -> bool:
        try:
            obstore.head(self._stores.objects, self._name(ClipFile.JOB))
        except FileNotFoundError:
            return False
        return True

    def _end(self, state: RenderState, *, detail: str = "") -> RenderProgress:
        duration_ms = self._job.end_ms - self._job.start_ms
        progress = RenderProgress(
            state=state,
            percent=100 if state is RenderState.DONE else 0,
            updated_at_ms=_now_ms(),
            duration_ms=duration_ms,
            detail=detail,
        )
        data = json.dumps(progress.to_json()).encode()
        obstore.put(self._stores.objects, self._name(ClipFile.PROGRESS), data)
        return progress

    def _name(self, file: ClipFile) -> str:
        return clip_file(self._job.recording_id, self._job.number, file)


def _within(reader: StemReader, start: int, end: int) -> Iterator[PlacedPage]:
    """Yield the pages that are heard in an interval, and those shortly before it."""
    first = start - LEAD_IN
    pages = reader.from_position(first).pages()
    later = dropwhile(lambda page: page.end <= first, pages)
    return takewhile(lambda page: page.start < end, later)


def _faded(sound: NDArray[np.float32]) -> Pcm:
    """Return int16 samples that begin and end without a click."""
    ramp = np.linspace(0, 1, min(FADE, len(sound)), dtype=np.float32)
    sound[: len(ramp)] *= ramp
    sound[len(sound) - len(ramp) :] *= ramp[::-1]
    return np.clip(sound, -32_768, 32_767).astype(np.int16)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
