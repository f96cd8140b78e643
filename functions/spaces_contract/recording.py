"""
A Space's recording, as functions desire it and as its worker reads it.

`spaces/{id}/runtime/recording` is written by functions alone and read by the worker
alone.  It names those who granted consent and nobody else: who declined or has not
answered is not in it.  Object names are in `recording_objects`, the render job in
`recording_render`, the manifest in `recording_manifest`, receipts in
`consent_receipts`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NewType

from .ids import UserId

RecordingId = NewType("RecordingId", str)
StemId = NewType("StemId", str)  # one grant of consent: random, says nothing of whom

# Both travel in object names and in URLs.
RECORDING_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
STEM_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")

PAGE_S: Final = 1.0  # a page is closed at least so often: what a killed process loses
UPLOAD_S: Final = 10.0  # and stored at least so often: what a lost machine loses
# A worker that was cut off may store for so long after a withdrawal; a job that is
# killed at the wrong moment leaves what it was storing.  So who erases does it at once,
# and again after each of these.
ERASE_AGAIN_AFTER_S: Final = 60.0
ERASE_LAST_AFTER_S: Final = 900.0
PUBLISH_S: Final = 600  # a job that stores what it made is over by then, or killed


class RecordingState(StrEnum):
    """How far the recording of a Space is."""

    OFF = "off"
    PENDING = "pending"  # requested; nobody has consented yet
    RECORDING = "recording"
    PAUSED = "paused"  # by a host, or by a worker whose knowledge is stale
    FINISHING = "finishing"
    READY = "ready"
    FAILED = "failed"
    ERASED = "erased"


class ConsentScope(StrEnum):
    """What a speaker's voice may be used for."""

    ARCHIVE = "archive"
    CLIPS = "clips"


class GapReason(StrEnum):
    """Why a consenting speaker's stem, or the whole recording, lacks an interval."""

    CONSENT_UNKNOWN = "consent-unknown"  # the worker could not know of a withdrawal
    WORKER_LOST = "worker-lost"  # crash: from the last page to the next epoch
    STORE_LOST = "store-lost"  # the store refused for longer than the spool holds
    KEY_UNAVAILABLE = "key-unavailable"  # the key could not be stored; nothing kept
    ERASED = "erased"  # the key is gone: nobody can decrypt these pages
    DAMAGED = "damaged"  # pages that fail authentication
    UNCHECKED = "unchecked"  # left out at the end: checks for echoes came too late
    ECHO = "echo"  # somebody who did not consent was heard in the microphone
    PAUSED = "paused"


class RecordingField(StrEnum):
    """Field names of `spaces/{id}/runtime/recording`."""

    RECORDING_ID = "recording_id"
    STATE = "state"  # RecordingState
    VERSION = "version"  # int from 1; one higher with every withdrawal
    BEGAN_AT_MS = "began_at_ms"  # int, UTC: zero of the recording clock
    NOTICE_VERSION = "notice_version"
    CONSENTS = "consents"  # map: uid -> map of ConsentField; granted ones alone


class ConsentField(StrEnum):
    """Field names of one grant in `RecordingField.CONSENTS`."""

    STEM = "stem"  # StemId; a new one for each grant, never used again


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredRecording:
    """
    What the worker shall record.

    Args:
        stems: By uid: those whose consent is granted just now, and where it goes.
    """

    state: RecordingState = RecordingState.OFF
    recording_id: RecordingId = RecordingId("")
    version: int = 1
    began_at_ms: int = 0
    notice_version: str = ""
    stems: Mapping[UserId, StemId] = field(default_factory=lambda: MappingProxyType({}))


NOT_RECORDED: Final = DesiredRecording()


def desired_recording(fields: Mapping[str, Any] | None) -> DesiredRecording:
    """
    Read the document; what is missing or malformed is not recorded.

    A grant that cannot be read is left out: nobody is recorded by mistake.
    """
    if not fields:
        return NOT_RECORDED
    recording_id = fields.get(RecordingField.RECORDING_ID)
    version = fields.get(RecordingField.VERSION)
    began_at_ms = fields.get(RecordingField.BEGAN_AT_MS, 0)
    try:
        state = RecordingState(str(fields.get(RecordingField.STATE)))
    except ValueError:
        return NOT_RECORDED
    if not _matches(RECORDING_ID_PATTERN, recording_id):
        return NOT_RECORDED
    if not isinstance(version, int) or version < 1 or not isinstance(began_at_ms, int):
        return NOT_RECORDED
    return DesiredRecording(
        state=state,
        recording_id=RecordingId(str(recording_id)),
        version=version,
        began_at_ms=began_at_ms,
        notice_version=str(fields.get(RecordingField.NOTICE_VERSION, "")),
        stems=MappingProxyType(_stems(fields.get(RecordingField.CONSENTS))),
    )


def _stems(consents: object) -> dict[UserId, StemId]:
    if not isinstance(consents, Mapping):
        return {}
    return {
        UserId(str(uid)): StemId(grant[ConsentField.STEM])
        for uid, grant in consents.items()
        if isinstance(grant, Mapping)
        and _matches(STEM_ID_PATTERN, grant.get(ConsentField.STEM))
    }


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None
