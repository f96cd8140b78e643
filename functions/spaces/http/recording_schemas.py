"""What goes in and out about recordings, as JSON."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from spaces_contract.consent_receipts import SignedReceipt
from spaces_contract.recording import ConsentScope, RecordingState

from ..domain.recording import Recording
from ..domain.recording_states import KEPT, ConsentState
from ..service.consents import MyConsent
from ..service.recording_ports import Answered
from ..service.recordings import Playback, SeenRecording
from .schemas import (
    GIVEN,
    Answer,
    Instant,
    NoticeView,
    PageQuery,
    Request,
    Whole,
)

MAX_TRIM_MS = 24 * 3_600 * 1_000

# Strict models take no words for enumerations; these are checked all the same.
Trim = Annotated[int, Field(ge=0, le=MAX_TRIM_MS), Whole]
Scope = Annotated[ConsentScope, BeforeValidator(ConsentScope)]


# What a refusal and a yes take, for whoever reads the schema alone.
NO: JsonDict = {"properties": {"granted": {"const": False}}}
YES: JsonDict = {
    "properties": {
        "notice_version": {"type": "string"},
        "scopes": {"contains": {"const": ConsentScope.ARCHIVE.value}},
    },
    "required": ["notice_version"],
}


class RecordingBody(Request):
    """How a host would have the recording: on, interrupted, or over."""

    requested: bool
    paused: bool = False


class RecordingEditBody(Request):
    """A change to a recording that is over; what is not named stays."""

    private: Annotated[bool | None, *GIVEN] = None
    trim_start_ms: Annotated[Trim | None, *GIVEN] = None

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    def model_post_init(self, context: Any, /) -> None:
        """Refuse a change of nothing."""
        if self.private is None and self.trim_start_ms is None:
            raise ValueError("name at least one of private, trim_start_ms")


class ConsentBody(Request):
    """
    The caller's own answer.

    A yes is for the archive, and for clips where that is named as well; it needs the
    version of the notice that was shown.
    """

    granted: bool
    notice_version: str | None = Field(default=None, max_length=64)
    scopes: list[Scope] = Field(
        default_factory=lambda: [ConsentScope.ARCHIVE], max_length=2
    )

    model_config = ConfigDict(json_schema_extra={"anyOf": [NO, YES]})

    def model_post_init(self, context: Any, /) -> None:
        """Refuse a yes to nothing that could be kept, or to unread words."""
        if self.granted and ConsentScope.ARCHIVE not in self.scopes:
            raise ValueError("a yes has at least the scope archive")
        if self.granted and self.notice_version is None:
            raise ValueError("a yes names the notice_version that was shown")


class TallyView(Answer):
    """How many on stage have agreed; who has not is nobody's business."""

    granted: int
    asked: int


class RecordingView(Answer):
    """
    A Space's recording as the caller may see it.

    `version` counts what was rendered, and is told once the recording is over;
    `consents` is told to hosts while it goes on, `progress_percent` while it renders.
    """

    id: str
    space_id: str
    title: str | None
    state: RecordingState
    version: int | None = None
    requested_at: Instant | None = None
    began_at: Instant | None = None
    ready_at: Instant | None = None
    expires_at: Instant | None = None
    progress_percent: int | None = None
    duration_ms: int | None = None
    partial: bool | None = None
    private: bool = False
    trim_start_ms: int = 0
    consents: TallyView | None = None

    @classmethod
    def of(cls, seen: SeenRecording) -> "RecordingView":
        """Return `seen`; where there is no recording, that it is off."""
        space, recording = seen.space, seen.recording
        basis: dict[str, Any] = {
            "id": space.id,
            "space_id": space.id,
            "title": space.title,
            "state": recording.state if recording else RecordingState.OFF,
        }
        if recording is None or recording.state is RecordingState.OFF:
            return cls(**basis)
        tally = seen.tally
        return cls(
            **basis,
            **_times(recording),
            progress_percent=seen.percent,
            private=recording.private,
            trim_start_ms=recording.trim_start_ms,
            consents=TallyView(granted=tally.granted, asked=tally.asked)
            if tally
            else None,
        )


