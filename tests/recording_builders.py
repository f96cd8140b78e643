"""Recordings and answers with defaults, so that a test names only what it is about."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from spaces.domain.consent import Consent, ConsentDecision, ConsentFacts, Moment
from spaces.domain.notice import Notice, notice_in
from spaces.domain.participant import Participant
from spaces.domain.recording import Recording, Voice
from spaces.domain.recording_states import ConsentState
from spaces.domain.space import Space
from spaces_contract.consent_receipts import Receipt, SignedReceipt
from spaces_contract.ids import UserId
from spaces_contract.recording import ConsentScope, RecordingState, StemId
from spaces_contract.recording_manifest import Manifest, ManifestStem
from spaces_contract.roles import Role
from tests.builders import HOST, NOW, SPACE_ID, a_participant, a_space

NOTICE: Notice = notice_in("en", kept_days=30)
BOTH = frozenset(ConsentScope)
ARCHIVE = frozenset({ConsentScope.ARCHIVE})
# Of a file of 40 s: Ana is heard from 0 to 20 s, Bo from 15 to 30 s.
HEARD = {"ana": [(0, 20_000)], "bo": [(15_000, 30_000)]}
CLIP_WISH: dict[str, Any] = {
    "version": 1,
    "start_ms": 2_000,
    "duration_ms": 5_000,
    "title": "Tea",
}


def a_recording(
    state: RecordingState = RecordingState.RECORDING, **fields: Any
) -> Recording:
    """Return the recording of `a_space`, requested by its host at `NOW`."""
    defaults: dict[str, Any] = {
        "space_id": SPACE_ID,
        "state": state,
        "requested_by": HOST,
        "requested_at": NOW,
        "updated_at": NOW,
        "began_at": None if state is RecordingState.PENDING else NOW,
    }
    return Recording(**defaults | fields)


def a_voice(user_id: str = "ana", **fields: Any) -> Voice:
    """Return a standing consent to both scopes."""
    defaults: dict[str, Any] = {
        "user_id": UserId(user_id),
        "display_name": user_id.capitalize(),
        "stem": StemId(f"stem-{user_id}-1"),
        "scopes": tuple(ConsentScope),
        "commitment": 0,
    }
    return Voice(**defaults | fields)


def a_manifest(
    heard: Mapping[str, Sequence[tuple[int, int]]],
    *,
    version: int,
    duration_ms: int,
    stems: Mapping[str, StemId] | None = None,
) -> Manifest:
    """Return a manifest by which these people are heard, in the stems of `a_voice`."""
    return Manifest(
        recording_id=SPACE_ID,
        space_id=SPACE_ID,
        version=version,
        title="",
        notice_version="1",
        began_at="",
        rendered_at="",
        duration_ms=duration_ms,
        partial=False,
        loudness_lufs=None,
        audio_sha256="",
        audio_bytes=0,
        waveform_sha256="",
        markers_sha256="",
        stems=tuple(
            ManifestStem(
                stem=(stems or {}).get(user_id, a_voice(user_id).stem),
                uid=user_id,
                display_name=user_id,
                scopes=(),
                commitment=0,
                digest="",
                heard=tuple(intervals),
            )
            for user_id, intervals in heard.items()
        ),
        gaps=(),
        lost_stems=0,
        commitments=(),
        chain_head="",
        key_id="",
        public_key="",
    )


def a_stage(*speakers: str, **fields: Any) -> Space:
    """Return a live Space with these people on stage beside its host."""
    return a_space(speaker_ids=tuple(UserId(each) for each in speakers), **fields)


def facts(
    user_id: str = "ana",
    *,
    space: Space | None = None,
    recording: Recording | None = None,
    consent: Consent | None = None,
    member: Participant | None = None,
) -> ConsentFacts:
    """Return what an answer of a speaker depends on."""
    return ConsentFacts(
        space=space or a_stage(user_id),
        member=member or a_participant(user_id, Role.SPEAKER),
        recording=recording or a_recording(),
        consent=consent,
    )


def a_moment(number: int = 1, now: datetime = NOW) -> Moment:
    """Return what one request brings along, its ids numbered."""

    def prove(receipt: Receipt) -> SignedReceipt:
        salt = hashlib.sha256(receipt.receipt_id.encode()).hexdigest()
        return SignedReceipt(
            receipt=receipt, salt=salt, key_id="key", signature="signature"
        )

    return Moment(
        now=now,
        stem=StemId(f"stem-number-{number}"),
        receipt_id=f"receipt-{number}",
        prove=prove,
    )


def after(before: ConsentFacts, decision: ConsentDecision) -> ConsentFacts:
    """Return the facts as they are once a decision is stored."""
    return ConsentFacts(
        space=before.space,
        member=before.member,
        recording=decision.recording,
        consent=decision.consent,
    )


def state_of(decision: ConsentDecision) -> ConsentState | None:
    """Return the state of the answer that was decided."""
    return decision.consent.state if decision.consent else None
