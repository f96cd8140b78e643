"""
The manifest of a clip: whose voices are in it, by whose consent, out of what.

It is signed as a recording's is (see `recording_manifest`), and says `"kind": "clip"`,
so that neither can be taken for the other.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from .consent_receipts import canonical_json
from .json_documents import InvalidDocument, Reading, check_schema
from .recording_manifest import ManifestStem, stem_arguments

CLIP_MANIFEST_SCHEMA: Final = 1
KIND: Final = "clip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipStem(ManifestStem):
    """
    One voice in a clip; `heard` is in ms of the clip.

    Args:
        objects: Names of the encrypted objects that it was read from, in order.
        digest: Hex SHA-256 over the SHA-256 of each epoch's objects among them.
    """

    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipManifest:
    """
    What a clip is, to be checked offline.

    Args:
        version: Of the recording, when the clip was made.
        number: Of the clip, within its recording.
        start_ms: On the recording clock; so is `end_ms`.
        made_at: RFC 3339, UTC.
        audio_sha256: Hex, of the m4a's bytes.
        chain_head: Hex, over `commitments`.
        public_key: Base64url of the raw Ed25519 key that signs; its id is `key_id`.
    """

    recording_id: str
    version: int
    number: int
    start_ms: int
    end_ms: int
    made_at: str
    audio_sha256: str
    audio_bytes: int
    stems: tuple[ClipStem, ...]
    commitments: tuple[str, ...]
    chain_head: str
    key_id: str
    public_key: str
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the object of the clip's `manifest.json`."""
        return {"schema": CLIP_MANIFEST_SCHEMA, "kind": KIND, **asdict(self)}

    def signed_bytes(self) -> bytes:
        """Return what the signature is over."""
        fields = self.to_json()
        del fields["signature"]
        return canonical_json(fields)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read the clip's `manifest.json`; nothing of it is verified yet.

        Raises:
            InvalidDocument: a field is missing, wrong or unknown.
        """
        with Reading("clip's manifest"):
            check_schema(fields, CLIP_MANIFEST_SCHEMA)
            if fields["kind"] != KIND:
                raise InvalidDocument("the manifest is of no clip")
            rest = {
                name: fields[name] for name in fields if name not in ("schema", "kind")
            }
            rest["stems"] = tuple(_stem(stem) for stem in rest["stems"])
            rest["commitments"] = tuple(rest["commitments"])
            return cls(**rest)


def _stem(fields: Mapping[str, Any]) -> ClipStem:
    objects = tuple(str(name) for name in fields["objects"])
    return ClipStem(**{**stem_arguments(fields), "objects": objects})
