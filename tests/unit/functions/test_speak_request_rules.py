"""Asking to speak and what becomes of it, as tables."""

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest

from spaces.domain import errors, moderation, participant
from spaces.domain import speak_request as rules
from spaces.domain.moderation import MemberEdit
from spaces.domain.participant import MemberDecision, Participant
from spaces.domain.states import (
    REQUEST_TRANSITIONS,
    RequestEvent,
    RequestState,
    SpaceState,
)
from spaces_contract.ids import UserId
from spaces_contract.roles import MAX_SPEAKERS, Role
from tests.builders import HOST, NOW, a_participant, a_space

LATER = NOW + timedelta(seconds=60)
ANA, CLEO = UserId("ana"), UserId("cleo")
SPACE = a_space(host_ids=(HOST, CLEO))
ASKING = a_participant(speak_request=RequestState.PENDING, requested_at=NOW)


def after(decision: MemberDecision) -> Participant:
    """Return the person as they are now."""
    assert decision.member is not None
    return decision.member


@pytest.mark.parametrize(
    ("state", "event"), itertools.product([None, *RequestState], RequestEvent)
)
def test_only_a_pending_request_is_closed(
    state: RequestState | None, event: RequestEvent
) -> None:
    """
    Whatever is not in the table is refused, so that one of two answers wins.
    """
    if state is not None and (state, event) in REQUEST_TRANSITIONS:
        assert state is RequestState.PENDING
        assert rules.next_request_state(state, event) is not RequestState.PENDING
        return
    with pytest.raises(errors.RequestClosed):
        rules.next_request_state(state, event)


@pytest.mark.parametrize(
    "answered", [None, RequestState.DECLINED, RequestState.WITHDRAWN]
)
def test_whoever_listens_may_ask_and_ask_again(answered: RequestState | None) -> None:
    """
    A listener's hand goes up, also after an earlier one was turned down.
    """
    asked = after(rules.ask(SPACE, a_participant(speak_request=answered), now=LATER))

    assert (asked.speak_request, asked.requested_at) == (RequestState.PENDING, LATER)


def test_asking_twice_keeps_the_place_in_the_queue() -> None:
    """
    A hand that is up stays as it is.
    """
    assert after(rules.ask(SPACE, ASKING, now=LATER)) is ASKING


@pytest.mark.parametrize(
    ("member", "error"),
    [
        (None, errors.NotInSpace),
        (a_participant(left_at=NOW), errors.NotInSpace),
        (a_participant(removed=True), errors.RemovedFromSpace),
        (a_participant(role=Role.SPEAKER), errors.AlreadyOnStage),
    ],
)
def test_who_cannot_ask(
    member: Participant | None, error: type[errors.SpaceError]
) -> None:
    """
    Only those who are there and listen can ask; each other case has its error.
    """
    with pytest.raises(error):
        rules.ask(SPACE, member, now=LATER)


@pytest.mark.parametrize("actor", [HOST, CLEO])
def test_an_accepted_hand_is_on_stage_muted(actor: UserId) -> None:
    """
    Host and co-host bring them up; their microphone waits for themselves.
    """
    decision = rules.accept(SPACE, ASKING, actor_id=actor, now=LATER)

    assert decision.space.speaker_ids == (ANA,)
    assert (after(decision).on_stage, after(decision).muted) == (True, True)
    assert after(decision).speak_request is RequestState.ACCEPTED
    again = rules.accept(decision.space, after(decision), actor_id=actor, now=LATER)
    assert again.space is decision.space
    assert again.member is decision.member


def test_a_full_stage_keeps_the_request() -> None:
    """
    Where no seat is left the accept is refused, and nothing is stored.
    """
    full = a_space(speaker_ids=tuple(UserId(f"s{n}") for n in range(MAX_SPEAKERS)))

    with pytest.raises(errors.StageFull):
        rules.accept(full, ASKING, actor_id=HOST, now=LATER)


@pytest.mark.parametrize("answer", [rules.accept, rules.decline])
def test_only_hosts_answer_and_only_who_is_there(
    answer: Callable[..., MemberDecision],
) -> None:
    """
    Others cannot answer; who left cannot be answered; who does not ask neither.
    """
    cases = [
        (SPACE, ASKING, ANA, errors.ModeratorOnly),
        (SPACE, None, HOST, errors.ParticipantNotFound),
        (SPACE, a_participant(left_at=NOW), HOST, errors.ParticipantNotFound),
        (SPACE, a_participant(), HOST, errors.RequestClosed),
        (a_space(SpaceState.ENDED), ASKING, HOST, errors.NotLive),
    ]
    for space, member, actor, error in cases:
        with pytest.raises(error):
            answer(space, member, actor_id=actor, now=LATER)


def test_a_withdrawn_hand_cannot_be_accepted_nor_an_accepted_one_withdrawn() -> None:
    """
    Of accept and withdraw the first one counts, and the other is told.
    """
    withdrawn = after(rules.withdraw(SPACE, ASKING, actor_id=ANA, now=LATER))
    accepted = rules.accept(SPACE, ASKING, actor_id=HOST, now=LATER)

    with pytest.raises(errors.RequestClosed):
        rules.accept(SPACE, withdrawn, actor_id=HOST, now=LATER)
    with pytest.raises(errors.RequestClosed):
        rules.withdraw(accepted.space, after(accepted), actor_id=ANA, now=LATER)
    assert after(rules.withdraw(SPACE, withdrawn, actor_id=ANA, now=LATER)) is withdrawn
    with pytest.raises(errors.NotYours):
        rules.withdraw(SPACE, ASKING, actor_id=HOST, now=LATER)


def test_leaving_removal_and_promotion_end_a_request() -> None:
    """
    Nobody who has gone, or is on stage already, is listed as asking.
    """
    left = participant.leave(SPACE, ASKING, now=LATER)
    removed = moderation.edit(
        SPACE, ASKING, MemberEdit(removed=True), actor_id=HOST, now=LATER
    )
    promoted = moderation.edit(
        SPACE, ASKING, MemberEdit(role=Role.SPEAKER), actor_id=HOST, now=LATER
    )
    demoted = moderation.edit(
        promoted.space,
        promoted.member,
        MemberEdit(role=Role.LISTENER),
        actor_id=HOST,
        now=LATER,
    )

    assert after(left).speak_request is None
    assert after(removed).speak_request is None
    assert after(promoted).speak_request is RequestState.ACCEPTED
    assert after(demoted).speak_request is None


def test_mute_all_closes_speakers_microphones_only() -> None:
    """
    Speakers are muted; hosts keep theirs; who is muted already is not written.
    """
    people = [
        a_participant("sam", Role.SPEAKER),
        a_participant("sue", Role.SPEAKER, muted=True),
        a_participant("cleo", Role.CO_HOST),
    ]

    muted = moderation.mute_all(SPACE, people, actor_id=CLEO, now=LATER)

    assert [member.muted for member in muted] == [True, True, False]
    assert muted[1] is people[1]
    with pytest.raises(errors.ModeratorOnly):
        moderation.mute_all(SPACE, people, actor_id=ANA, now=LATER)
