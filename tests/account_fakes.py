"""A double of the port of whole accounts, over the documents in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from spaces.domain.effects import EraseAccount
from spaces.domain.erasure import Traces
from spaces_contract.ids import SpaceId, UserId
from tests.fakes import MemoryDatabase, rerun


class MemoryAccountStore:
    """`AccountStore` in memory; knows no invites, reminders, devices or reports."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def begin_erasure(self, effect: EraseAccount, at: datetime) -> EraseAccount | None:
        running = self._db.erasing.get(effect.user_id)
        if running is None and effect.user_id in self._db.profiles:
            del self._db.profiles[effect.user_id]
            self._db.outbox[effect.name] = (effect, at)
            running = self._db.erasing[effect.user_id] = effect
        return running

    def end_erasure(self, user_id: UserId) -> None:
        self._db.erasing.pop(user_id, None)

    def hosted(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        spaces = self._db.spaces.values()
        return [each.id for each in spaces if each.creator_id == user_id][:limit]

    def met(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        return [
            space_id
            for (space_id, _), member in self._db.members.items()
            if member.user_id == user_id
        ][:limit]

    def erase_from(
        self, space_id: SpaceId, user_id: UserId, decide: Callable[[Traces], Traces]
    ) -> None:
        space, member = self._db.space(space_id), self._db.members[space_id, user_id]
        traces = Traces(space=space, member=member, invite=None)
        after = rerun(lambda: decide(traces))
        self._db.put_space(after.space)
        if after.member is None:
            del self._db.members[space_id, user_id]
        else:
            self._db.members[space_id, user_id] = after.member

    def waits_for(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        return []

    def devices(self, user_id: UserId, *, limit: int) -> Sequence[str]:
        return []

    def forget_follows(self, user_id: UserId, *, limit: int) -> int:
        self._db.following -= {edge for edge in self._db.following if user_id in edge}
        return 0

    def forget_words(self, user_id: UserId, *, limit: int) -> int:
        return 0

    def forget_lists(self, user_id: UserId, *, limit: int) -> int:
        self._db.blocks -= {edge for edge in self._db.blocks if edge[0] == user_id}
        return 0

    def export(self, user_id: UserId) -> Iterator[tuple[str, Mapping[str, Any]]]:
        profile = self._db.profiles.get(user_id)
        if profile is not None:
            yield "profile", {"uid": user_id, "handle": profile.handle}
