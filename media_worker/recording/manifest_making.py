"""Says what a rendered file holds: speaker markers, gaps and the manifest."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from spaces_contract.consent_receipts import chain_head
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import GapReason
from spaces_contract.recording_manifest import (
    Interval,
    Manifest,
    ManifestGap,
    ManifestStem,
)
from spaces_contract.recording_render import ConsentedStem, RenderJob
from spaces_contract.timestamps import rfc3339

from .mixdown import FRAME_SAMPLES, Voice
from .stem_set import StemSet

MARKERS_SCHEMA: Final = 1
MS_SAMPLES: Final = SAMPLE_RATE_HZ // 1_000
FRAME_MS: Final = FRAME_SAMPLES // MS_SAMPLES
# A host or somebody who declined has it so: the gap is told, and nothing is lost.
MEANT: Final = frozenset({GapReason.PAUSED, GapReason.ECHO})


class RenderedStems:
    """
    Who is heard in a render, and what is missing.

    Args:
        voices: Mixed to the end; one for each of the set's epochs.
    """

    def __init__(
        self, job: RenderJob, stems: StemSet, voices: list[Voice], *, start: int
    ) -> None:
        self._job = job
        self._stems = stems
        self._start_ms = start // MS_SAMPLES
        self._voices = list(zip(stems.epochs, voices, strict=True))

    @property
    def speakers(self) -> tuple[ManifestStem, ...]:
        """Each stem once, with all its epochs; those who are never heard, too."""
        return tuple(
            ManifestStem(
                stem=stem.stem,
                uid=stem.uid,
                display_name=stem.display_name,
                scopes=stem.scopes,
                commitment=stem.commitment,
                digest=self._digest(stem),
                heard=self._heard(stem),
            )
            for stem in self._job.stems
            if any(item.consented == stem for item, _ in self._voices)
        )

    def gaps(self, duration_ms: int) -> tuple[ManifestGap, ...]:
        """Return what is missing, in ms of the file."""
        uids = {item.consented.stem: item.consented.uid for item, _ in self._voices}
        found = [
            ManifestGap(
                from_ms=self._ms(gap.start),
                to_ms=self._ms(gap.end),
                reason=gap.reason,
                uid=uids.get(gap.stem, ""),
            )
            for gap in self._stems.gaps()
        ]
        found += [
            ManifestGap(from_ms=0, to_ms=duration_ms, reason=GapReason.DAMAGED, uid=uid)
            for uid in sorted(self._damaged())
        ]
        return tuple(sorted(found, key=lambda gap: (gap.from_ms, gap.to_ms, gap.uid)))

    def markers(self) -> dict[str, Any]:
        """Return the object of `markers.json`."""
        return {
            "schema": MARKERS_SCHEMA,
            "speakers": [
                {"uid": s.uid, "display_name": s.display_name, "heard": s.heard}
                for s in self.speakers
            ],
        }

    def _digest(self, stem: ConsentedStem) -> str:
        whole = hashlib.sha256()
        for item, _ in self._voices:
            if item.consented == stem:
                whole.update(item.reader.digest.digest())
        return whole.hexdigest()

    def _heard(self, stem: ConsentedStem) -> tuple[Interval, ...]:
        frames: Iterable[Interval] = (
            interval
            for item, voice in self._voices
            if item.consented == stem
            for interval in voice.heard
        )
        return tuple(
            (start * FRAME_MS - self._start_ms, end * FRAME_MS - self._start_ms)
            for start, end in sorted(frames)
        )

    def _damaged(self) -> set[str]:
        """Return of whom pages fail authentication, or whole objects are missing."""
        return {
            item.consented.uid for item, _ in self._voices if item.reader.is_damaged
        }

    def _ms(self, position: int) -> int:
        return max(0, position // MS_SAMPLES - self._start_ms)


def manifest_of(
    job: RenderJob,
    rendered: RenderedStems,
    stems: StemSet,
    *,
    rendered_at: datetime,
    **audio: Any,
) -> Manifest:
    """
    Return the manifest, not signed yet.

    Args:
        audio: The manifest's fields about the files.
    """
    gaps = rendered.gaps(audio["duration_ms"])
    began = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=job.began_at_ms)
    missing = any(gap.reason not in MEANT for gap in gaps)
    return Manifest(
        recording_id=job.recording_id,
        space_id=job.space_id,
        version=job.version,
        title=job.title,
        notice_version=job.notice_version,
        began_at=rfc3339(began),
        rendered_at=rfc3339(rendered_at),
        partial=missing or not stems.is_complete,
        stems=rendered.speakers,
        gaps=gaps,
        lost_stems=len(set(stems.lost)),
        commitments=job.commitments,
        chain_head=chain_head(job.recording_id, job.commitments),
        key_id="",
        public_key="",
        **audio,
    )
