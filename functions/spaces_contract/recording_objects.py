"""
Names of a recording's objects, in two stores.

The recordings store holds stems and what is derived from them:

    recordings/{recording}/v{n}/{epoch}/{stem}/{seq}.pages   encrypted pages
    recordings/{recording}/v{n}/{epoch}/journal.json         what an epoch did
    recordings/{recording}/v{n}/job.json                     see `recording_render`
    recordings/{recording}/v{n}/progress.json
    recordings/{recording}/v{n}/{audio.m4a,waveform.json,markers.json,manifest.json}
    recordings/{recording}/clips/{n}/{job.json,progress.json,clip.m4a,manifest.json}

A clip is of no version: it stays until one of its voices is taken out.  A stem stays
under the version that was current when it was stored; a render of version n takes the
stems of all versions up to n.  The keys store, without soft delete or versioning, holds
one wrapped key for each stem and epoch:

    recordings/{recording}/{stem}/{epoch}.key.json

Deploy units find them by `PARLEY_RECORDINGS_URL` and `PARLEY_RECORDING_KEYS_URL`.
To erase a stem, delete everything below `stem_keys` in the keys store, then every
object of the recordings store which `parse_stem_object` says is of that stem.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .recording import RecordingId, StemId

_STEM_OBJECT: Final = re.compile(
    r"recordings/([A-Za-z0-9_-]{8,64})/v([1-9][0-9]{0,8})/([1-9][0-9]{0,8})"
    r"/([A-Za-z0-9_-]{8,64})/([0-9]{8})\.pages"
)
_JOURNAL: Final = re.compile(
    r"recordings/[A-Za-z0-9_-]{8,64}/v[1-9][0-9]{0,8}/([1-9][0-9]{0,8})/journal\.json"
)

_CLIP: Final = re.compile(
    r"recordings/[A-Za-z0-9_-]{8,64}/clips/([1-9][0-9]{0,8})/[a-z0-9.]+"
)


class RenderFile(StrEnum):
    """What a render job reads and writes below `version_prefix`."""

    JOB = "job.json"
    PROGRESS = "progress.json"
    AUDIO = "audio.m4a"
    WAVEFORM = "waveform.json"
    MARKERS = "markers.json"
    MANIFEST = "manifest.json"


class ClipFile(StrEnum):
    """What a clip job reads and writes below `clip_prefix`."""

    JOB = "job.json"  # written by functions, deleted first: without it nothing is made
    PROGRESS = "progress.json"  # see `recording_render`
    AUDIO = "clip.m4a"
    MANIFEST = "manifest.json"  # see `clip_manifest`


@dataclass(frozen=True, slots=True, kw_only=True)
class StemObject:
    """One object of encrypted pages; `seq` counts from 0 within stem and epoch."""

    recording_id: RecordingId
    version: int
    epoch: int
    stem: StemId
    seq: int

    @property
    def name(self) -> str:
        """Its name in the recordings store."""
        prefix = version_prefix(self.recording_id, self.version)
        return f"{prefix}/{self.epoch}/{self.stem}/{self.seq:08}.pages"


def parse_stem_object(name: str) -> StemObject | None:
    """Return what `name` says, or None where it names something else."""
    match = _STEM_OBJECT.fullmatch(name)
    if match is None:
        return None
    recording_id, version, epoch, stem, seq = match.groups()
    return StemObject(
        recording_id=RecordingId(recording_id),
        version=int(version),
        epoch=int(epoch),
        stem=StemId(stem),
        seq=int(seq),
    )


def recording_prefix(recording_id: RecordingId) -> str:
    """Everything of one recording, in either store."""
    return f"recordings/{recording_id}"


def version_prefix(recording_id: RecordingId, version: int) -> str:
    """Everything that was made under one version."""
    return f"{recording_prefix(recording_id)}/v{version}"


def render_file(recording_id: RecordingId, version: int, file: RenderFile) -> str:
    """Name of a file of the render job."""
    return f"{version_prefix(recording_id, version)}/{file.value}"


def clips_prefix(recording_id: RecordingId) -> str:
    """Everything of all clips of a recording."""
    return f"{recording_prefix(recording_id)}/clips"


def clip_file(recording_id: RecordingId, number: int, file: ClipFile) -> str:
    """Name of a file of the clip job."""
    return f"{clips_prefix(recording_id)}/{number}/{file.value}"


def clip_number(name: str) -> int | None:
    """Return the number of the clip that `name` is a file of; None where of none."""
    match = _CLIP.fullmatch(name)
    return int(match[1]) if match else None


def journal(recording_id: RecordingId, version: int, epoch: int) -> str:
    """Name of an epoch's journal."""
    return f"{version_prefix(recording_id, version)}/{epoch}/journal.json"


def journal_epoch(name: str) -> int | None:
    """Return the epoch whose journal `name` is, or None where it is none."""
    match = _JOURNAL.fullmatch(name)
    return int(match[1]) if match else None


def stem_keys(recording_id: RecordingId, stem: StemId) -> str:
    """All wrapped keys of a stem, in the keys store."""
    return f"{recording_prefix(recording_id)}/{stem}"


def stem_key(recording_id: RecordingId, stem: StemId, epoch: int) -> str:
    """The wrapped key of a stem in one epoch, in the keys store."""
    return f"{stem_keys(recording_id, stem)}/{epoch}.key.json"
