"""
What a render job is told, and how it tells how far it is.

Functions write `job.json` below the recording's version and launch
`python -m media_worker.recording render --recording ID --version N`.  The job
rewrites `progress.json` at most once a second and exits 0 once that says `done`,
`erased` or `failed`; killed, it may be launched again and does no harm.  It signs
with `PARLEY_PROOF_PRIVATE_KEY` (Ed25519 PEM), the key that signs receipts too.

A clip is made likewise, by `… clip --recording ID --clip N`, from a job of its own.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from .json_documents import Reading, check_schema
from .recording import ConsentScope, RecordingId, StemId

RENDER_SCHEMA: Final = 1
CLOCK_STEP_MS: Final = 100  # files and clips begin at a multiple of this


class RenderState(StrEnum):
    """Where a render stands."""

    RENDERING = "rendering"
    DONE = "done"
    ERASED = "erased"  # no stem is left that can be decrypted
    FAILED = "failed"  # will not succeed by trying again; `detail` says why


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentedStem:
    """
    A stem that may be rendered.

    Args:
        commitment: Index into the job's `commitments`, of the receipt of this grant.
    """

    stem: StemId
    uid: str
    display_name: str
    scopes: tuple[ConsentScope, ...]
    commitment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """
    One version of one recording, to be rendered.

    Args:
        began_at_ms: UTC; zero of the recording clock.
        stems: Those whose consent stands; objects of any other stem are not opened.
        commitments: Hex; the whole chain, oldest first (see `consent_receipts`).
        trim_start_ms: What the host cut off, on the recording clock.
    """

    recording_id: RecordingId
    space_id: str
    version: int
    title: str
    began_at_ms: int
    notice_version: str
    stems: tuple[ConsentedStem, ...]
    commitments: tuple[str, ...]
    trim_start_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the object of `job.json`."""
        return {"schema": RENDER_SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read `job.json`.

        Raises:
            InvalidDocument: a field is missing or wrong, or the schema is unknown.
        """
        with Reading("job"):
            check_schema(fields, RENDER_SCHEMA)
            return cls(
                recording_id=RecordingId(str(fields["recording_id"])),
                space_id=str(fields["space_id"]),
                version=int(fields["version"]),
                title=str(fields["title"]),
                began_at_ms=int(fields["began_at_ms"]),
                notice_version=str(fields["notice_version"]),
                stems=tuple(_stem(stem) for stem in fields["stems"]),
                commitments=tuple(str(value) for value in fields["commitments"]),
                trim_start_ms=int(fields["trim_start_ms"]),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipJob:
    """
    A clip to be made of a recording.

    Args:
        version: Of the recording; stems of later ones are left alone.
        number: Of the clip, from 1, within its recording.
        start_ms: On the recording clock; so is `end_ms`.
        stems: Whose voices are in it, each with the scope `clips`; no other is opened.
        commitments: Hex; the whole chain, oldest first.
    """

    recording_id: RecordingId
    version: int
    number: int
    start_ms: int
    end_ms: int
    stems: tuple[ConsentedStem, ...]
    commitments: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object of the clip's `job.json`."""
        return {"schema": RENDER_SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read the clip's `job.json`.

        Raises:
            InvalidDocument: a field is missing or wrong, or the schema is unknown.
        """
        with Reading("clip job"):
            check_schema(fields, RENDER_SCHEMA)
            return cls(
                recording_id=RecordingId(str(fields["recording_id"])),
                version=int(fields["version"]),
                number=int(fields["number"]),
                start_ms=int(fields["start_ms"]),
                end_ms=int(fields["end_ms"]),
                stems=tuple(_stem(stem) for stem in fields["stems"]),
                commitments=tuple(str(value) for value in fields["commitments"]),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderProgress:
    """
    How far a render is.

    Args:
        percent: 0 to 100; never shrinks within one attempt.
        updated_at_ms: UTC.
        duration_ms: Of the audio; 0 until it is known.
        partial: Whether it lacks intervals other than by mute, silence, pause or
            somebody's refusal, whose echo is kept out of others' stems.
        lost_stems: Consented stems of which nothing can be decrypted.
        detail: For whoever runs the service; empty while all is well.
    """

    state: RenderState
    percent: int
    updated_at_ms: int
    duration_ms: int = 0
    partial: bool = False
    lost_stems: tuple[str, ...] = ()
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the object of `progress.json`."""
        return {"schema": RENDER_SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read `progress.json`.

        Raises:
            InvalidDocument: a field is missing or wrong, or the schema is unknown.
        """
        with Reading("progress"):
            check_schema(fields, RENDER_SCHEMA)
            return cls(
                state=RenderState(fields["state"]),
                percent=int(fields["percent"]),
                updated_at_ms=int(fields["updated_at_ms"]),
                duration_ms=int(fields["duration_ms"]),
                partial=bool(fields["partial"]),
                lost_stems=tuple(str(stem) for stem in fields["lost_stems"]),
                detail=str(fields["detail"]),
            )


def _stem(fields: Mapping[str, Any]) -> ConsentedStem:
    return ConsentedStem(
        stem=StemId(str(fields["stem"])),
        uid=str(fields["uid"]),
        display_name=str(fields["display_name"]),
        scopes=tuple(ConsentScope(scope) for scope in fields["scopes"]),
        commitment=int(fields["commitment"]),
    )
