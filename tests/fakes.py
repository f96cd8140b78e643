"""Doubles of the functions' ports, as nasty as the real things."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from spaces.domain.effects import Effect, EraseAccount
from spaces.domain.errors import (
    DependencyUnavailable,
    ErasureRunning,
    HandleTaken,
    IdempotencyKeyReused,
    ListFull,
    SpaceNotFound,
)
from spaces.domain.participant import JoinFacts, MemberDecision, Participant
from spaces.domain.profile import Profile
from spaces.domain.runtime import Runtime
from spaces.domain.schedule import MAX_AT_ONCE
from spaces.domain.space import Decision, Space, SpeakerPolicy, others_on_stage
from spaces.domain.states import SpaceState
from spaces.service.errors import IdTokenInvalid, TaskTokenInvalid
from spaces.service.ports import (
    Cursor,
    Launched,
    LaunchedWorkload,
    Once,
    Workload,
)
from spaces_contract.ids import SpaceId, UserId
from tests.builders import NOW

T = TypeVar("T")


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += timedelta(seconds=seconds)


class MemoryDatabase:
    """What the memory stores share: documents, and revisions that never repeat."""

    def __init__(self) -> None:
        self.spaces: dict[SpaceId, Space] = {}
        self.runtimes: dict[SpaceId, Runtime] = {}
        self.members: dict[tuple[SpaceId, UserId], Participant] = {}
        self.profiles: dict[UserId, Profile] = {}
        self.once: dict[str, tuple[Once, SpaceId]] = {}
        self.erasing: dict[UserId, EraseAccount] = {}
        self.blocks: set[tuple[UserId, UserId]] = set()
        self.following: set[tuple[UserId, UserId]] = set()
        self.since: dict[tuple[UserId, UserId], datetime] = {}
        self.outbox: dict[str, tuple[Effect, datetime]] = {}
        self._revisions = itertools.count(1)

    def put_space(self, space: Space) -> Space:
        """Store it under a new revision."""
        stored = replace(space, revision=self._revision())
        self.spaces[space.id] = stored
        return stored

    def put_member(self, space_id: SpaceId, member: Participant) -> Participant:
        """Store it under a new revision."""
        stored = replace(member, revision=self._revision())
        self.members[space_id, member.user_id] = stored
        return stored

    def put_profile(self, profile: Profile) -> Profile:
        """Store it under a new revision."""
        stored = replace(profile, revision=self._revision())
        self.profiles[profile.user_id] = stored
        return stored

    def put_count(self, space_id: SpaceId, subscribers: int) -> None:
        """Store a Space's count of subscribers, if there is the Space."""
        if space_id in self.spaces:
            counted = replace(self.spaces[space_id], subscriber_count=subscribers)
            self.put_space(counted)

    def space(self, space_id: SpaceId) -> Space:
        """Return it; raises SpaceNotFound."""
        if space_id not in self.spaces:
            raise SpaceNotFound
        return self.spaces[space_id]

    def _revision(self) -> str:
        return f"r{next(self._revisions)}"


def rerun(decide: Callable[[], T]) -> T:
    """Call `decide` twice, as a contended transaction does; the last one counts."""
    decide()
    return decide()


class MemorySpaceStore:
    """`SpaceStore` in memory; runs `decide` twice."""

    def __init__(self, database: MemoryDatabase, now: FakeClock) -> None:
        self._db = database
        self._now = now

    def create(self, space: Space, host: Participant, once: Once | None) -> Space:
        # As in Firestore: whether there is a slot is asked before the key is.
        if space.scheduled_start is not None:
            self._must_have_a_slot(space)
        made = None if once is None else self.made_by(once)
        if made is not None:
            return made
        if once is not None:
            self._db.once[once.key] = (once, space.id)
        self._db.put_member(space.id, host)
        return self._db.put_space(space)

    def made_by(self, once: Once) -> Space | None:
        if once.key not in self._db.once:
            return None
        known, space_id = self._db.once[once.key]
        if known.expires_at <= self._now():
            return None
        if known.fingerprint != once.fingerprint:
            raise IdempotencyKeyReused
        return self._db.space(space_id)

    def _must_have_a_slot(self, space: Space) -> None:
        waiting = [
            each
            for each in self._db.spaces.values()
            if each.creator_id == space.creator_id
            and each.state is SpaceState.SCHEDULED
            and each.scheduled_start is not None
        ]
        if len(waiting) >= MAX_AT_ONCE:
            raise ListFull("scheduled Spaces", MAX_AT_ONCE)

    def get(self, space_id: SpaceId) -> Space:
        return self._db.space(space_id)

    def get_with_runtime(self, space_id: SpaceId) -> tuple[Space, Runtime | None]:
        return self._db.space(space_id), self._db.runtimes.get(space_id)

    def runtime(self, space_id: SpaceId) -> Runtime | None:
        return self._db.runtimes.get(space_id)

    def update(
        self, space_id: SpaceId, decide: Callable[[Space], Decision]
    ) -> Decision:
        before = self._db.space(space_id)
        return self._store(before, rerun(lambda: decide(before)))

    def supervise(
        self, space_id: SpaceId, decide: Callable[[Space, Runtime | None], Decision]
    ) -> Decision:
        before, runtime = self.get_with_runtime(space_id)
        return self._store(before, rerun(lambda: decide(before, runtime)))

    def live(self, *, limit: int, after: Cursor | None) -> Sequence[Space]:
        def key(space: Space) -> tuple[datetime, str]:
            return space.started_at or space.created_at, space.id

        found = sorted(self._db.spaces.values(), key=key, reverse=True)
        return [
            space
            for space in found
            if space.state is SpaceState.LIVE
            and (after is None or key(space) < (after.at, after.id))
        ][:limit]

    def _store(self, before: Space, decision: Decision) -> Decision:
        for effect in decision.effects:
            self._db.outbox[effect.name] = (effect, self._now())
        if decision.runtime is not None:
            self._db.runtimes[before.id] = decision.runtime
        if decision.successor is not None:
            serving = self._db.runtimes[before.id]
            self._db.runtimes[before.id] = replace(
                serving, successor=decision.successor
            )
        if decision.space == before:
            return decision
        return replace(decision, space=self._db.put_space(decision.space))


