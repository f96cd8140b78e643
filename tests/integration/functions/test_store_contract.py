"""What every store promises: the memory doubles and Firestore, by the same tests."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spaces.adapters.clock import random_space_id, random_token
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.launches import FirestoreLaunchStore
from spaces.adapters.firestore.members import FirestoreMemberStore
from spaces.adapters.firestore.outbox import FirestoreOutbox
from spaces.adapters.firestore.profiles import FirestoreProfileStore
from spaces.adapters.firestore.spaces import FirestoreSpaceStore
from spaces.domain import participant, profile
from spaces.domain import space as rules
from spaces.domain.errors import HandleTaken, IdempotencyKeyReused, SpaceNotFound
from spaces.domain.participant import JoinFacts, JoinWish, MemberDecision, Participant
from spaces.domain.profile import Profile, ProfileEdit
from spaces.domain.space import Decision, Space, SpeakerPolicy
from spaces.domain.states import SpaceState
from spaces.service.ports import (
    Cursor,
    Launched,
    LaunchStore,
    MemberStore,
    Once,
    ProfileStore,
    SpaceStore,
)
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.runtime import WorkerState
from tests.builders import NOW, a_participant, a_profile, a_space
from tests.fakes import (
    FakeClock,
    MemoryDatabase,
    MemoryLaunchStore,
    MemoryMemberStore,
    MemoryProfileStore,
    MemorySpaceStore,
)


class Stores:
    """All stores on one technology, and people whom no other test knows."""

    spaces: SpaceStore
    members: MemberStore
    profiles: ProfileStore
    launches: LaunchStore

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.host = self.new_user()

    def new_user(self) -> UserId:
        """Return a uid that no other test uses."""
        return UserId(f"u{random_token().replace('-', 'x')}")

    def block(self, user_id: UserId, other: UserId) -> None:
        """Let `user_id` block `other`."""
        raise NotImplementedError

    def outbox(self) -> list[str]:
        """Return the names of stored effects."""
        raise NotImplementedError

    def account(self, user_id: UserId) -> Profile:
        """Make an account with a handle that no other test uses."""
        handle = user_id[:15].replace("-", "_")
        edit = ProfileEdit(handle=handle, display_name="Somebody")
        return self.profiles.update(
            user_id, lambda old: profile.save(old, edit, user_id=user_id, now=NOW)
        )

    def space(self, **fields: Any) -> Space:
        """Store a Space of the host."""
        drafted = a_space(**fields, id=random_space_id())
        space = replace(drafted, creator_id=self.host, host_ids=(self.host,))
        host = participant.host_of(space, a_profile(self.host), now=NOW)
        return self.spaces.create(space, host, None)


class MemoryStores(Stores):
    """On the doubles."""

    def __init__(self) -> None:
        super().__init__()
        self._database = MemoryDatabase()
        self.spaces = MemorySpaceStore(self._database, self.clock)
        self.members = MemoryMemberStore(self._database)
        self.profiles = MemoryProfileStore(self._database)
        self.launches = MemoryLaunchStore()

    def block(self, user_id: UserId, other: UserId) -> None:
        self._database.blocks.add((user_id, other))

    def outbox(self) -> list[str]:
        return list(self._database.outbox)


class FirestoreStores(Stores):
    """On Firestore."""

    def __init__(self, client: BoundedClient) -> None:
        super().__init__()
        self._client = client
        self.spaces = FirestoreSpaceStore(client, self.clock)
        self.members = FirestoreMemberStore(client)
        self.profiles = FirestoreProfileStore(client)
        self.launches = FirestoreLaunchStore(client)

    def block(self, user_id: UserId, other: UserId) -> None:
        self._client.document(f"users/{user_id}/blocks/{other}").set({})

    def outbox(self) -> list[str]:
        later = NOW + timedelta(days=1)
        stored = FirestoreOutbox(self._client).stored_before(later, limit=100)
        return [effect.name for effect in stored]


@pytest.fixture(params=["memory", "firestore"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Return the stores of each technology in turn."""
    if request.param == "memory":
        return MemoryStores()
    return FirestoreStores(request.getfixturevalue("client"))


def started(space: Space) -> Decision:
    """Start it as its host."""
    return rules.start(space, actor_id=space.creator_id, now=NOW)


