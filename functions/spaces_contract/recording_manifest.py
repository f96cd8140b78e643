"""
The manifest of one rendered version: what is in the file, and by whose consent.

The signature (Ed25519, base64url without padding) is over `canonical_json` of the
manifest without its `signature`.  Nobody is named who did not agree to be
heard in the file.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from .consent_receipts import canonical_json
from .json_documents import Reading, check_schema
from .recording import ConsentScope, GapReason

MANIFEST_SCHEMA: Final = 1

Interval = tuple[int, int]  # from and to, in ms of the rendered file


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestStem:
    """
    One voice in the file.

    Args:
        commitment: Index into the manifest's `commitments`, of the grant's receipt.
        digest: Hex SHA-256 over the SHA-256 of each epoch's encrypted objects.
        heard: When this voice is heard; also its markers.
    """

    stem: str
    uid: str
    display_name: str
    scopes: tuple[ConsentScope, ...]
    commitment: int
    digest: str
    heard: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestGap:
    """An interval that is missing; `uid` is empty where it concerns all."""

    from_ms: int
    to_ms: int
    reason: GapReason
    uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """
    What a rendered file is, to be checked offline.

    Args:
        public_key: Base64url of the raw Ed25519 key that signs; its id is `key_id`.
        audio_sha256: Hex, of the m4a's bytes.
        chain_head: Hex, over `commitments`.
        loudness_lufs: Integrated (EBU R128); None where all is silence.
        rendered_at: RFC 3339, UTC.
    """

    recording_id: str
    space_id: str
    version: int
    title: str
    notice_version: str
    began_at: str
    rendered_at: str
    duration_ms: int
    partial: bool
    loudness_lufs: float | None
    audio_sha256: str
    audio_bytes: int
    waveform_sha256: str
    markers_sha256: str
    stems: tuple[ManifestStem, ...]
    gaps: tuple[ManifestGap, ...]
    lost_stems: int
    commitments: tuple[str, ...]
    chain_head: str
    key_id: str
    public_key: str
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the object of `manifest.json`."""
        return {"schema": MANIFEST_SCHEMA, **asdict(self)}

    def signed_bytes(self) -> bytes:
        """Return what the signature is over."""
        fields = self.to_json()
        del fields["signature"]
        return canonical_json(fields)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read `manifest.json`; nothing of it is verified yet.

        Raises:
            InvalidDocument: a field is missing, wrong or unknown.
        """
        with Reading("manifest"):
            check_schema(fields, MANIFEST_SCHEMA)
            rest = {name: fields[name] for name in fields if name != "schema"}
            rest["stems"] = tuple(
                ManifestStem(**stem_arguments(stem)) for stem in rest["stems"]
            )
            rest["gaps"] = tuple(_gap(gap) for gap in rest["gaps"])
            rest["commitments"] = tuple(rest["commitments"])
            return cls(**rest)


def stem_arguments(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `ManifestStem` takes, of a stem in a manifest's JSON."""
    scopes = tuple(ConsentScope(scope) for scope in fields["scopes"])
    heard = tuple((int(start), int(end)) for start, end in fields["heard"])
    return {**fields, "scopes": scopes, "heard": heard}


def _gap(fields: Mapping[str, Any]) -> ManifestGap:
    return ManifestGap(**{**fields, "reason": GapReason(fields["reason"])})
