"""Offline proof: file, manifest and receipts belong together, or are refused."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_worker.recording.__main__ import ExitCode, main
from media_worker.recording.proof import ManifestSigner, is_signed
from media_worker.recording.verify import verify
from spaces_contract.consent_receipts import (
    ConsentAction,
    SignedReceipt,
    chain_head,
    from_base64url,
    key_id,
    to_base64url,
)
from spaces_contract.json_documents import InvalidDocument
from spaces_contract.recording import ConsentScope, GapReason
from spaces_contract.recording_manifest import Manifest, ManifestGap, ManifestStem
from tests.room_doubles import SPACE
from tests.stems import PROOF_PEM, PROOF_PUBLIC, RECORDING, a_receipt, stem_of

AUDIO = b"an m4a" * 100


def a_manifest(**changes: Any) -> Manifest:
    """Return a signed manifest of a file with ana and bo in it."""
    chain = tuple(a_receipt(uid).commitment for uid in ("ana", "bo", "cy"))
    stems = tuple(
        ManifestStem(
            stem=stem_of(uid),
            uid=uid,
            display_name=uid.title(),
            scopes=(ConsentScope.ARCHIVE,),
            commitment=number,
            digest="00" * 32,
            heard=((1_000, 61_500),),
        )
        for number, uid in enumerate(("ana", "bo"))
    )
    fields: dict[str, Any] = {
        "recording_id": RECORDING,
        "space_id": SPACE,
        "version": 1,
        "title": "Morning radio",
        "notice_version": "2026-01",
        "began_at": "2026-01-01T12:00:00.000Z",
        "rendered_at": "2026-01-01T13:00:00.000Z",
        "duration_ms": 62_000,
        "partial": True,
        "loudness_lufs": -16.0,
        "audio_sha256": hashlib.sha256(AUDIO).hexdigest(),
        "audio_bytes": len(AUDIO),
        "waveform_sha256": "00" * 32,
        "markers_sha256": "00" * 32,
        "stems": stems,
        "gaps": (
            ManifestGap(from_ms=0, to_ms=900, reason=GapReason.WORKER_LOST),
            ManifestGap(from_ms=5, to_ms=9, reason=GapReason.ECHO, uid="bo"),
        ),
        "lost_stems": 0,
        "commitments": chain,
        "chain_head": chain_head(RECORDING, chain),
        "key_id": "",
        "public_key": "",
    }
    return ManifestSigner(PROOF_PEM).signed(Manifest(**(fields | changes)))


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Return the file that the manifest is about."""
    path = tmp_path / "audio.m4a"
    path.write_bytes(AUDIO)
    return path


PUBLISHED = {key_id(PROOF_PUBLIC): PROOF_PUBLIC}
RECEIPTS = [a_receipt("ana"), a_receipt("bo")]


def test_who_is_heard_consented_and_what_is_missing_is_told(audio: Path) -> None:
    """
    A file as it was rendered passes, with each voice's consent and every gap in words.
    """
    verdict = verify(audio, a_manifest(), RECEIPTS[:1], published=PUBLISHED)

    assert verdict.errors == []
    assert verdict.notes == [
        "Ana (ana) is heard 0:01.0-1:01.5; consented at 2026-01-01T12:00:00.000Z"
        " to archive by notice 2026-01",
        "Bo (bo) is heard 0:01.0-1:01.5; consent is committed to, but its receipt"
        " was not given",
        "missing of everybody 0:00.0-0:00.9: worker-lost",
        "missing of bo 0:00.0-0:00.0: echo",
        "the recording is partial",
    ]


def test_a_file_changed_by_one_byte_is_refused(audio: Path) -> None:
    """
    Any single changed, added or missing byte shows.
    """
    for data in (AUDIO[:-1] + b"5", AUDIO + b"\0", AUDIO[1:], b""):
        audio.write_bytes(data)
        errors = verify(audio, a_manifest(), [], published=PUBLISHED).errors
        assert errors == ["file: it is not the one that the manifest describes"]


@pytest.mark.parametrize(
    "change",
    [
        {"duration_ms": 1},
        {"title": "Evening radio"},
        {"gaps": ()},
        {"stems": ()},
        {"partial": False},
        {"signature": ""},
        {"signature": "!"},
    ],
)
def test_a_manifest_changed_after_signing_is_refused(
    audio: Path, change: dict[str, Any]
) -> None:
    """
    Nothing can be taken out of a manifest, or put in, without its signature failing.
    """
    manifest = replace(a_manifest(), **change)

    (error,) = verify(audio, manifest, [], published=PUBLISHED).errors
    assert error.startswith("manifest: the signature is wrong")


