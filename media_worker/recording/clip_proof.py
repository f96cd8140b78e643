"""Says what a clip holds, and out of which stored objects it was made."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spaces_contract.clip_manifest import ClipManifest, ClipStem
from spaces_contract.consent_receipts import chain_head
from spaces_contract.recording_manifest import Interval
from spaces_contract.recording_render import ClipJob, ConsentedStem
from spaces_contract.timestamps import rfc3339

from .manifest_making import FRAME_MS
from .mixdown import Voice
from .stem_reader import StemReader


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippedVoice:
    """One stem in one epoch, mixed to the end; `reader` is what `voice` was read by."""

    consented: ConsentedStem
    reader: StemReader
    voice: Voice


def clip_manifest(
    job: ClipJob, voices: Sequence[ClippedVoice], audio: Path, *, made_at: datetime
) -> ClipManifest:
    """Return the manifest of the file `audio`, not signed yet."""
    with audio.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ClipManifest(
        recording_id=job.recording_id,
        version=job.version,
        number=job.number,
        start_ms=job.start_ms,
        end_ms=job.end_ms,
        made_at=rfc3339(made_at),
        audio_sha256=digest,
        audio_bytes=audio.stat().st_size,
        stems=tuple(
            _stem(job, stem, [each for each in voices if each.consented == stem])
            for stem in job.stems
            if any(each.consented == stem for each in voices)
        ),
        commitments=job.commitments,
        chain_head=chain_head(job.recording_id, job.commitments),
        key_id="",
        public_key="",
    )


def _stem(
    job: ClipJob, stem: ConsentedStem, voices: Sequence[ClippedVoice]
) -> ClipStem:
    digests = b"".join(each.reader.digest.digest() for each in voices)
    return ClipStem(
        stem=stem.stem,
        uid=stem.uid,
        display_name=stem.display_name,
        scopes=stem.scopes,
        commitment=stem.commitment,
        digest=hashlib.sha256(digests).hexdigest(),
        heard=_heard(job, voices),
        objects=tuple(name for each in voices for name in each.reader.read),
    )


def _heard(job: ClipJob, voices: Sequence[ClippedVoice]) -> tuple[Interval, ...]:
    """Return turns in ms of the clip; a page may reach beyond its end."""
    turns = sorted(turn for each in voices for turn in each.voice.heard)
    spans = (
        (begin * FRAME_MS - job.start_ms, end * FRAME_MS - job.start_ms)
        for begin, end in turns
    )
    length_ms = job.end_ms - job.start_ms
    return tuple(
        (begin, min(end, length_ms)) for begin, end in spans if begin < length_ms
    )
