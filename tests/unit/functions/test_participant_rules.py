"""Joining and leaving, as rules."""

from datetime import timedelta
from typing import Any

import pytest

from spaces.domain import participant as rules
from spaces.domain.errors import (
    BlockedByHost,
    NotLive,
    ProfileRequired,
    RemovedFromSpace,
    SpaceError,
)
from spaces.domain.participant import JoinFacts, JoinWish, MemberDecision
from spaces.domain.space import Space, SpeakerPolicy
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from spaces_contract.roles import MAX_SPEAKERS, Role
from tests.builders import HOST, NOW, a_participant, a_profile, a_space

ANA = UserId("ana")
LATER = NOW + timedelta(seconds=60)
SPEAK = JoinWish(wants_stage=True)
LISTEN = JoinWish()
HIDE = JoinWish(anonymous=True)


def facts(space: Space | None = None, **fields: Any) -> JoinFacts:
    """Return what is known when ana joins."""
    defaults: dict[str, Any] = {
        "space": space or a_space(),
        "profile": a_profile("ana"),
        "member": None,
    }
    return JoinFacts(**defaults | fields)


def joined(known: JoinFacts, wish: JoinWish = LISTEN) -> MemberDecision:
    """Return what the rules make of it."""
    return rules.join(known, wish, now=LATER)


@pytest.mark.parametrize(
    ("policy", "known", "role"),
    [
        (SpeakerPolicy.EVERYONE, {}, Role.SPEAKER),
        (SpeakerPolicy.FOLLOWING, {"followed": True}, Role.SPEAKER),
        (SpeakerPolicy.FOLLOWING, {"followed": False}, Role.LISTENER),
        (SpeakerPolicy.INVITED, {"followed": True}, Role.LISTENER),
    ],
)
def test_the_policy_decides_who_speaks(
    policy: SpeakerPolicy, known: dict[str, Any], role: Role
) -> None:
    """
    A wish for the stage is granted only where the Space's policy allows it.
    """
    decision = joined(facts(a_space(speaker_policy=policy), **known), SPEAK)

    assert decision.member is not None
    assert decision.member.role is role
    assert decision.member.on_stage is role.on_stage
    assert (ANA in decision.space.speaker_ids) is role.on_stage


def test_whoever_is_invited_may_speak() -> None:
    """
    With the policy `invited`, an invited person's wish is granted.
    """
    decision = joined(facts(a_space(invited_user_ids=(ANA,))), SPEAK)

    assert decision.space.speaker_ids == (ANA,)


def test_a_listener_changes_nothing_of_the_space() -> None:
    """
    Joining to listen leaves the Space as it is, so that nothing writes it.
    """
    space = a_space(speaker_policy=SpeakerPolicy.EVERYONE)

    assert joined(facts(space)).space is space


def test_a_full_stage_makes_a_listener() -> None:
    """
    Who may speak but finds no seat comes in as a listener.
    """
    speakers = tuple(UserId(f"s{n}") for n in range(MAX_SPEAKERS))
    full = a_space(speaker_policy=SpeakerPolicy.EVERYONE, speaker_ids=speakers)

    decision = joined(facts(full), SPEAK)

    assert decision.member is not None
    assert decision.member.role is Role.LISTENER
    assert decision.space is full


@pytest.mark.parametrize(
    ("known", "error"),
    [
        ({"space": a_space(SpaceState.SCHEDULED)}, NotLive),
        ({"space": a_space(SpaceState.ENDED)}, NotLive),
        ({"profile": None}, ProfileRequired),
        ({"blocked": True}, BlockedByHost),
        ({"member": a_participant(removed=True)}, RemovedFromSpace),
    ],
)
def test_who_cannot_join_is_told_why(
    known: dict[str, Any], error: type[SpaceError]
) -> None:
    """
    Each reason not to be let in has an error of its own, anonymous or not.
    """
    for wish in (LISTEN, SPEAK, HIDE):
        with pytest.raises(error):
            joined(facts(**known), wish)


def test_joining_again_keeps_seat_and_mute() -> None:
    """
    A speaker whose media broke off joins again: same seat, still muted, no write.
    """
    member = a_participant("ana", Role.SPEAKER, muted=True)
    space = a_space(speaker_ids=(ANA,))

    decision = joined(facts(space, member=member))

    assert decision.member is member
    assert decision.space is space


def test_the_host_is_always_host() -> None:
    """
    The host comes back as host, whatever they wish for, anonymity included.
    """
    gone = a_participant("host", Role.HOST, on_stage=False, left_at=NOW)

    decision = joined(facts(profile=a_profile("host"), member=gone), HIDE)

    assert decision.member is not None
    assert not decision.anonymous
    assert (decision.member.role, decision.member.on_stage) == (Role.HOST, True)
    assert decision.member.left_at is None


def test_an_anonymous_listener_leaves_no_trace() -> None:
    """
    Nothing is kept of an anonymous listener.
    """
    decision = joined(facts(), HIDE)

    assert decision.anonymous
    assert decision.member is None


def test_a_listed_listener_who_hides_is_listed_no_more() -> None:
    """
    Joining anonymously takes an earlier entry off the list.
    """
    decision = joined(facts(member=a_participant()), HIDE)

    assert decision.anonymous
    assert decision.member is not None
    assert decision.member.left_at == LATER


def test_leaving_gives_up_the_seat() -> None:
    """
    A speaker who leaves is a listener if they come back, and their seat is free.
    """
    space = a_space(speaker_ids=(ANA,))

    decision = rules.leave(space, a_participant("ana", Role.SPEAKER), now=LATER)

    assert decision.space.speaker_ids == ()
    assert decision.member is not None
    assert (decision.member.role, decision.member.on_stage) == (Role.LISTENER, False)


def test_the_host_who_leaves_stays_host() -> None:
    """
    The host's seat stays theirs while they are away.
    """
    decision = rules.leave(a_space(), a_participant("host", Role.HOST), now=LATER)

    assert decision.space.host_ids == (HOST,)
    assert decision.member is not None
    assert (decision.member.role, decision.member.on_stage) == (Role.HOST, False)


@pytest.mark.parametrize(
    "member", [None, a_participant(left_at=NOW), a_participant(removed=True)]
)
def test_leaving_twice_changes_nothing(member: rules.Participant | None) -> None:
    """
    Who is not there, or was removed, leaves without a trace.
    """
    space = a_space()

    decision = rules.leave(space, member, now=LATER)

    assert decision.space is space
    assert decision.member is member
