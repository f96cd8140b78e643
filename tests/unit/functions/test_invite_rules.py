"""Invites and what becomes of them, as tables."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spaces.domain import errors, participant
from spaces.domain import invite as rules
from spaces.domain.host_presence import HostPresence, HostState
from spaces.domain.invite import Invite, InviteDecision, Invitee
from spaces.domain.moderation import MemberEdit
from spaces.domain.moderation import edit as edit_member
from spaces.domain.participant import JoinFacts, JoinWish, Participant
from spaces.domain.space import Space
from spaces.domain.states import (
    INVITE_TRANSITIONS,
    InviteEvent,
    InviteState,
    SpaceState,
)
from spaces_contract.ids import UserId
from spaces_contract.roles import MAX_CO_HOSTS, Role
from tests.builders import HOST, NOW, a_participant, a_profile, a_space

LATER = NOW + timedelta(seconds=60)
ANA, CLEO = UserId("ana"), UserId("cleo")
SPACE = a_space(host_ids=(HOST, CLEO))
SOON = a_space(SpaceState.SCHEDULED, host_ids=(HOST, CLEO))


def sent(
    space: Space = SPACE, role: Role = Role.SPEAKER, by: str = "host", **known: Any
) -> tuple[Space, Invite]:
    """Invite ana; return the Space and her invite."""
    invitee = Invitee(**{"profile": a_profile("ana"), **known})
    decision = rules.send(space, a_profile(by), (invitee,), role, now=NOW)
    return decision.space, decision.invites[0]


def accepted(
    space: Space, invite: Invite | None, member: Participant | None, by: str = "ana"
) -> InviteDecision:
    """Accept as ana."""
    return rules.accept(space, member, invite, actor_id=UserId(by), now=LATER)


def revoked(
    space: Space, invite: Invite | None, member: Participant | None
) -> InviteDecision:
    """Take it back as the host."""
    return rules.revoke(space, member, invite, actor_id=HOST, now=LATER)


ANSWERS = {
    InviteEvent.ACCEPT: (rules.accept, ANA),
    InviteEvent.DECLINE: (rules.decline, ANA),
    InviteEvent.REVOKE: (rules.revoke, HOST),
}
SO_ALREADY = {
    InviteEvent.ACCEPT: InviteState.ACCEPTED,
    InviteEvent.DECLINE: InviteState.DECLINED,
    InviteEvent.REVOKE: InviteState.REVOKED,
}


@pytest.mark.parametrize(
    ("state", "event"),
    itertools.product(sorted(set(InviteState) - {InviteState.EXPIRED}), InviteEvent),
)
def test_of_two_answers_the_first_one_counts(
    state: InviteState, event: InviteEvent
) -> None:
    """
    Every pair of state and answer is legal by the table, harmless, or a conflict.
    """
    space, invite = sent()
    if state is not InviteState.PENDING:
        space = replace(space, invited_user_ids=())
    if state is InviteState.ACCEPTED:
        space = replace(space, speaker_ids=(ANA,))
    invite = replace(invite, state=state)
    answer, actor = ANSWERS[event]

    def run() -> InviteDecision:
        return answer(space, a_participant(), invite, actor_id=actor, now=LATER)

    if state is InviteState.PENDING:
        after = run().invite
        assert after is not None
        assert after.state is INVITE_TRANSITIONS[state, event]
    elif state is SO_ALREADY[event]:
        assert run().invite is invite
    else:
        with pytest.raises(errors.InviteClosed):
            run()


@pytest.mark.parametrize(
    ("known", "role", "by", "error"),
    [
        ({}, Role.SPEAKER, "bo", errors.ModeratorOnly),
        ({}, Role.CO_HOST, "cleo", errors.HostOnly),
        ({"profile": None}, Role.SPEAKER, "host", errors.UserNotFound),
        ({"blocked": True}, Role.SPEAKER, "host", errors.CannotInvite),
        (
            {"member": a_participant(removed=True)},
            Role.SPEAKER,
            "host",
            errors.CannotInvite,
        ),
        ({"profile": a_profile("cleo")}, Role.SPEAKER, "host", errors.AlreadyOnStage),
        ({"profile": a_profile("cleo")}, Role.CO_HOST, "host", errors.AlreadyOnStage),
        ({"profile": a_profile("host")}, Role.SPEAKER, "cleo", errors.AlreadyOnStage),
    ],
)
def test_who_cannot_be_invited(
    known: dict[str, Any], role: Role, by: str, error: type[errors.SpaceError]
) -> None:
    """
    Each reason not to invite somebody has an error of its own.
    """
    with pytest.raises(error):
        sent(role=role, by=by, **known)


def test_invites_go_to_all_or_nobody() -> None:
    """
    One who cannot be invited keeps all from being invited.
    """
    both = (Invitee(profile=a_profile("ana")), Invitee(profile=None))

    with pytest.raises(errors.UserNotFound):
        rules.send(SPACE, a_profile("host"), both, Role.SPEAKER, now=NOW)


def test_the_list_of_the_invited_is_bounded() -> None:
    """
    The Space's document does not grow without end.
    """
    crowd = tuple(UserId(f"u{n}") for n in range(rules.MAX_INVITED))

    with pytest.raises(errors.ListFull):
        sent(replace(SPACE, invited_user_ids=crowd))


def test_inviting_again_keeps_a_pending_invite() -> None:
    """
    The same invite twice is one; an answered one is sent anew.
    """
    space, invite = sent()

    assert sent(space, invite=invite) == (space, invite)
    declined = rules.decline(space, None, invite, actor_id=ANA, now=LATER)
    assert declined.space.invited_user_ids == ()
    again, fresh = sent(declined.space, invite=declined.invite)
    assert fresh.state is InviteState.PENDING
    assert again.invited_user_ids == (ANA,)


def test_who_acts_as_host_offers_what_the_host_does() -> None:
    """
    A co-host who acts for a host who is gone may invite to co-host, too.
    """
    covered = HostPresence(state=HostState.COVERED, since=NOW, acting_host_id=CLEO)
    space = replace(SPACE, host_presence=covered)

    assert sent(space, Role.CO_HOST, by="cleo")[1].role is Role.CO_HOST


@pytest.mark.parametrize("role", [Role.SPEAKER, Role.CO_HOST])
def test_accepting_in_a_live_space_is_being_on_stage(role: Role) -> None:
    """
    Who is there gets the seat at once, muted, and is on no list any more.
    """
    space, invite = sent(a_space(), role)

    decision = accepted(space, invite, a_participant())

    assert decision.member is not None
    assert (decision.member.role, decision.member.on_stage) == (role, True)
    assert decision.member.muted
    assert ANA in decision.space.stage_ids
    assert decision.space.invited_user_ids == ()


def test_a_speaker_who_accepts_early_comes_on_stage_by_joining() -> None:
    """
    Accepted before the start, the wish for the stage is granted at the join.
    """
    space, invite = sent(SOON)
    decision = accepted(space, invite, None)
    live = replace(decision.space, state=SpaceState.LIVE)
    facts = JoinFacts(space=live, profile=a_profile("ana"), member=decision.member)

    joined = participant.join(facts, JoinWish(wants_stage=True), now=LATER)

    assert decision.space.speaker_ids == ()
    assert joined.space.speaker_ids == (ANA,)
    assert joined.space.invited_user_ids == ()


def test_a_co_host_who_accepts_early_has_their_seat_waiting() -> None:
    """
    The seat is theirs, through a leave too, until they come; then they are on stage.
    """
    space, invite = sent(SOON, Role.CO_HOST)
    decision = accepted(space, invite, None)
    assert decision.member is not None
    assert not decision.member.on_stage
    live = replace(decision.space, state=SpaceState.LIVE)
    still = participant.leave(live, decision.member, now=LATER)
    facts = JoinFacts(space=live, profile=a_profile("ana"), member=still.member)

    joined = participant.join(facts, JoinWish(), now=LATER)

    assert still.space is live
    assert joined.member is not None
    assert (joined.member.role, joined.member.on_stage) == (Role.CO_HOST, True)


def test_no_third_co_host() -> None:
    """
    Of three who accept, the last one meets full seats, and their invite stays.
    """
    crowd = tuple(UserId(f"c{n}") for n in range(MAX_CO_HOSTS))
    space, invite = sent(a_space(host_ids=(HOST, *crowd)), Role.CO_HOST)

    with pytest.raises(errors.CoHostsFull):
        accepted(space, invite, a_participant())


def test_an_invite_is_used_up_by_one_seat() -> None:
    """
    Who came by their invite and was sent off the stage does not come back by it.
    """
    space, invite = sent()
    facts = JoinFacts(space=space, profile=a_profile("ana"), member=None)
    joined = participant.join(facts, JoinWish(wants_stage=True), now=LATER)
    off = edit_member(
        joined.space,
        joined.member,
        MemberEdit(role=Role.LISTENER),
        actor_id=HOST,
        now=LATER,
    )

    with pytest.raises(errors.InviteClosed):
        accepted(off.space, invite, off.member)


def test_only_the_invited_answer() -> None:
    """
    An invite is its addressee's, and one that is not there is said to be so.
    """
    space, invite = sent()

    with pytest.raises(errors.NotYours):
        accepted(space, invite, None, by="bo")
    with pytest.raises(errors.InviteNotFound):
        accepted(space, None, None)
    with pytest.raises(errors.RemovedFromSpace):
        accepted(space, invite, a_participant(removed=True))


@pytest.mark.parametrize(
    ("space", "late"),
    [(SPACE, rules.INVITE_LIFETIME), (a_space(SpaceState.ENDED), timedelta())],
)
def test_an_invite_expires_with_its_time_or_its_space(
    space: Space, late: timedelta
) -> None:
    """
    Too late, an invite is expired by value, whatever is stored.
    """
    _, invite = sent()

    assert rules.state_of(invite, space, now=NOW + late) is InviteState.EXPIRED
    with pytest.raises(errors.InviteClosed):
        rules.accept(space, None, invite, actor_id=ANA, now=NOW + late)


def test_before_the_start_an_accepted_invite_can_be_taken_back() -> None:
    """
    The host plans anew: the seat is free again; once live it takes a removal.
    """
    space, invite = sent(SOON, Role.CO_HOST)
    decision = accepted(space, invite, None)

    back = revoked(decision.space, decision.invite, decision.member)

    assert back.space.host_ids == SOON.host_ids
    assert back.member is not None
    assert back.member.role is Role.LISTENER
    live = replace(decision.space, state=SpaceState.LIVE)
    with pytest.raises(errors.InviteClosed):
        revoked(live, decision.invite, decision.member)
