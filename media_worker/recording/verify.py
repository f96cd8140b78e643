"""Checks a rendered file or a clip against its manifest, and says what is proved."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spaces_contract.clip_manifest import ClipManifest
from spaces_contract.consent_receipts import (
    ConsentAction,
    SignedReceipt,
    chain_head,
    from_base64url,
    key_id,
)
from spaces_contract.recording import ConsentScope, RecordingId
from spaces_contract.recording_manifest import Interval, Manifest, ManifestStem

from .proof import is_signed

AnyManifest = Manifest | ClipManifest


@dataclass(slots=True)
class Verdict:
    """
    What was found.

    Args:
        errors: Why the file must not be trusted; empty: it may be.
        notes: What is proved, and what is not, for a person to read.
    """

    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(
    file: Path,
    manifest: AnyManifest,
    receipts: Iterable[SignedReceipt],
    *,
    published: dict[str, bytes] | None,
) -> Verdict:
    """
    Check that file, manifest and opened receipts belong together.

    Args:
        published: Raw public keys by id, as the operator publishes them; None: the
            manifest's own key is taken at its word, which a note says.

    Raises:
        OSError: the file cannot be read.
    """
    verdict = Verdict()
    keys = _keys(manifest, published, verdict)
    verdict.errors += _manifest_errors(manifest, keys)
    verdict.errors += _file_errors(file, manifest)
    opened = list(receipts)
    for receipt in opened:
        verdict.errors += _receipt_errors(receipt, manifest, keys)
    verdict.notes += [_about(stem, opened) for stem in manifest.stems]
    verdict.notes += (
        _missing(manifest) if isinstance(manifest, Manifest) else _clipped(manifest)
    )
    return verdict


def _keys(
    manifest: AnyManifest, published: dict[str, bytes] | None, verdict: Verdict
) -> dict[str, bytes]:
    if published is not None:
        return published
    verdict.notes.append(
        f"signed with key {manifest.key_id}; compare it with the operator's list"
    )
    try:
        own = from_base64url(manifest.public_key)
    except ValueError:
        return {}
    return {key_id(own): own}


def _manifest_errors(manifest: AnyManifest, keys: dict[str, bytes]) -> Iterator[str]:
    key = keys.get(manifest.key_id)
    if key is None:
        yield f"manifest: key {manifest.key_id} is not one of the operator's"
    elif not is_signed(manifest.signed_bytes(), manifest.signature, key):
        yield "manifest: the signature is wrong; it was changed, or never signed"
    try:
        head = chain_head(RecordingId(manifest.recording_id), manifest.commitments)
    except ValueError:
        head = ""
    if head != manifest.chain_head:
        yield "manifest: the commitments do not lead to the head of their chain"
    for stem in manifest.stems:
        if not 0 <= stem.commitment < len(manifest.commitments):
            yield f"manifest: {stem.uid} is heard without a commitment to their consent"
        if isinstance(manifest, ClipManifest) and ConsentScope.CLIPS not in stem.scopes:
            yield f"manifest: {stem.uid} did not agree to clips"


def _file_errors(file: Path, manifest: AnyManifest) -> Iterator[str]:
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    if digest != manifest.audio_sha256:
        yield "file: it is not the one that the manifest describes"


def _receipt_errors(
    signed: SignedReceipt, manifest: AnyManifest, keys: dict[str, bytes]
) -> Iterator[str]:
    receipt = signed.receipt
    name = f"receipt {receipt.receipt_id}"
    key = keys.get(signed.key_id)
    if key is None or not is_signed(receipt.signed_bytes(), signed.signature, key):
        yield f"{name}: the signature is wrong, or by a key that is not the operator's"
    if receipt.recording_id != manifest.recording_id:
        yield f"{name}: it is of another recording"
        return
    if signed.commitment not in manifest.commitments:
        yield f"{name}: it is not part of the manifest's chain"
    stem = next((s for s in manifest.stems if s.stem == receipt.stem), None)
    if stem is None:
        return
    if receipt.action is ConsentAction.WITHDRAW:
        yield f"{name}: {receipt.uid} withdrew at {receipt.at}, and is in the file"
    elif not _opens(signed, stem, manifest):
        yield f"{name}: it is not the consent under which {stem.uid} is heard"


def _opens(signed: SignedReceipt, stem: ManifestStem, manifest: AnyManifest) -> bool:
    commitments, receipt = manifest.commitments, signed.receipt
    is_clip = isinstance(manifest, ClipManifest)
    return (
        receipt.action is ConsentAction.GRANT
        and (not is_clip or ConsentScope.CLIPS in receipt.scopes)
        and receipt.uid == stem.uid
        and 0 <= stem.commitment < len(commitments)
        and commitments[stem.commitment] == signed.commitment
    )


def _about(stem: ManifestStem, receipts: list[SignedReceipt]) -> str:
    heard = f"{stem.display_name} ({stem.uid}) is heard {_spans(stem.heard)}"
    for signed in receipts:
        receipt = signed.receipt
        if receipt.stem == stem.stem and receipt.action is ConsentAction.GRANT:
            scopes = ", ".join(scope.value for scope in receipt.scopes)
            return (
                f"{heard}; consented at {receipt.at} to {scopes}"
                f" by notice {receipt.notice_version}"
            )
    return f"{heard}; consent is committed to, but its receipt was not given"


def _clipped(manifest: ClipManifest) -> Iterator[str]:
    span = _spans([(manifest.start_ms, manifest.end_ms)])
    yield f"a clip of recording {manifest.recording_id}, {span} after it began"


def _missing(manifest: Manifest) -> Iterator[str]:
    for gap in manifest.gaps:
        span = _spans([(gap.from_ms, gap.to_ms)])
        yield f"missing of {gap.uid or 'everybody'} {span}: {gap.reason.value}"
    if manifest.lost_stems:
        yield f"missing: {manifest.lost_stems} stems whose keys are gone"
    if manifest.partial:
        yield "the recording is partial"


def _spans(intervals: Iterable[Interval]) -> str:
    return ", ".join(f"{_at(a)}-{_at(b)}" for a, b in intervals) or "never"


def _at(moment_ms: int) -> str:
    minutes, rest_ms = divmod(moment_ms, 60_000)
    return f"{minutes}:{rest_ms / 1_000:04.1f}"
