"""Asking to speak, answering, and closing everybody's microphone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spaces_contract.ids import SpaceId, UserId

from ..domain import moderation, speak_request
from ..domain.errors import ParticipantNotFound
from ..domain.moderation import must_moderate
from ..domain.participant import MemberDecision, Participant
from ..domain.personal import of_accepted
from ..domain.space import Space
from .announcing import page_effect
from .ports import Clock, Cursor, EffectQueue, MemberStore
from .recording_asks import RecordingAsks
from .stage_ports import StageStore

Rule = Callable[[Space, Participant | None], MemberDecision]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageService:
    """Use cases of whoever wants to speak, and of hosts who have a say in it."""

    members: MemberStore
    stage: StageStore
    asks: RecordingAsks
    effects: EffectQueue
    now: Clock

    def ask(self, space_id: SpaceId, *, actor_id: UserId) -> Participant:
        """Raise a hand; raises SpaceNotFound and all that `speak_request.ask` does."""
        now = self.now()
        return self._decided(
            space_id, actor_id, lambda space, me: speak_request.ask(space, me, now=now)
        )

    def accept(
        self, space_id: SpaceId, user_id: UserId, *, actor_id: UserId
    ) -> Participant:
        """
        Bring them on stage and have them told by push; again is harmless.

        Raises:
            SpaceNotFound, DependencyUnavailable, and all that `speak_request.accept`
            does.
        """
        now = self.now()

        def decide(space: Space, member: Participant | None) -> MemberDecision:
            return speak_request.accept(space, member, actor_id=actor_id, now=now)

        decision = self.members.update(space_id, user_id, decide)
        if decision.member is None:
            raise ParticipantNotFound
        member = decision.member
        self.asks.seated(decision.space, member)
        self.effects.put(page_effect(of_accepted(space_id, member), 0, now))
        return member

    def decline(
        self, space_id: SpaceId, user_id: UserId, *, actor_id: UserId
    ) -> Participant:
        """Turn them down; raises as `speak_request.decline`."""
        now = self.now()

        def decide(space: Space, member: Participant | None) -> MemberDecision:
            return speak_request.decline(space, member, actor_id=actor_id, now=now)

        return self._decided(space_id, user_id, decide)

    def withdraw(self, space_id: SpaceId, user_id: UserId, *, actor_id: UserId) -> None:
        """Take one's hand down; raises as `speak_request.withdraw`."""
        now = self.now()

        def decide(space: Space, member: Participant | None) -> MemberDecision:
            return speak_request.withdraw(space, member, actor_id=actor_id, now=now)

        self.members.update(space_id, user_id, decide)

    def asking(
        self, space_id: SpaceId, *, actor_id: UserId, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        """
        Return those who ask to speak, who asked first first.

        Raises:
            SpaceNotFound, NotLive, ModeratorOnly.
        """
        space, _ = self.members.get(space_id, actor_id)
        must_moderate(space, actor_id)
        return self.stage.asking(space_id, limit=limit, after=after)

    def mute_all(self, space_id: SpaceId, *, actor_id: UserId) -> None:
        """Close all speakers' microphones; raises as `moderation.mute_all`."""
        now = self.now()
        self.stage.update_speakers(
            space_id,
            lambda space, speakers: moderation.mute_all(
                space, speakers, actor_id=actor_id, now=now
            ),
        )

    def _decided(self, space_id: SpaceId, user_id: UserId, rule: Rule) -> Participant:
        member = self.members.update(space_id, user_id, rule).member
        if member is None:
            raise ParticipantNotFound
        return member
