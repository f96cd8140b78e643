"""Opening, showing, starting and ending Spaces."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import participant, schedule, space
from ..domain.errors import (
    ListFull,
    ProfileRequired,
    ProtectedAccount,
    ScheduleOutOfRange,
)
from ..domain.profile import Profile
from ..domain.space import Decision, Space, SpaceDraft
from .discovery_ports import SpaceFinder
from .ports import Clock, EffectQueue, Once, ProfileStore, SpaceStore

IDEMPOTENCY_LIFETIME: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """What a client sent: its key, and the body it stands for."""

    key: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceService:
    """
    Use cases of whoever hosts a Space or looks at one.

    Args:
        finder: Knows how many Spaces a host has live.
    """

    spaces: SpaceStore
    profiles: ProfileStore
    finder: SpaceFinder
    effects: EffectQueue
    now: Clock
    new_space_id: Callable[[], SpaceId]

    def create(
        self, draft: SpaceDraft, *, actor_id: UserId, key: IdempotencyKey | None
    ) -> Space:
        """
        Open a Space; the same key within 24 h returns the Space it opened.

        It does so also where opening another would be refused by now: time has
        passed, the list is full, the account is protected.

        Raises:
            ProfileRequired: the host has no profile.
            ProtectedAccount: the host's account is protected.
            IdempotencyKeyReused: the key came with another body before.
            ScheduleOutOfRange: its time is too near or too far.
            ListFull: they have scheduled as many as there may be.
        """
        now = self.now()
        once = None if key is None else _once(key, actor_id, now)
        try:
            return self._opened(draft, actor_id, once, now)
        except (ScheduleOutOfRange, ListFull, ProfileRequired, ProtectedAccount):
            made = None if once is None else self.spaces.made_by(once)
            if made is None:
                raise
            return made

    def _opened(
        self, draft: SpaceDraft, actor_id: UserId, once: Once | None, now: datetime
    ) -> Space:
        if draft.scheduled_start is not None:
            schedule.check_start(draft.scheduled_start, now=now)
        host = self._profile(actor_id)
        opened = space.create(draft, space_id=self.new_space_id(), host=host, now=now)
        first = schedule.next_step(opened, after=now)
        if first is not None:
            # Before the commit: a task for a Space that never came to be is harmless,
            # a Space that nobody is reminded of is not.
            self.effects.put(first)
        return self.spaces.create(
            opened, participant.host_of(opened, host, now=now), once
        )

    def get(self, space_id: SpaceId) -> Space:
        """Return the Space; raises SpaceNotFound."""
        return self.spaces.get(space_id)

    def start(self, space_id: SpaceId, *, actor_id: UserId) -> Space:
        """
        Go live; a second start changes nothing.

        Raises:
            SpaceNotFound, HostOnly, IllegalTransition, ProfileRequired.
            ProtectedAccount: the host's account is protected by now.
            TooManyLive: it is announced, and they have as many live as there may be.
        """
        now = self.now()
        if self._profile(actor_id).protected:
            raise ProtectedAccount
        return self._carried_out(
            self.spaces.update(
                space_id, lambda found: self._started(found, actor_id, now)
            )
        )

    def _started(self, found: Space, actor_id: UserId, now: datetime) -> Decision:
        decision = space.start(found, actor_id=actor_id, now=now)
        # Any other that is one too many ends as its worker is launched, which costs no
        # start a read; of an announced one, those who wait for it would hear nothing.
        if space.awaits_its_time(found):
            live = self.finder.count_live(
                actor_id, started_before=now, at_most=space.MAX_LIVE
            )
            space.must_have_room(live)
        return decision

    def end(self, space_id: SpaceId, *, actor_id: UserId) -> Space:
        """
        End a live Space; a second end changes nothing.

        Raises:
            SpaceNotFound, HostOnly, IllegalTransition.
        """
        now = self.now()
        return self._carried_out(
            self.spaces.update(
                space_id, lambda found: space.end(found, actor_id=actor_id, now=now)
            )
        )

    def _carried_out(self, decision: Decision) -> Space:
        for effect in decision.effects:
            self.effects.release(effect)
        return decision.space

    def _profile(self, user_id: UserId) -> Profile:
        profile = self.profiles.get(user_id)
        if profile is None:
            raise ProfileRequired
        return profile


def _once(key: IdempotencyKey, actor_id: UserId, now: datetime) -> Once:
    # Digests bound the length and hide what clients put into their keys; a uid has
    # no colon, so that nobody's key can name another person's.
    named = f"{actor_id}:{key.key}".encode()
    return Once(
        key=hashlib.sha256(named).hexdigest(),
        fingerprint=hashlib.sha256(key.body).hexdigest(),
        expires_at=now + IDEMPOTENCY_LIFETIME,
    )