def test_only_the_operators_keys_count(audio: Path) -> None:
    """
    A manifest by another key is refused; without a list, that is said and no more.
    """
    stranger = {"0" * 16: bytes(32)}

    refused = verify(audio, a_manifest(), [], published=stranger)
    unlisted = verify(audio, a_manifest(), [], published=None)

    assert "is not one of the operator's" in refused.errors[0]
    assert unlisted.errors == []
    assert "compare it with the operator's list" in unlisted.notes[0]


def test_a_broken_chain_is_refused(audio: Path) -> None:
    """
    Commitments that were swapped, dropped or made up lead to another head.
    """
    chain = a_manifest().commitments
    for broken in (chain[::-1], chain[:2], ("zz", *chain[1:])):
        errors = verify(
            audio, a_manifest(commitments=broken), [], published=PUBLISHED
        ).errors
        assert any("do not lead to the head" in error for error in errors)


def test_a_voice_without_a_commitment_is_refused(audio: Path) -> None:
    """
    A stem must point at a receipt in the chain.
    """
    stems = tuple(replace(s, commitment=9) for s in a_manifest().stems[:1])

    errors = verify(
        audio, a_manifest(stems=stems), RECEIPTS, published=PUBLISHED
    ).errors

    assert "manifest: ana is heard without a commitment to their consent" in errors


@pytest.mark.parametrize(
    ("receipt", "said"),
    [
        (a_receipt("ana", ConsentAction.WITHDRAW), "withdrew at"),
        (a_receipt("ana", salt="00" * 32), "not part of the manifest's chain"),
        (a_receipt("ana", recording_id="recording-2"), "of another recording"),
        (replace(RECEIPTS[0], signature=RECEIPTS[1].signature), "signature is wrong"),
        (replace(RECEIPTS[0], key_id="0" * 16), "not the operator's"),
        (a_receipt("bo", stem=stem_of("ana")), "not the consent under which ana"),
        (a_receipt("ana", ConsentAction.DECLINE), "not the consent under which ana"),
    ],
)
def test_a_receipt_that_does_not_fit_is_refused(
    audio: Path, receipt: SignedReceipt, said: str
) -> None:
    """
    Withdrawn, forged, of another recording or person: each is refused by name.
    """
    errors = verify(audio, a_manifest(), [receipt], published=PUBLISHED).errors

    assert any(said in error for error in errors), errors


def run(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *options: str,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
) -> tuple[ExitCode, str]:
    """Run the command on files; `change` what the manifest says first."""
    fields = a_manifest().to_json()
    change(fields)
    (folder / "manifest.json").write_text(json.dumps(fields))
    (folder / "receipts.json").write_text(
        json.dumps([receipt.to_json() for receipt in RECEIPTS])
    )
    (folder / "keys.json").write_text(
        json.dumps(
            {"keys": [{"kid": key_id(PROOF_PUBLIC), "x": to_base64url(PROOF_PUBLIC)}]}
        )
    )
    files = [str(folder / name) for name in ("audio.m4a", "manifest.json")]
    code = main(["verify", *files, *options], {})
    return code, capsys.readouterr().out


def test_the_command_says_verified_or_refused(
    audio: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    `verify` exits with 0 and VERIFIED, or with 2 and REFUSED and why.
    """
    folder = audio.parent
    given = [str(folder / "receipts.json"), "--keys", str(folder / "keys.json")]

    good = run(folder, capsys, *given)
    bad = run(folder, capsys, *given, change=lambda f: f.update(version=2))

    assert good[0] is ExitCode.DONE
    assert good[1].endswith("VERIFIED\n")
    assert bad[0] is ExitCode.WRONG
    assert "WRONG: manifest: the signature is wrong" in bad[1]
    assert bad[1].endswith("REFUSED\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.update(schema=2),
        lambda f: f.pop("stems"),
        lambda f: f.update(stems=[1]),
        lambda f: f.update(extra=1),
        lambda f: f.update(gaps=[{"reason": "because"}]),
    ],
)
def test_what_is_no_manifest_is_refused_without_a_traceback(
    audio: Path, capsys: pytest.CaptureFixture[str], change: Any
) -> None:
    """
    Hostile JSON ends in a message and exit code 2.
    """
    code, _ = run(audio.parent, capsys, change=change)

    assert code is ExitCode.WRONG


def test_documents_survive_their_json() -> None:
    """
    Receipts and manifests read back are what was written.
    """
    manifest = a_manifest()
    text = json.dumps(manifest.to_json())

    assert Manifest.from_json(json.loads(text)) == manifest
    assert (
        SignedReceipt.from_json(json.loads(json.dumps(RECEIPTS[0].to_json())))
        == (RECEIPTS[0])
    )
    with pytest.raises(InvalidDocument):
        SignedReceipt.from_json({"receipt": 1})
    assert from_base64url(to_base64url(b"\xff\xfe")) == b"\xff\xfe"
    assert not is_signed(b"", "", b"short")
