"""Makes a clip of a recording, from the stems of those who agreed to clips."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

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

from .clip_proof import ClippedVoice, clip_manifest
from .job_folder import job_folder
from .loudness import measured
from .manifest_making import MS_SAMPLES
from .mastering import gain_for, write_m4a
from .mixdown import HEADROOM, Voice, mixed
from .opening import Stores
from .placed_pages import LATE_SAMPLES, put_back_within
from .proof import ManifestSigner
from .publishing import Publishing
from .sound import Pcm, Sound
from .stem_decoder import MAX_CONCEAL_SAMPLES, segments
from .stem_set import StemSet, stem_set

LEAD_IN: Final = SAMPLE_RATE_HZ  # decoders begin so long before, to be right in time
LEAD_OUT: Final = MAX_CONCEAL_SAMPLES  # what ends in a hole is made up by what follows
FADE: Final = SAMPLE_RATE_HZ // 100


class ClipMaking:
    """
    One attempt at one clip; killed at any point it may be run again.

    A job that is deleted meanwhile, as a withdrawal does, leaves no clip behind.

    Args:
        end_in: See `Publishing`.
        now: Aware UTC time.
    """

    def __init__(
        self,
        job: ClipJob,
        stores: Stores,
        *,
        signer: ManifestSigner,
        end_in: Callable[[int], object],
        folder: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._job = job
        self._stores = stores
        self._signer = signer
        self._end_in = end_in
        self._folder = folder
        self._now = now

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
            end = self._ended(RenderState.ERASED, detail="no voice of it is left")
            told = {self._name(ClipFile.PROGRESS): _json(end.to_json())}
            self._publishing().publish(told)
            return end
        with job_folder(self._folder) as folder:
            audio, voices = folder / "clip.m4a", self._voices(stems)
            sound = Sound.of_array(self._samples(voices))
            gain_db = gain_for(sound, measured(sound, gain_db=0))
            write_m4a(audio, sound, gain_db=gain_db)
            return self._published(audio, voices)

    def _published(self, audio: Path, voices: Sequence[ClippedVoice]) -> RenderProgress:
        """Store the file, and last what says that it is there."""
        manifest = clip_manifest(self._job, voices, audio, made_at=self._now())
        done = self._ended(RenderState.DONE)
        wanted = self._publishing().publish(
            {
                self._name(ClipFile.AUDIO): audio,
                self._name(ClipFile.MANIFEST): _json(
                    self._signer.signed(manifest).to_json()
                ),
                self._name(ClipFile.PROGRESS): _json(done.to_json()),
            }
        )
        return done if wanted else self._ended(RenderState.ERASED)

    def _done_before(self) -> RenderProgress | None:
        try:
            data = obstore.get(self._stores.objects, self._name(ClipFile.PROGRESS))
            found = RenderProgress.from_json(json.loads(bytes(data.bytes())))
        except (FileNotFoundError, InvalidDocument, ValueError):
            return None
        return found

    def _voices(self, stems: StemSet) -> list[ClippedVoice]:
        shifts, found = stems.shifts(), []
        for item in stems.epochs:
            shift = shifts[item.epoch]
            start, end = (
                at_ms * MS_SAMPLES - shift
                for at_ms in (self._job.start_ms, self._job.end_ms)
            )
            first, last = start - LEAD_IN, end + LEAD_OUT
            reader = item.reader.from_position(first - LATE_SAMPLES)
            pages = put_back_within(reader.pages(), first, last)
            voice = Voice(segments(pages), shift=shift)
            found.append(
                ClippedVoice(consented=item.consented, reader=reader, voice=voice)
            )
        return found

    def _samples(self, voices: Sequence[ClippedVoice]) -> Pcm:
        """Return all samples of the clip, mixed."""
        start = self._job.start_ms * MS_SAMPLES
        count = (self._job.end_ms - self._job.start_ms) * MS_SAMPLES
        sound = np.zeros(count, np.float32)
        at = 0
        for window in mixed([each.voice for each in voices], start=start):
            part = window[: count - at]
            sound[at : at + len(part)] = part * HEADROOM
            at += len(part)
        return _faded(sound)

    def _ended(self, state: RenderState, *, detail: str = "") -> RenderProgress:
        return RenderProgress(
            state=state,
            percent=100 if state is RenderState.DONE else 0,
            updated_at_ms=int(self._now().timestamp() * 1_000),
            duration_ms=self._job.end_ms - self._job.start_ms,
            detail=detail,
        )

    def _publishing(self) -> Publishing:
        job = self._name(ClipFile.JOB)
        return Publishing(self._stores.objects, job, end_in=self._end_in)

    def _name(self, file: ClipFile) -> str:
        return clip_file(self._job.recording_id, self._job.number, file)


def _faded(sound: NDArray[np.float32]) -> Pcm:
    """Return int16 samples that begin and end without a click."""
    ramp = np.linspace(0, 1, min(FADE, len(sound)), dtype=np.float32)
    sound[: len(ramp)] *= ramp
    sound[len(sound) - len(ramp) :] *= ramp[::-1]
    return np.clip(sound, -32_768, 32_767).astype(np.int16)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