def _times(recording: Recording) -> dict[str, Any]:
    told: dict[str, Any] = {
        "requested_at": recording.requested_at,
        "began_at": recording.began_at,
    }
    if recording.state not in KEPT:
        return told
    ready = recording.state is RecordingState.READY
    return told | {
        "version": recording.version,
        "ready_at": recording.ready_at,
        "expires_at": recording.expires_at,
        "duration_ms": recording.duration_ms if ready else None,
        "partial": recording.partial if ready else None,
    }


class RecordingsQuery(Request):
    """Which recordings."""

    space_id: str = Field(max_length=64)


class RecordingsView(Answer):
    """Recordings of one Space: none or one."""

    recordings: list[RecordingView]


class ReceiptView(Answer):
    """What a receipt says: `spaces_contract.consent_receipts.Receipt`."""

    model_config = ConfigDict(frozen=True, defer_build=True, populate_by_name=True)

    schema_: int = Field(alias="schema")
    receipt_id: str
    recording_id: str
    space_id: str
    uid: str
    action: str
    scopes: list[str]
    notice_version: str
    notice_lang: str
    stem: str
    at: str


class SignedReceiptView(Answer):
    """
    A receipt, opened: its commitment is the SHA-256 of salt and receipt.

    The signature is over the receipt as JSON with sorted keys and no spaces.
    """

    receipt: ReceiptView
    salt: str
    key_id: str
    signature: str
    commitment: str

    @classmethod
    def of(cls, signed: SignedReceipt) -> "SignedReceiptView":
        """Return `signed` as it is downloaded."""
        receipt = ReceiptView.model_validate(signed.receipt.to_json(), strict=False)
        return cls(
            receipt=receipt,
            salt=signed.salt,
            key_id=signed.key_id,
            signature=signed.signature,
            commitment=signed.commitment,
        )


class ConsentView(Answer):
    """The caller's own answer; `state` is null where they are not asked."""

    state: ConsentState | None
    scopes: list[ConsentScope]
    answered_at: Instant | None
    notice: NoticeView
    receipt: SignedReceiptView | None

    @classmethod
    def of(cls, mine: MyConsent) -> "ConsentView":
        """Return `mine`."""
        consent, receipt = mine.consent, mine.receipt
        return cls(
            state=mine.state,
            scopes=list(consent.scopes) if consent else [],
            answered_at=consent.answered_at if consent else None,
            notice=NoticeView.of(mine.notice),
            receipt=SignedReceiptView.of(receipt) if receipt else None,
        )


class MyAnswerView(Answer):
    """The caller's answer to one recording, with all receipts that stand."""

    recording_id: str
    space_id: str
    title: str | None
    recording_state: RecordingState
    state: ConsentState
    scopes: list[ConsentScope]
    answered_at: Instant
    receipts: list[SignedReceiptView]

    @classmethod
    def of(cls, answered: Answered) -> "MyAnswerView":
        """Return `answered`."""
        consent, space = answered.consent, answered.space
        return cls(
            recording_id=space.id,
            space_id=space.id,
            title=space.title,
            recording_state=space.recording_state,
            state=consent.state,
            scopes=list(consent.scopes),
            answered_at=consent.answered_at,
            receipts=[SignedReceiptView.of(each) for each in consent.receipts],
        )


class ReceiptsQuery(PageQuery):
    """Which part of the caller's answers."""


class ReceiptsView(Answer):
    """A page of the caller's answers, the latest first."""

    answers: list[MyAnswerView]
    next_page_token: str | None


class PlaybackView(Answer):
    """Where to read a recording's files, until `expires_at`."""

    version: int
    duration_ms: int
    expires_at: Instant
    audio_url: str
    waveform_url: str
    markers_url: str
    manifest_url: str

    @classmethod
    def of(cls, playback: Playback) -> "PlaybackView":
        """Return `playback`."""
        urls = {f"{file.name.lower()}_url": url for file, url in playback.urls.items()}
        return cls(
            version=playback.version,
            duration_ms=playback.duration_ms,
            expires_at=playback.expires_at,
            **urls,
        )


class KeyView(Answer):
    """A public Ed25519 key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class KeysView(Answer):
    """A JWK Set (RFC 7517): every key that ever signed receipts and manifests."""

    keys: list[KeyView]