class MemoryMemberStore:
    """`MemberStore` in memory; runs `decide` twice."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def get(
        self, space_id: SpaceId, user_id: UserId
    ) -> tuple[Space, Participant | None]:
        return self._db.space(space_id), self._db.members.get((space_id, user_id))

    def join(
        self,
        space_id: SpaceId,
        user_id: UserId,
        decide: Callable[[JoinFacts], MemberDecision],
        *,
        wants_stage: bool,
    ) -> tuple[MemberDecision, JoinFacts]:
        space, member = self.get(space_id, user_id)
        asks = wants_stage and space.speaker_policy is SpeakerPolicy.FOLLOWING
        others = others_on_stage(space, but=user_id)
        facts = JoinFacts(
            space=space,
            profile=self._db.profiles.get(user_id),
            member=member,
            blocked=(space.creator_id, user_id) in self._db.blocks,
            followed=asks and (space.creator_id, user_id) in self._db.following,
            blocked_on_stage=any((user_id, uid) in self._db.blocks for uid in others),
        )
        decision = rerun(lambda: decide(facts))
        return self._store(space, member, decision), facts

    def update(
        self,
        space_id: SpaceId,
        user_id: UserId,
        decide: Callable[[Space, Participant | None], MemberDecision],
    ) -> MemberDecision:
        space, member = self.get(space_id, user_id)
        return self._store(space, member, rerun(lambda: decide(space, member)))

    def present(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        def key(member: Participant) -> tuple[datetime, str]:
            return member.joined_at, member.user_id

        found = [
            member
            for (found_in, _), member in self._db.members.items()
            if found_in == space_id and member.left_at is None
        ]
        return [
            member
            for member in sorted(found, key=key)
            if after is None or key(member) > (after.at, after.id)
        ][:limit]

    def _store(
        self, space: Space, member: Participant | None, decision: MemberDecision
    ) -> MemberDecision:
        if decision.space != space:
            self._db.put_space(decision.space)
        if decision.member is None or decision.member == member:
            return decision
        stored = self._db.put_member(space.id, decision.member)
        return replace(decision, member=stored)


class MemoryProfileStore:
    """`ProfileStore` in memory; runs `decide` twice."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def get(self, user_id: UserId) -> Profile | None:
        return self._db.profiles.get(user_id)

    def update(
        self, user_id: UserId, decide: Callable[[Profile | None], Profile]
    ) -> Profile:
        before = self.get(user_id)
        after = rerun(lambda: decide(before))
        if after == before:
            return after
        if before is None and user_id in self._db.erasing:
            raise ErasureRunning
        for other in self._db.profiles.values():
            if other.handle_key == after.handle_key and other.user_id != user_id:
                raise HandleTaken
        return self._db.put_profile(after)


class EffectLog:
    """`EffectQueue` that keeps what it is given, by name, in order."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database
        self.tasks: dict[str, Effect] = {}
        self.down = False

    @property
    def names(self) -> list[str]:
        """Names of all that was enqueued."""
        return list(self.tasks)

    def put(self, effect: Effect) -> None:
        if self.down:
            raise DependencyUnavailable
        self.tasks.setdefault(effect.name, effect)

    def release(self, effect: Effect) -> None:
        if not self.down:
            self.put(effect)
            self._db.outbox.pop(effect.name, None)

    def leftovers(self, *, before: datetime, limit: int) -> Sequence[Effect]:
        found = sorted(self._db.outbox.values(), key=lambda entry: entry[1])
        return [effect for effect, at in found if at < before][:limit]


class MemoryLaunchStore:
    """`LaunchStore` in memory."""

    def __init__(self) -> None:
        self.latest: dict[SpaceId, Launched] = {}

    def get(self, space_id: SpaceId) -> Launched | None:
        return self.latest.get(space_id)

    def put(self, space_id: SpaceId, launched: Launched) -> Launched | None:
        before = self.latest.get(space_id)
        if before is not None and before.epoch > launched.epoch:
            return launched
        self.latest[space_id] = launched
        return None if before is None or before.ref == launched.ref else before

    def clear(self, space_id: SpaceId) -> None:
        self.latest.pop(space_id, None)


class FakeLauncher:
    """`Launcher` that starts nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.launched: list[Workload] = []
        self.terminated: list[str] = []
        self.known: list[LaunchedWorkload] = []
        self.error: Exception | None = None

    def launch(self, workload: Workload) -> str:
        if self.error is not None:
            raise self.error
        if workload not in self.launched:
            self.launched.append(workload)
        return f"{workload.kind}-{workload.key}-{workload.epoch}-{workload.index}"

    def terminate(self, ref: str) -> None:
        self.terminated.append(ref)

    def workloads(self) -> list[LaunchedWorkload]:
        if self.error is not None:
            raise self.error
        return self.known


class FakeIdTokens:
    """`IdTokens` for which `uid:ana` is the token of ana."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def verify(self, token: str) -> UserId:
        if self.error is not None:
            raise self.error
        kind, _, uid = token.partition(":")
        if kind != "uid":
            raise IdTokenInvalid
        return UserId(uid)


class FakeTaskTokens:
    """`TaskTokens` for which `queue` is the queue's token."""

    def verify(self, token: str) -> None:
        if token != "queue":
            raise TaskTokenInvalid
