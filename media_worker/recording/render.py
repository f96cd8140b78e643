"""Renders one version of a recording: a file, its waveform, markers and manifest."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import obstore

from spaces_contract.json_documents import InvalidDocument
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_objects import RenderFile, render_file
from spaces_contract.recording_render import (
    RenderJob,
    RenderProgress,
    RenderState,
)

from .job_folder import job_folder
from .loudness import Meter, Readings
from .manifest_making import MS_SAMPLES, RenderedStems, manifest_of
from .mastering import gain_for, write_m4a
from .mixdown import FRAME_SAMPLES, HEADROOM, Voice, mixed
from .opening import Stores
from .placed_pages import put_back
from .progress import Progress
from .proof import ManifestSigner
from .publishing import Publishing
from .sound import Sound
from .stem_decoder import segments
from .stem_set import StemSet, stem_set, sweep
from .waveform import waveform

MIXED_PERCENT: Final = 40.0  # how the time is shared among the steps
MEASURED_PERCENT: Final = 45.0
WRITTEN_PERCENT: Final = 98.0


class Render:
    """
    One attempt at one job.

    Killed at any point it may be run again: files appear whole, the manifest last.
    A job that is deleted meanwhile leaves none of them behind.

    Args:
        end_in: See `Publishing`.
        folder: For a temporary file of 6 MB for each minute of the recording.
        now: Aware UTC time.
    """

    def __init__(
        self,
        job: RenderJob,
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
        self._progress = Progress(stores.objects, job)
        self._start = job.trim_start_ms * MS_SAMPLES // FRAME_SAMPLES * FRAME_SAMPLES

    def run(self) -> RenderProgress:
        """
        Render; return how it ended, as was told.

        Raises:
            StoreErrors, KeyServiceDown: not now; to be run again.
        """
        done = self._done_before()
        if done is not None:
            return done
        self._progress.tell(0)
        sweep(self._job, self._stores)
        stems = stem_set(self._job, self._stores)
        lost = tuple(sorted(set(stems.lost)))
        if stems.epochs:
            return self._rendered(stems, lost)
        if lost or not self._job.stems:
            return self._progress.end(RenderState.ERASED, lost_stems=lost)
        return self._progress.end(RenderState.FAILED, detail="nothing was recorded")

    def _done_before(self) -> RenderProgress | None:
        """Return the end of an earlier attempt at the very same job."""
        try:
            manifest = Manifest.from_json(json.loads(self._get(RenderFile.MANIFEST)))
        except (FileNotFoundError, InvalidDocument, ValueError):
            return None
        if manifest.commitments != self._job.commitments:
            return None
        return self._progress.end(
            RenderState.DONE,
            duration_ms=manifest.duration_ms,
            partial=manifest.partial,
        )

    def _rendered(self, stems: StemSet, lost: tuple[str, ...]) -> RenderProgress:
        shifts = stems.shifts()
        voices = [
            Voice(segments(put_back(item.reader.pages())), shift=shifts[item.epoch])
            for item in stems.epochs
        ]
        with job_folder(self._folder) as folder:
            mix, audio = folder / "mix.pcm", folder / "audio.m4a"
            expected = max(journal.alive for journal in stems.journals.values())
            readings = self._mix(voices, mix, expected=max(1, expected - self._start))
            made = self._mastered(Sound.of_file(mix), readings, audio)
            rendered = RenderedStems(self._job, stems, voices, start=self._start)
            manifest = self._published(audio, made, rendered, stems)
        if manifest is None:
            return RenderProgress(  # told to nobody: where it would be is deleted
                state=RenderState.ERASED,
                percent=0,
                updated_at_ms=int(self._now().timestamp() * 1_000),
            )
        return self._progress.end(
            RenderState.DONE,
            duration_ms=manifest.duration_ms,
            partial=manifest.partial,
            lost_stems=lost,
        )

    def _mix(self, voices: list[Voice], path: Path, *, expected: int) -> Readings:
        """Write the mix; return how loud it is."""
        written, meter = 0, Meter()
        with path.open("wb") as file, ThreadPoolExecutor(1) as beside:
            metered: Future[None] | None = None
            for window in mixed(voices, start=self._start):
                end = max(voice.end for voice in voices) - self._start
                count = min(len(window), max(0, end - written))
                levels = np.clip(window[:count] * HEADROOM, -32_768, 32_767)
                block = levels.astype(np.int16)
                if metered is not None:
                    metered.result()
                metered = beside.submit(meter.push, block)
                file.write(block.tobytes())
                written += count
                self._progress.tell(MIXED_PERCENT * min(1.0, written / expected))
        if metered is not None:
            metered.result()
        return meter.readings()

    def _mastered(self, mix: Sound, readings: Readings, audio: Path) -> "Master":
        gain_db = gain_for(mix, readings)
        self._progress.tell(MEASURED_PERCENT)
        rest = WRITTEN_PERCENT - MEASURED_PERCENT
        loudness = write_m4a(
            audio,
            mix,
            gain_db=gain_db,
            told=lambda share: self._progress.tell(MEASURED_PERCENT + rest * share),
        )
        outline = waveform(mix.blocks(), mix.samples, gain_db=gain_db)
        return Master(
            duration_ms=mix.samples // MS_SAMPLES,
            loudness_lufs=loudness,
            waveform=_json(outline),
        )

    def _published(
        self, audio: Path, made: "Master", rendered: RenderedStems, stems: StemSet
    ) -> Manifest | None:
        """
        Store the files, and last the manifest that vouches for them, and return it.

        None: nobody wants them any more.
        """
        markers = _json(rendered.markers())
        with audio.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        manifest = manifest_of(
            self._job,
            rendered,
            stems,
            rendered_at=self._now(),
            duration_ms=made.duration_ms,
            loudness_lufs=made.loudness_lufs,
            audio_sha256=digest,
            audio_bytes=audio.stat().st_size,
            waveform_sha256=hashlib.sha256(made.waveform).hexdigest(),
            markers_sha256=hashlib.sha256(markers).hexdigest(),
        )
        signed = self._signer.signed(manifest)
        job = self._name(RenderFile.JOB)
        publishing = Publishing(self._stores.objects, job, end_in=self._end_in)
        wanted = publishing.publish(
            {
                self._name(RenderFile.AUDIO): audio,
                self._name(RenderFile.WAVEFORM): made.waveform,
                self._name(RenderFile.MARKERS): markers,
                self._name(RenderFile.MANIFEST): _json(signed.to_json()),
            }
        )
        return signed if wanted else None

    def _name(self, file: RenderFile) -> str:
        return render_file(self._job.recording_id, self._job.version, file)

    def _get(self, file: RenderFile) -> bytes:
        return bytes(obstore.get(self._stores.objects, self._name(file)).bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """What was measured of the finished sound."""

    duration_ms: int
    loudness_lufs: float | None
    waveform: bytes


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