def joined(wish: JoinWish) -> Any:
    """Return a decision to let in whoever comes with `wish`."""

    def decide(facts: JoinFacts) -> MemberDecision:
        return participant.join(facts, wish, now=NOW)

    return decide


def test_what_is_stored_is_read_back(stores: Stores) -> None:
    """
    Every field of a Space survives, and its revision names the version.
    """
    stored = stores.space(topics=("tea", "bridges"), invited_user_ids=(UserId("x"),))

    assert stored.revision
    assert stores.spaces.get(stored.id) == stored


def test_a_space_that_is_not_there(stores: Stores) -> None:
    """
    Every way to reach an unknown Space says SpaceNotFound.
    """
    nowhere = random_space_id()

    for reach in (
        lambda: stores.spaces.get(nowhere),
        lambda: stores.spaces.get_with_runtime(nowhere),
        lambda: stores.spaces.update(nowhere, started),
        lambda: stores.spaces.supervise(nowhere, lambda s, _: started(s)),
        lambda: stores.members.get(nowhere, stores.host),
        lambda: stores.members.join(
            nowhere, stores.host, joined(JoinWish()), wants_stage=False
        ),
        lambda: stores.members.update(
            nowhere, stores.host, lambda s, m: participant.leave(s, m, now=NOW)
        ),
    ):
        with pytest.raises(SpaceNotFound):
            reach()


def test_a_key_makes_one_space_until_it_expires(stores: Stores) -> None:
    """
    The same key returns the first Space; another body is refused; later it is free.
    """
    once = Once(
        key=random_token(), fingerprint="tea", expires_at=NOW + timedelta(hours=24)
    )

    def create(key: Once) -> SpaceId:
        space = a_space(id=random_space_id())
        host = participant.host_of(space, a_profile("host"), now=NOW)
        return stores.spaces.create(space, host, key).id

    first, again = create(once), create(once)
    with pytest.raises(IdempotencyKeyReused):
        create(replace(once, fingerprint="coffee"))
    stores.clock.advance(24 * 3600)
    later = replace(once, expires_at=once.expires_at + timedelta(hours=24))
    third, fourth = create(later), create(later)

    assert first == again
    assert first != third == fourth


def test_a_start_stores_space_runtime_and_effect(stores: Stores) -> None:
    """
    One commit has the new state, the worker's document and the outbox entry.
    """
    space = stores.space(state=SpaceState.SCHEDULED)

    decision = stores.spaces.update(space.id, started)
    read, runtime = stores.spaces.get_with_runtime(space.id)

    assert read == decision.space
    assert read.revision != space.revision
    assert runtime is not None
    assert (runtime.epoch, runtime.state) == (1, WorkerState.LAUNCHING)
    assert f"launch-{space.id}-1" in stores.outbox()


def test_what_does_not_change_is_not_written(stores: Stores) -> None:
    """
    A decision that equals what was read leaves the stored version alone.
    """
    space = stores.space()

    stores.spaces.update(space.id, Decision)
    stores.members.update(
        space.id, stores.host, lambda s, m: MemberDecision(space=s, member=m)
    )

    assert stores.spaces.get(space.id).revision == space.revision


def test_supervision_sees_the_worker(stores: Stores) -> None:
    """
    `supervise` reads Space and runtime together and stores what follows.
    """
    space = stores.space(state=SpaceState.SCHEDULED)
    stores.spaces.update(space.id, started)
    late = NOW + timedelta(minutes=2)

    decision = stores.spaces.supervise(
        space.id, lambda s, runtime: rules.relaunch(s, runtime, epoch=1, now=late)
    )

    assert decision.space.epoch == 2
    assert stores.spaces.get_with_runtime(space.id) == (
        decision.space,
        decision.runtime,
    )
    assert decision.runtime is not None
    assert decision.runtime.in_vain == 1


def test_live_spaces_in_pages(stores: Stores) -> None:
    """
    Pages of live Spaces, those started last first, follow on each other.
    """
    future = NOW + timedelta(days=next_day())
    spaces = [stores.space(started_at=future + timedelta(hours=n)) for n in range(3)]

    first = stores.spaces.live(limit=2, after=None)
    last = first[-1]
    rest = stores.spaces.live(limit=1, after=Cursor(last.started_at or NOW, last.id))

    assert [space.id for space in (*first, *rest)] == [s.id for s in reversed(spaces)]


_days = itertools.count(1)


def next_day() -> int:
    """Return a later day each time, so that a test's own Spaces come first."""
    return next(_days)


