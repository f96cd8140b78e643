"""Whatever people do to each other, in whatever order, the stage stays lawful."""

import contextlib
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from spaces.domain import invite, moderation, participant, speak_request
from spaces.domain.errors import SpaceError
from spaces.domain.invite import Invite, InviteDecision, Invitee
from spaces.domain.moderation import MemberEdit
from spaces.domain.participant import JoinFacts, JoinWish, MemberDecision, Participant
from spaces.domain.space import SpeakerPolicy
from spaces.domain.stage import seat_of
from spaces.domain.states import RequestState
from spaces_contract.ids import UserId
from spaces_contract.roles import MAX_CO_HOSTS, MAX_ON_STAGE, MAX_SPEAKERS, Role
from tests.builders import HOST, NOW, a_participant, a_profile, a_space

CROWD = [HOST, *(UserId(f"u{n}") for n in range(18))]
people = st.sampled_from(CROWD)
edits = st.builds(
    MemberEdit,
    role=st.sampled_from([None, Role.LISTENER, Role.SPEAKER, Role.CO_HOST]),
    muted=st.sampled_from([None, True, False]),
    removed=st.sampled_from([None, None, None, True, False]),
)
offers = st.sampled_from([Role.SPEAKER, Role.CO_HOST])
Answer = Callable[..., MemberDecision]
answers = st.sampled_from(
    [speak_request.accept, speak_request.decline, speak_request.withdraw]
)
Reply = Callable[..., InviteDecision]
replies = st.sampled_from([invite.accept, invite.decline, invite.revoke])


class Stage(RuleBasedStateMachine):
    """One live Space in which everybody may speak, and a crowd larger than it."""

    def __init__(self) -> None:
        super().__init__()
        self.space = a_space(speaker_policy=SpeakerPolicy.EVERYONE)
        self.members: dict[UserId, Participant] = {
            HOST: a_participant("host", Role.HOST)
        }
        self.invites: dict[UserId, Invite] = {}

    @rule(user_id=people, wants_stage=st.booleans(), anonymous=st.booleans())
    def join(self, user_id: UserId, wants_stage: bool, anonymous: bool) -> None:
        known = JoinFacts(
            space=self.space,
            profile=a_profile(user_id),
            member=self.members.get(user_id),
        )
        wish = JoinWish(wants_stage=wants_stage, anonymous=anonymous)
        with contextlib.suppress(SpaceError):
            self._store(user_id, participant.join(known, wish, now=NOW))

    @rule(user_id=people)
    def leave(self, user_id: UserId) -> None:
        member = self.members.get(user_id)
        self._store(user_id, participant.leave(self.space, member, now=NOW))

    @rule(actor_id=people, user_id=people, change=edits)
    def edit(self, actor_id: UserId, user_id: UserId, change: MemberEdit) -> None:
        member = self.members.get(user_id)
        before = member is not None and member.muted and member.on_stage
        with contextlib.suppress(SpaceError):
            decision = moderation.edit(
                self.space, member, change, actor_id=actor_id, now=NOW
            )
            self._store(user_id, decision)
            after = self.members[user_id]
            if actor_id != user_id and after.on_stage:
                assert after.muted or not before

    @rule(user_id=people)
    def ask(self, user_id: UserId) -> None:
        member = self.members.get(user_id)
        with contextlib.suppress(SpaceError):
            self._store(user_id, speak_request.ask(self.space, member, now=NOW))

    @rule(answer=answers, actor_id=people, user_id=people)
    def answer_request(self, answer: Answer, actor_id: UserId, user_id: UserId) -> None:
        member = self.members.get(user_id)
        with contextlib.suppress(SpaceError):
            decision = answer(self.space, member, actor_id=actor_id, now=NOW)
            self._store(user_id, decision)

    @rule(actor_id=people, user_id=people, role=offers)
    def invite(self, actor_id: UserId, user_id: UserId, role: Role) -> None:
        invitee = Invitee(
            profile=a_profile(user_id),
            member=self.members.get(user_id),
            invite=self.invites.get(user_id),
        )
        inviter = a_profile(actor_id)
        with contextlib.suppress(SpaceError):
            sent = invite.send(self.space, inviter, (invitee,), role, now=NOW)
            self.space = sent.space
            self.invites[user_id] = sent.invites[0]

    @rule(answer=replies, actor_id=people, user_id=people)
    def answer_invite(self, answer: Reply, actor_id: UserId, user_id: UserId) -> None:
        known = self.members.get(user_id), self.invites.get(user_id)
        with contextlib.suppress(SpaceError):
            decision = answer(self.space, *known, actor_id=actor_id, now=NOW)
            self.space = decision.space
            if decision.invite is not None:
                self.invites[user_id] = decision.invite
            if decision.member is not None:
                self.members[user_id] = decision.member

    @invariant()
    def nobody_on_stage_or_away_asks_to_speak(self) -> None:
        for member in self.members.values():
            if member.speak_request is RequestState.PENDING:
                assert not member.on_stage
                assert not member.removed
                assert member.left_at is None

    @invariant()
    def nobody_on_stage_is_still_invited_to_speak(self) -> None:
        invited = self.space.invited_user_ids
        assert not set(invited) & set(self.space.stage_ids)
        assert len(set(invited)) == len(invited)
        assert set(invited) <= self.invites.keys()

    @invariant()
    def the_stage_has_room_for_its_people(self) -> None:
        assert len(self.space.stage_ids) <= MAX_ON_STAGE
        assert len(self.space.host_ids) <= 1 + MAX_CO_HOSTS
        assert len(self.space.speaker_ids) <= MAX_SPEAKERS
        assert len(set(self.space.stage_ids)) == len(self.space.stage_ids)

    @invariant()
    def there_is_one_host(self) -> None:
        assert self.space.host_ids[0] == HOST
        hosts = [m for m in self.members.values() if m.role is Role.HOST]
        assert [host.user_id for host in hosts] == [HOST]

    @invariant()
    def lists_and_documents_agree(self) -> None:
        for user_id, member in self.members.items():
            seat = seat_of(self.space, user_id) or Role.LISTENER
            assert member.role is seat
            there = not member.removed and member.left_at is None
            assert member.on_stage is (seat.on_stage and there)
        assert set(self.space.stage_ids) <= self.members.keys()

    def _store(self, user_id: UserId, decision: MemberDecision) -> None:
        self.space = decision.space
        if decision.member is not None:
            self.members[user_id] = decision.member


TestStage = Stage.TestCase
TestStage.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
