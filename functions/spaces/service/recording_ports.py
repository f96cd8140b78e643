"""What recording needs from the outside, as interfaces."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from spaces_contract.consent_receipts import Receipt, SignedReceipt
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingId, RecordingState, StemId
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_render import ClipJob, RenderJob, RenderProgress

from ..domain.consent import Consent, ConsentDecision, ConsentFacts
from ..domain.recording import Recording, RecordingDecision
from ..domain.space import Space
from .ports import Cursor

Decide = Callable[[Space, Recording | None], RecordingDecision]
Answer = Callable[[ConsentFacts], ConsentDecision]


@dataclass(frozen=True, slots=True)
class Answered:
    """A person's answer, and the Space that it was given in, as it is now."""

    consent: Consent
    space: Space


class RecordingStore(Protocol):
    """Recordings, one for a Space, and everybody's answers to them."""

    def get(self, space_id: SpaceId) -> tuple[Space, Recording | None]:
        """
        Return the Space and its recording.

        Raises:
            SpaceNotFound: there is no such Space.
        """
        ...

    def update(
        self, space_id: SpaceId, decide: Decide
    ) -> tuple[Space, RecordingDecision]:
        """
        Run `decide` in one transaction and store what it decided; it may be re-run.

        The Space shows the recording's state to everybody: both are stored together.

        Raises:
            SpaceNotFound: there is no such Space.
            Contended: others changed it all the while.
        """
        ...

    def overdue(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        """
        Return Spaces whose recording should have been erased before that time.

        Of one that is erased, that is when its objects are to be looked for again.
        """
        ...

    def ended(
        self, states: Collection[RecordingState], before: datetime, *, limit: int
    ) -> Sequence[SpaceId]:
        """
        Return Spaces that ended before that time, their recording in these states.

        Those that ended first come first.
        """
        ...

    def timeless(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        """Return Spaces whose recording failed before that time, and never expires."""
        ...

    def clips_due(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        """Return Spaces whose clips were to be looked after before that time."""
        ...

    def facts(self, space_id: SpaceId, user_id: UserId) -> ConsentFacts:
        """Return what this person's answer depends on; raises SpaceNotFound."""
        ...

    def answer(
        self, space_id: SpaceId, user_id: UserId, decide: Answer
    ) -> ConsentDecision:
        """Store what `decide` makes of one person's answer, as `update` does."""
        ...

    def answers_of(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Answered]:
        """Return a person's answers, the latest first."""
        ...

    def is_blocked(self, user_id: UserId, *, by: UserId) -> bool:
        """Whether `by` has blocked this person."""
        ...

    def forget_answer(self, space_id: SpaceId, user_id: UserId) -> None:
        """Delete an answer with its receipts, if it is there."""
        ...


class Prover(Protocol):
    """Signs receipts, with the key that signs manifests too."""

    def sign(self, receipt: Receipt, salt: bytes) -> SignedReceipt:
        """Return the receipt, signed; the same every time."""
        ...

    def public_keys(self) -> Sequence[dict[str, Any]]:
        """Return all keys that ever signed, as JWKs (RFC 8037), the present first."""
        ...


class RecordingObjects(Protocol):
    """
    What workers and renders store of recordings.

    Every method raises DependencyUnavailable where a store does not answer.
    """

    def erase_stems(self, recording_id: RecordingId, stems: Sequence[StemId]) -> None:
        """Delete keys, then pages, of these stems; gone already is no error."""
        ...

    def erase_renders(self, recording_id: RecordingId, *, below: int) -> None:
        """Delete all that was rendered of versions under `below`."""
        ...

    def erase(self, recording_id: RecordingId) -> None:
        """Delete everything, the keys first."""
        ...

    def put_job(self, job: RenderJob) -> None:
        """Tell a render job what to do."""
        ...

    def progress(
        self, recording_id: RecordingId, version: int
    ) -> RenderProgress | None:
        """Return what the render job last said, if it said anything."""
        ...

    def manifest(self, recording_id: RecordingId, version: int) -> Manifest | None:
        """Return what a version holds, by its own word; None: there is no such."""
        ...

    def put_clip_job(self, job: ClipJob) -> None:
        """Tell a clip's job what to do."""
        ...

    def clip_progress(
        self, recording_id: RecordingId, number: int
    ) -> RenderProgress | None:
        """Return what the clip's job last said, if it said anything."""
        ...

    def is_clip_proved(self, recording_id: RecordingId, number: int) -> bool:
        """Whether a clip has a manifest; those of before there were such have none."""
        ...

    def erase_clips(self, recording_id: RecordingId, numbers: Collection[int]) -> None:
        """Delete what there is of the clips of these numbers."""
        ...


class PlaybackUrls(Protocol):
    """URLs that let their holder read one object for a while."""

    def sign(self, name: str, *, now: datetime, lifetime: timedelta) -> str:
        """Return the URL of `name`; what is deleted meanwhile cannot be read by it."""
        ...


class RecordingNews(Protocol):
    """Who is told of recordings."""

    def asked(self, space: Space, recording: Recording) -> None:
        """Tell those on stage that they are asked whether to be recorded."""
        ...

    def changed(self, space: Space, recording: Recording) -> None:
        """Tell hosts and subscribed servers what became of a version."""
        ...
