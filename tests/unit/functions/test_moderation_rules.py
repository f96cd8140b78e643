"""What hosts do to others and everybody to themselves, as one table."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spaces.domain import errors, moderation
from spaces.domain.host_presence import HostPresence, HostState
from spaces.domain.moderation import MemberEdit
from spaces.domain.participant import MemberDecision, Participant
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from spaces_contract.roles import MAX_SPEAKERS, Role
from tests.builders import HOST, NOW, a_participant, a_space

LATER = NOW + timedelta(seconds=60)
SPACE = a_space(
    host_ids=(HOST, UserId("cleo"), UserId("carl")),
    speaker_ids=(UserId("sam"), UserId("sue")),
)
PEOPLE = {
    "host": a_participant("host", Role.HOST),
    "cleo": a_participant("cleo", Role.CO_HOST),
    "carl": a_participant("carl", Role.CO_HOST),
    "sam": a_participant("sam", Role.SPEAKER),
    "sue": a_participant("sue", Role.SPEAKER),
    "lea": a_participant("lea"),
    "leo": a_participant("leo"),
    "rod": a_participant("rod", removed=True),
    "gone": a_participant("gone", left_at=NOW),
    "out": a_participant("out", removed=True, removed_by_host=True),
    "shut": a_participant("shut", removed=True, removed_by_host=True, left_at=NOW),
}
SPEAK, LISTEN = MemberEdit(role=Role.SPEAKER), MemberEdit(role=Role.LISTENER)
CO_HOST = MemberEdit(role=Role.CO_HOST)
MUTE, UNMUTE = MemberEdit(muted=True), MemberEdit(muted=False)
REMOVE, LET_BACK = MemberEdit(removed=True), MemberEdit(removed=False)


def edited(
    actor: str, target: str, change: MemberEdit, **fields: Any
) -> MemberDecision:
    """Return what the rules make of it."""
    return moderation.edit(
        fields.get("space", SPACE),
        fields.get("member", PEOPLE.get(target)),
        change,
        actor_id=UserId(actor),
        now=LATER,
    )


def after(decision: MemberDecision) -> Participant:
    """Return the person as they are now."""
    assert decision.member is not None
    return decision.member


@pytest.mark.parametrize(
    ("actor", "target", "change", "error"),
    [
        ("lea", "leo", SPEAK, errors.ModeratorOnly),
        ("sam", "sue", MUTE, errors.ModeratorOnly),
        ("sam", "lea", REMOVE, errors.ModeratorOnly),
        ("lea", "lea", SPEAK, errors.ModeratorOnly),
        ("lea", "lea", REMOVE, errors.ModeratorOnly),
        ("stranger", "nobody", MUTE, errors.ModeratorOnly),
        ("sam", "sam", CO_HOST, errors.HostOnly),
        ("cleo", "sam", CO_HOST, errors.HostOnly),
        ("cleo", "carl", LISTEN, errors.HostOnly),
        ("cleo", "host", REMOVE, errors.HostStays),
        ("cleo", "host", LISTEN, errors.HostStays),
        ("host", "host", LISTEN, errors.HostStays),
        ("host", "sam", UNMUTE, errors.CannotUnmuteAnother),
        ("cleo", "host", UNMUTE, errors.CannotUnmuteAnother),
        ("host", "lea", MUTE, errors.TargetNotOnStage),
        ("lea", "lea", UNMUTE, errors.TargetNotOnStage),
        ("host", "rod", SPEAK, errors.ParticipantNotFound),
        ("host", "gone", SPEAK, errors.ParticipantNotFound),
        ("host", "nobody", SPEAK, errors.ParticipantNotFound),
        ("rod", "rod", UNMUTE, errors.RemovedFromSpace),
        ("host", "lea", CO_HOST, errors.CoHostsFull),
        ("cleo", "out", LET_BACK, errors.HostOnly),
        ("cleo", "shut", LET_BACK, errors.ParticipantNotFound),
        ("cleo", "shut", REMOVE, errors.ParticipantNotFound),
        ("out", "out", LET_BACK, errors.RemovedFromSpace),
    ],
)
def test_what_is_refused(
    actor: str, target: str, change: MemberEdit, error: type[errors.SpaceError]
) -> None:
    """
    Each thing that one may not do to another has an error of its own.
    """
    with pytest.raises(error):
        edited(actor, target, change)


@pytest.mark.parametrize("actor", ["host", "cleo"])
def test_promotion_gives_a_seat_and_a_closed_microphone(actor: str) -> None:
    """
    Host and co-host bring a listener on stage, muted until they unmute themselves.
    """
    decision = edited(actor, "lea", SPEAK)

    assert UserId("lea") in decision.space.speaker_ids
    assert (after(decision).on_stage, after(decision).muted) == (True, True)
    unmuted = edited("lea", "lea", UNMUTE, space=decision.space, member=after(decision))
    assert not after(unmuted).muted


@pytest.mark.parametrize(
    ("actor", "target"),
    [
        ("host", "sam"),
        ("cleo", "sam"),
        ("sam", "sam"),
        ("cleo", "cleo"),
        ("host", "carl"),
    ],
)
def test_demotion_takes_the_seat(actor: str, target: str) -> None:
    """
    Who is demoted, or steps down, is a listener without a seat, and not muted.
    """
    decision = edited(actor, target, LISTEN)

    assert UserId(target) not in decision.space.stage_ids
    assert after(decision).role is Role.LISTENER
    assert not after(decision).on_stage


@pytest.mark.parametrize(("actor", "target"), [("host", "cleo"), ("carl", "sam")])
def test_removal_takes_seat_and_entry(actor: str, target: str) -> None:
    """
    Removed people are off the stage at once, and let back as listeners who are gone.
    """
    decision = edited(actor, target, REMOVE)
    removed = after(decision)
    back = after(edited("host", target, LET_BACK, space=decision.space, member=removed))

    assert UserId(target) not in decision.space.stage_ids
    assert (removed.removed, removed.on_stage) == (True, False)
    assert (back.removed, back.role) == (False, Role.LISTENER)
    assert back.left_at == LATER


@pytest.mark.parametrize(
    ("removers", "back_by", "refused"),
    [
        (["cleo"], "cleo", False),
        (["cleo"], "carl", False),
        (["cleo"], "host", False),
        (["host"], "host", False),
        (["host"], "cleo", True),
        (["cleo", "host"], "cleo", True),  # the host has done it too
        (["host", "cleo"], "cleo", True),
        (["host", "cleo"], "host", False),
    ],
)
def test_what_the_host_did_only_the_host_undoes(
    removers: list[str], back_by: str, refused: bool
) -> None:
    """
    Co-hosts let back whom one of them removed, in whatever order it was done.
    """
    space, member = SPACE, PEOPLE["sam"]
    for actor in removers:
        decision = edited(actor, "sam", REMOVE, space=space, member=member)
        space, member = decision.space, after(decision)

    if refused:
        with pytest.raises(errors.HostOnly):
            edited(back_by, "sam", LET_BACK, space=space, member=member)
    else:
        back = after(edited(back_by, "sam", LET_BACK, space=space, member=member))
        assert (back.removed, back.removed_by_host) == (False, False)


def test_who_acts_as_host_undoes_nothing_of_theirs() -> None:
    """
    The host who is gone comes back to a Space without those whom they shut out.
    """
    acting = replace(
        SPACE,
        host_presence=HostPresence(
            state=HostState.COVERED, acting_host_id=UserId("cleo")
        ),
    )

    with pytest.raises(errors.HostOnly):
        edited("cleo", "out", LET_BACK, space=acting)


def test_who_left_can_still_be_removed() -> None:
    """
    Leaving is no way around removal.
    """
    assert after(edited("host", "gone", REMOVE)).removed


def test_a_speaker_becomes_co_host_without_a_pause() -> None:
    """
    A new co-host leaves a speaker's seat and keeps their microphone as it is.
    """
    space = a_space(speaker_ids=(UserId("sam"),))

    decision = edited("host", "sam", CO_HOST, space=space)

    assert decision.space.host_ids == (HOST, UserId("sam"))
    assert decision.space.speaker_ids == ()
    assert not after(decision).muted


def test_no_eleventh_speaker() -> None:
    """
    A full stage refuses one more, and a co-host who would step down to it.
    """
    speakers = tuple(UserId(f"s{n}") for n in range(MAX_SPEAKERS))
    full = a_space(host_ids=SPACE.host_ids, speaker_ids=speakers)

    for target in ("lea", "cleo"):
        with pytest.raises(errors.StageFull):
            edited("host", target, SPEAK, space=full)


@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("sam", SPEAK),
        ("cleo", CO_HOST),
        ("lea", LISTEN),
        ("out", REMOVE),
        ("lea", LET_BACK),
    ],
)
def test_a_repeated_edit_changes_nothing(target: str, change: MemberEdit) -> None:
    """
    What is so already is stored no second time.
    """
    decision = edited("host", target, change)

    assert decision.space is SPACE
    assert decision.member is PEOPLE[target]


@pytest.mark.parametrize("state", sorted(set(SpaceState) - {SpaceState.LIVE}))
def test_only_live_spaces_are_moderated(state: SpaceState) -> None:
    """
    Before and after, nobody is promoted, muted or removed.
    """
    with pytest.raises(errors.NotLive):
        edited("host", "sam", MUTE, space=a_space(state))
