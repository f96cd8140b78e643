"""Doubles of recording's ports, and its services over them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from spaces.adapters.clock import random_token
from spaces.adapters.local_playback import LocalPlaybackUrls
from spaces.adapters.proof import Ed25519Prover
from spaces.domain.consent import Consent, ConsentDecision, ConsentFacts
from spaces.domain.notice import Notice, notice_in
from spaces.domain.recording import Recording, RecordingDecision, shown
from spaces.domain.space import Space
from spaces.http import clips, consents, recordings
from spaces.http.operations import Operation
from spaces.service.announcing import AnnouncingService
from spaces.service.clip_tasks import ClipTasks
from spaces.service.clips import ClipService
from spaces.service.consents import ConsentService
from spaces.service.ports import Cursor, EffectQueue, Launcher
from spaces.service.recording_news import PushedRecordingNews
from spaces.service.recording_ports import Answer, Answered, Decide, RecordingStore
from spaces.service.recording_tasks import RecordingTasks
from spaces.service.recordings import RecordingService
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingId, RecordingState, StemId
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_render import ClipJob, RenderJob, RenderProgress
from tests.fakes import FakeClock, MemoryDatabase, rerun

KEPT_DAYS = 30
PLAYBACK_SECRET = "playback secret of tests"


class MemoryRecordingStore:
    """`RecordingStore` in memory; runs `decide` twice."""

    def __init__(self, database: MemoryDatabase, now: FakeClock) -> None:
        self._db = database
        self._now = now
        self.recordings: dict[SpaceId, Recording] = {}
        self.consents: dict[tuple[SpaceId, UserId], Consent] = {}

    def get(self, space_id: SpaceId) -> tuple[Space, Recording | None]:
        return self._db.space(space_id), self.recordings.get(space_id)

    def update(
        self, space_id: SpaceId, decide: Decide
    ) -> tuple[Space, RecordingDecision]:
        space, before = self.get(space_id)
        decision = rerun(lambda: decide(space, before))
        self._store(space, decision)
        return self._db.space(space_id), decision

    def overdue(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        found = [
            each.space_id
            for each in self.recordings.values()
            if each.expires_at is not None and each.expires_at < before
        ]
        return found[:limit]

    def timeless(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        found = [
            each.space_id
            for each in self.recordings.values()
            if each.state is RecordingState.FAILED
            and each.expires_at is None
            and each.updated_at < before
        ]
        return found[:limit]

    def clips_due(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        found = [
            each.space_id
            for each in self.recordings.values()
            if each.clips_due_at is not None and each.clips_due_at < before
        ]
        return found[:limit]

    def ended(
        self, states: Collection[RecordingState], before: datetime, *, limit: int
    ) -> Sequence[SpaceId]:
        found = [
            space
            for space in self._db.spaces.values()
            if space.recording_state in states
            and space.ended_at is not None
            and space.ended_at < before
        ]
        return [space.id for space in found][:limit]

    def facts(self, space_id: SpaceId, user_id: UserId) -> ConsentFacts:
        return ConsentFacts(
            space=self._db.space(space_id),
            member=self._db.members.get((space_id, user_id)),
            recording=self.recordings.get(space_id),
            consent=self.consents.get((space_id, user_id)),
        )

    def answer(
        self, space_id: SpaceId, user_id: UserId, decide: Answer
    ) -> ConsentDecision:
        facts = self.facts(space_id, user_id)
        decision = rerun(lambda: decide(facts))
        if decision.consent is not None:
            self.consents[space_id, user_id] = decision.consent
        self._store(facts.space, decision)
        return decision

    def answers_of(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Answered]:
        def key(consent: Consent) -> tuple[datetime, str]:
            return consent.answered_at, consent.space_id

        found = [each for each in self.consents.values() if each.user_id == user_id]
        return [
            Answered(each, self._db.space(each.space_id))
            for each in sorted(found, key=key, reverse=True)
            if after is None or key(each) < (after.at, after.id)
        ][:limit]

    def is_blocked(self, user_id: UserId, *, by: UserId) -> bool:
        return (by, user_id) in self._db.blocks

    def forget_answer(self, space_id: SpaceId, user_id: UserId) -> None:
        self.consents.pop((space_id, user_id), None)

    def _store(
        self, space: Space, decision: RecordingDecision | ConsentDecision
    ) -> None:
        for effect in decision.effects:
            self._db.outbox[effect.name] = (effect, self._now())
        if decision.recording is None:
            return
        self.recordings[space.id] = decision.recording
        told = shown(space, decision.recording)
        if told != space:
            self._db.put_space(told)


class FakeRecordingObjects:
    """`RecordingObjects` that keeps names and what a render said."""

    def __init__(self) -> None:
        self.erased_stems: list[StemId] = []
        self.erased_below = 0
        self.erased: list[RecordingId] = []
        self.jobs: list[RenderJob] = []
        self.said: dict[int, RenderProgress] = {}
        self.manifests: dict[int, Manifest] = {}
        self.clip_jobs: list[ClipJob] = []
        self.said_of_clips: dict[int, RenderProgress] = {}
        self.proved_clips: set[int] = set()
        self.erased_clips: set[int] | None = None

    def erase_stems(self, recording_id: RecordingId, stems: Sequence[StemId]) -> None:
        self.erased_stems.extend(s for s in stems if s not in self.erased_stems)

    def erase_renders(self, recording_id: RecordingId, *, below: int) -> None:
        self.erased_below = max(self.erased_below, below)

    def erase(self, recording_id: RecordingId) -> None:
        self.erased.append(recording_id)

    def put_job(self, job: RenderJob) -> None:
        self.jobs.append(job)

    def progress(
        self, recording_id: RecordingId, version: int
    ) -> RenderProgress | None:
        return self.said.get(version)

    def manifest(self, recording_id: RecordingId, version: int) -> Manifest | None:
        return self.manifests.get(version)

    def put_clip_job(self, job: ClipJob) -> None:
        self.clip_jobs.append(job)

    def clip_progress(
        self, recording_id: RecordingId, number: int
    ) -> RenderProgress | None:
        return self.said_of_clips.get(number)

    def is_clip_proved(self, recording_id: RecordingId, number: int) -> bool:
        return number in self.proved_clips

    def erase_clips(self, recording_id: RecordingId, numbers: Collection[int]) -> None:
        self.erased_clips = set(numbers)


class RecordingWorld:
    """Recording's services over a store, with everything else in memory."""

    def __init__(
        self,
        store: RecordingStore,
        *,
        proof_key: str,
        effects: EffectQueue,
        clock: FakeClock,
        public_url: str,
    ) -> None:
        self.store = store
        self.objects = FakeRecordingObjects()
        self.prover = Ed25519Prover(proof_key)
        self._effects = effects
        self._clock = clock
        self.consents = ConsentService(
            recordings=store,
            prover=self.prover,
            effects=effects,
            now=clock,
            new_token=random_token,
            random_bytes=lambda count: bytes(range(count)),
            kept_days=KEPT_DAYS,
        )
        self.recordings = RecordingService(
            recordings=store,
            open_objects=lambda: self.objects,
            open_urls=lambda: LocalPlaybackUrls(public_url, PLAYBACK_SECRET),
            effects=effects,
            now=clock,
        )
        self.clips = ClipService(
            recordings=store,
            open_objects=lambda: self.objects,
            open_urls=self.recordings.open_urls,
            effects=effects,
            now=clock,
        )

    def notice(self, lang: str) -> Notice:
        """Return the notice of this deployment."""
        return notice_in(lang, kept_days=KEPT_DAYS)

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations of clients."""
        return (
            *recordings.operations(self.recordings),
            *clips.operations(self.clips),
            *consents.operations(self.consents, self.prover),
        )

    def tasks(
        self, launcher: Launcher, announcing: AnnouncingService
    ) -> RecordingTasks:
        """Return what the task queue calls."""
        return RecordingTasks(
            recordings=self.store,
            open_objects=lambda: self.objects,
            launcher=launcher,
            clips=ClipTasks(
                recordings=self.store,
                open_objects=lambda: self.objects,
                launcher=launcher,
                effects=self._effects,
                now=self._clock,
            ),
            news=PushedRecordingNews(
                announcing=announcing,
                effects=self._effects,
                now=self._clock,
                wants_event=lambda _: True,
            ),
            effects=self._effects,
            now=self._clock,
            kept_for=timedelta(days=KEPT_DAYS),
        )
