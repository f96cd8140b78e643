"""Documents of recordings and of consents, and what they mean."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from spaces_contract.consent_receipts import SignedReceipt
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import (
    ConsentField,
    ConsentScope,
    RecordingField,
    RecordingState,
    StemId,
)

from ...domain.clip import Clip, ClipState
from ...domain.consent import Consent
from ...domain.recording import Recording, Voice
from ...domain.recording_states import ConsentState
from .codec import Document, instant, required_instant


def recording_to_doc(recording: Recording) -> Document:
    """Return the fields of `spaces/{id}/runtime/recording`, the worker's first."""
    began_at = recording.began_at
    return {
        RecordingField.RECORDING_ID.value: recording.id,
        RecordingField.STATE.value: recording.state.value,
        RecordingField.VERSION.value: recording.version,
        RecordingField.BEGAN_AT_MS.value: _ms(began_at) if began_at else 0,
        RecordingField.NOTICE_VERSION.value: recording.notice_version,
        RecordingField.CONSENTS.value: {
            voice.user_id: _voice_to_doc(voice) for voice in recording.voices
        },
        "withdrawn": list(recording.withdrawn),
        "commitments": list(recording.commitments),
        "requested_by": recording.requested_by,
        "requested_at": recording.requested_at,
        "updated_at": recording.updated_at,
        "stopped_at": recording.stopped_at,
        "ready_at": recording.ready_at,
        "expires_at": recording.expires_at,
        "attempt": recording.attempt,
        "attempted_at": recording.attempted_at,
        "trim_start_ms": recording.trim_start_ms,
        "private": recording.private,
        "duration_ms": recording.duration_ms,
        "partial": recording.partial,
        "clips": [_clip_to_doc(clip) for clip in recording.clips],
        "clips_made": recording.clips_made,
        "clips_due_at": recording.clips_due_at,
    }


def recording_from_doc(space_id: SpaceId, doc: Mapping[str, Any]) -> Recording:
    """Return the recording that `spaces/{id}/runtime/recording` holds."""
    began_at_ms = doc[RecordingField.BEGAN_AT_MS]
    voices = [
        _voice_from_doc(uid, fields)
        for uid, fields in doc[RecordingField.CONSENTS].items()
    ]
    return Recording(
        space_id=space_id,
        state=RecordingState(doc[RecordingField.STATE]),
        version=doc[RecordingField.VERSION],
        began_at=datetime.fromtimestamp(began_at_ms / 1000, UTC)
        if began_at_ms
        else None,
        notice_version=doc[RecordingField.NOTICE_VERSION],
        # A map has no order; the chain has.
        voices=tuple(sorted(voices, key=lambda voice: voice.commitment)),
        withdrawn=tuple(StemId(stem) for stem in doc["withdrawn"]),
        commitments=tuple(doc["commitments"]),
        requested_by=UserId(doc["requested_by"]),
        requested_at=required_instant(doc["requested_at"]),
        updated_at=required_instant(doc["updated_at"]),
        stopped_at=instant(doc["stopped_at"]),
        ready_at=instant(doc["ready_at"]),
        expires_at=instant(doc["expires_at"]),
        attempt=doc["attempt"],
        attempted_at=instant(doc["attempted_at"]),
        trim_start_ms=doc["trim_start_ms"],
        private=doc["private"],
        duration_ms=doc["duration_ms"],
        partial=doc["partial"],
        # Not in documents of releases that made no clips.
        clips=tuple(_clip_from_doc(clip) for clip in doc.get("clips", ())),
        clips_made=doc.get("clips_made", 0),
        clips_due_at=instant(doc.get("clips_due_at")),
    )


def consent_to_doc(consent: Consent) -> Document:
    """Return the fields of `spaces/{id}/consents/{uid}`."""
    return {
        "space_id": consent.space_id,
        "uid": consent.user_id,
        "state": consent.state.value,
        "scopes": [scope.value for scope in consent.scopes],
        "answered_at": consent.answered_at,
        "grants": consent.grants,
        # As text: what was signed must come back to the letter.
        "receipts": [json.dumps(each.to_json()) for each in consent.receipts],
    }


def consent_from_doc(doc: Mapping[str, Any]) -> Consent:
    """Return the answer that `spaces/{id}/consents/{uid}` holds."""
    return Consent(
        space_id=SpaceId(doc["space_id"]),
        user_id=UserId(doc["uid"]),
        state=ConsentState(doc["state"]),
        scopes=tuple(ConsentScope(scope) for scope in doc["scopes"]),
        answered_at=required_instant(doc["answered_at"]),
        grants=doc["grants"],
        receipts=tuple(
            SignedReceipt.from_json(json.loads(each)) for each in doc["receipts"]
        ),
    )


def _voice_to_doc(voice: Voice) -> Document:
    return {
        ConsentField.STEM.value: voice.stem,
        "display_name": voice.display_name,
        "scopes": [scope.value for scope in voice.scopes],
        "commitment": voice.commitment,
    }


def _voice_from_doc(uid: str, doc: Mapping[str, Any]) -> Voice:
    return Voice(
        user_id=UserId(uid),
        display_name=doc["display_name"],
        stem=StemId(doc[ConsentField.STEM]),
        scopes=tuple(ConsentScope(scope) for scope in doc["scopes"]),
        commitment=doc["commitment"],
    )


def _clip_to_doc(clip: Clip) -> Document:
    return {
        "number": clip.number,
        "title": clip.title,
        "start_ms": clip.start_ms,
        "end_ms": clip.end_ms,
        "stems": list(clip.stems),
        "made_by": clip.made_by,
        "made_at": clip.made_at,
        "state": clip.state.value,
        "attempt": clip.attempt,
        "attempted_at": clip.attempted_at,
    }


def _clip_from_doc(doc: Mapping[str, Any]) -> Clip:
    return Clip(
        number=doc["number"],
        title=doc["title"],
        start_ms=doc["start_ms"],
        end_ms=doc["end_ms"],
        stems=tuple(StemId(stem) for stem in doc["stems"]),
        made_by=UserId(doc["made_by"]),
        made_at=required_instant(doc["made_at"]),
        state=ClipState(doc["state"]),
        attempt=doc["attempt"],
        attempted_at=instant(doc["attempted_at"]),
    )


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
