"""Doubles of the ports of people: relations and devices in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime

from spaces.domain.invite import OPEN
from spaces.domain.profile import Profile
from spaces.domain.registration import MAX_DEVICES, DeviceKey, Registration
from spaces.domain.relation import FollowFacts
from spaces.domain.states import SpaceState
from spaces.service.people_ports import Register
from spaces_contract.ids import SpaceId, UserId
from tests.fakes import MemoryDatabase, rerun


class MemoryRelationStore:
    """`RelationStore` in memory; runs `check` twice."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def follow(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[FollowFacts], None],
        *,
        at: datetime,
    ) -> None:
        blocked = {(user_id, other), (other, user_id)} & self._db.blocks
        listed = {(user_id, other)}
        facts = FollowFacts(
            other=self._db.profiles.get(other),
            blocked=bool(blocked),
            followed=sum(pair[0] == user_id for pair in self._db.following - listed),
        )
        check(facts)
        check(facts)
        self._db.since.setdefault((user_id, other), at)
        self._db.following.add((user_id, other))

    def unfollow(self, user_id: UserId, other: UserId) -> None:
        self._db.since.pop((user_id, other), None)
        self._db.following.discard((user_id, other))

    def block(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[Profile | None], Profile],
        *,
        at: datetime,
    ) -> Profile:
        blocked = rerun(lambda: check(self._db.profiles.get(other)))
        self._db.since[user_id, other] = at
        self._db.blocks.add((user_id, other))
        self._db.following -= {(user_id, other), (other, user_id)}
        return blocked

    def unblock(self, user_id: UserId, other: UserId) -> None:
        self._db.blocks.discard((user_id, other))

    def open_spaces_of(self, host_id: UserId) -> Sequence[SpaceId]:
        found = [
            space
            for space in self._db.spaces.values()
            if space.creator_id == host_id and space.state in OPEN
        ]
        found.sort(key=lambda space: space.state is not SpaceState.LIVE)
        return [space.id for space in found]


class MemoryRegistrationStore:
    """`RegistrationStore` in memory; runs `decide` twice."""

    def __init__(self) -> None:
        self.devices: dict[DeviceKey, Registration] = {}

    def put(self, device: Registration, decide: Register) -> Registration:
        owner = next(
            (
                key
                for key, each in self.devices.items()
                if device.token and each.token == device.token
            ),
            None,
        )
        stored = self.devices.get(device.key)
        theirs = [
            each
            for key, each in self.devices.items()
            if stored is None and key.user_id == device.key.user_id
        ]
        oldest = sorted(theirs, key=lambda each: each.updated_at)[:MAX_DEVICES]
        decided = rerun(lambda: decide(stored, owner, oldest))
        if decided.crowded_out is not None:
            del self.devices[decided.crowded_out.key]
        if decided.evicted is not None:
            del self.devices[decided.evicted]
        self.devices[device.key] = decided.device
        return decided.device

    def delete(self, key: DeviceKey) -> None:
        self.devices.pop(key, None)