def test_joining_stores_the_person_and_their_seat(stores: Stores) -> None:
    """
    A speaker has a document and a seat; both are read back as they were stored.
    """
    space = stores.space(speaker_policy=SpeakerPolicy.EVERYONE)
    ana = stores.account(stores.new_user()).user_id

    stores.members.join(
        space.id, ana, joined(JoinWish(wants_stage=True)), wants_stage=True
    )
    read, member = stores.members.get(space.id, ana)

    assert read.speaker_ids == (ana,)
    assert member is not None
    assert (member.user_id, member.on_stage, member.left_at) == (ana, True, None)
    assert member.revision


def test_a_listener_leaves_the_space_alone(stores: Stores) -> None:
    """
    Joining to listen writes one document, and not the Space's.
    """
    space = stores.space()
    ana = stores.account(stores.new_user()).user_id

    stores.members.join(space.id, ana, joined(JoinWish()), wants_stage=False)

    assert stores.spaces.get(space.id).revision == space.revision
    assert stores.members.get(space.id, ana)[1] is not None


def test_joining_knows_who_blocked_whom(stores: Stores) -> None:
    """
    The facts of a join tell of blocks in both directions, and of nobody else's.
    """
    space = stores.space()
    ana, bo, cleo = (stores.account(stores.new_user()).user_id for _ in range(3))
    stores.block(stores.host, ana)
    stores.block(bo, stores.host)

    def facts(user_id: UserId) -> tuple[bool, bool]:
        seen: list[JoinFacts] = []

        def decide(known: JoinFacts) -> MemberDecision:
            seen.append(known)
            return MemberDecision(space=known.space, member=None)

        stores.members.join(space.id, user_id, decide, wants_stage=True)
        return seen[-1].blocked, seen[-1].blocked_on_stage

    assert facts(ana) == (True, False)
    assert facts(bo) == (False, True)
    assert facts(cleo) == (False, False)


def put(stores: Stores, space_id: SpaceId, member: Participant) -> None:
    """Store somebody as they are."""
    stores.members.update(
        space_id,
        member.user_id,
        lambda space, _: MemberDecision(space=space, member=member),
    )


def test_people_in_pages_as_they_came(stores: Stores) -> None:
    """
    Who has not left is listed in the order of coming, page by page.
    """
    space = stores.space()
    people = [UserId(f"p{n}") for n in range(4)]
    for n, uid in enumerate(people):
        left = NOW if n == 1 else None
        member = a_participant(
            uid, joined_at=NOW + timedelta(seconds=n + 1), left_at=left
        )
        put(stores, space.id, member)

    first = stores.members.present(space.id, limit=2, after=None)
    after = Cursor(first[-1].joined_at, first[-1].user_id)
    rest = stores.members.present(space.id, limit=9, after=after)

    assert [m.user_id for m in (*first, *rest)] == [stores.host, "p0", "p2", "p3"]


def test_a_handle_belongs_to_one_person(stores: Stores) -> None:
    """
    A handle is taken whatever its case, and free again when its owner moves on.
    """
    ana, bo = stores.new_user(), stores.new_user()
    handle = f"h{random_token()[:10].replace('-', '_')}"

    def save(user_id: UserId, name: str) -> Profile:
        edit = ProfileEdit(handle=name, display_name="Somebody")
        return stores.profiles.update(
            user_id, lambda old: profile.save(old, edit, user_id=user_id, now=NOW)
        )

    saved = save(ana, handle)
    with pytest.raises(HandleTaken):
        save(bo, handle.upper())
    assert stores.profiles.get(ana) == saved
    assert save(ana, handle.upper()).handle == handle.upper()
    save(ana, f"{handle}2")
    assert save(bo, handle).handle == handle


def test_the_latest_launch_is_remembered(stores: Stores) -> None:
    """
    `put` tells which of two launches is to be stopped, whatever their order.
    """
    space_id = random_space_id()
    one, two = Launched(1, "w1"), Launched(2, "w2")

    assert stores.launches.get(space_id) is None
    assert stores.launches.put(space_id, one) is None
    assert stores.launches.put(space_id, one) is None
    assert stores.launches.put(space_id, two) == one
    assert stores.launches.put(space_id, one) == one
    assert stores.launches.get(space_id) == two
    stores.launches.clear(space_id)
    assert stores.launches.get(space_id) is None
