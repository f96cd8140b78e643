"""Rules of consent: one person's answer, its receipts, and what it moves."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.domain import consent as rules
from spaces.domain.consent import ConsentDecision
from spaces.domain.notice import NOTICE_VERSION
from spaces.domain.recording import Recording
from spaces.domain.recording_errors import (
    AnsweredTooOften,
    ConsentNotFound,
    NotAsked,
    NoticeOutdated,
    RecordingClosed,
    RecordingNotFound,
)
from spaces.domain.recording_states import (
    CONSENT_TRANSITIONS,
    KEPT,
    OPEN,
    ConsentEvent,
    ConsentState,
)
from spaces.domain.states import SpaceState
from spaces_contract.consent_receipts import ConsentAction
from spaces_contract.recording import (
    STEM_ID_PATTERN,
    ConsentScope,
    RecordingState,
)
from tests.builders import NOW, a_participant
from tests.consent_answers import PENDING, decline, grant, granted, withdraw
from tests.recording_builders import (
    ARCHIVE,
    a_recording,
    a_stage,
    after,
    facts,
    state_of,
)


@pytest.mark.parametrize("state", ConsentState)
@pytest.mark.parametrize("event", ConsentEvent)
def test_only_a_yes_makes_granted(state: ConsentState, event: ConsentEvent) -> None:
    """
    No other event leads to `granted`, from whatever state; nothing leads to `asked`.
    """
    to = CONSENT_TRANSITIONS.get((state, event))

    assert (to is ConsentState.GRANTED) <= (event is ConsentEvent.GRANT)
    assert to is not ConsentState.ASKED


def test_the_first_yes_begins_the_recording() -> None:
    """
    Pending becomes recording, its clock starts, and the voice has a stem of its own.
    """
    decision = grant(facts(recording=PENDING))

    recording = decision.recording
    assert recording.state is RecordingState.RECORDING
    assert recording.began_at == NOW
    (voice,) = recording.voices
    assert (voice.user_id, voice.stem) == ("ana", "stem-number-1")
    assert STEM_ID_PATTERN.fullmatch(voice.stem)


def test_a_paused_recording_stays_paused() -> None:
    """
    A yes does not undo a host's pause.
    """
    paused = a_recording(RecordingState.PAUSED)

    assert grant(facts(recording=paused)).recording.state is RecordingState.PAUSED


def test_a_no_is_in_no_list_of_the_recording() -> None:
    """
    All that a refusal leaves with the recording is a commitment, which names nobody.
    """
    before = facts(recording=PENDING)

    decision = decline(before)

    assert state_of(decision) is ConsentState.DECLINED
    assert before.recording is not None
    assert decision.recording == replace(
        before.recording,
        commitments=decision.recording.commitments,
    )
    assert len(decision.recording.commitments) == 1
    assert "ana" not in repr(decision.recording)
    assert decision.effects == ()


def test_the_same_answer_again_changes_nothing() -> None:
    """
    No second receipt, and no second link in the chain.
    """
    yes = granted()
    no = facts(recording=PENDING)
    no = after(no, decline(no))

    assert grant(yes, 2) == ConsentDecision(yes.recording or PENDING, yes.consent)
    assert decline(no, 2) == ConsentDecision(no.recording or PENDING, no.consent)


def test_every_answer_is_proved() -> None:
    """
    Receipts say who answered what to which words, and the chain commits to each.
    """
    decision = grant(facts(recording=PENDING), scopes=ARCHIVE)

    assert decision.consent is not None
    (signed,) = decision.consent.receipts
    receipt = signed.receipt
    assert (receipt.uid, receipt.action) == ("ana", ConsentAction.GRANT)
    assert receipt.scopes == (ConsentScope.ARCHIVE,)
    assert (receipt.notice_version, receipt.notice_lang) == (NOTICE_VERSION, "en")
    assert receipt.stem == decision.recording.voices[0].stem
    assert decision.recording.commitments == (signed.commitment,)
    assert decision.recording.voices[0].commitment == 0


def test_an_outdated_notice_is_no_basis_for_a_yes() -> None:
    """
    The refusal brings the words of today.
    """
    with pytest.raises(NoticeOutdated) as error:
        grant(facts(recording=PENDING), version="2019-01")

    assert error.value.members["notice"]["version"] == NOTICE_VERSION


def test_only_the_stage_is_asked() -> None:
    """
    A listener can neither say yes nor no.
    """
    listener = facts(member=a_participant("ana"), recording=PENDING)

    assert rules.state_for(listener) is None
    for answer in (grant, decline):
        with pytest.raises(NotAsked):
            answer(listener)


def test_the_promoted_are_asked_when_they_come() -> None:
    """
    Whoever is on stage of a recording that goes on has been asked, and is no more
    once they have answered.
    """
    before = facts(recording=a_recording())

    assert rules.state_for(before) is ConsentState.ASKED
    assert rules.state_for(after(before, decline(before))) is ConsentState.DECLINED


@pytest.mark.parametrize("state", sorted(KEPT | {RecordingState.ERASED}))
def test_a_yes_comes_too_late(state: RecordingState) -> None:
    """
    No voice joins a recording that is over.
    """
    with pytest.raises(RecordingClosed):
        grant(facts(recording=a_recording(state)))


def test_a_yes_after_the_end_is_refused_before_anybody_has_noticed_the_end() -> None:
    """
    The Space counts, not what is stored of its recording.
    """
    over = a_stage("ana", state=SpaceState.ENDED)

    with pytest.raises(RecordingClosed):
        grant(facts(space=over, recording=a_recording()))


def test_where_nothing_is_recorded_nobody_answers() -> None:
    """
    No recording, or one that was called off: not found.
    """
    none = replace(facts(), recording=None)
    for nothing in (none, facts(recording=a_recording(RecordingState.OFF))):
        with pytest.raises(RecordingNotFound):
            grant(nothing)


def test_other_scopes_keep_the_stem() -> None:
    """
    Whoever takes clips back goes on in the same stem, by another receipt.
    """
    before = granted(RecordingState.READY)

    decision = grant(before, 2, scopes=ARCHIVE)

    (voice,) = decision.recording.voices
    assert voice.stem == "stem-number-1"
    assert (voice.scopes, voice.commitment) == ((ConsentScope.ARCHIVE,), 1)
    assert decision.recording.state is RecordingState.READY


def test_a_new_yes_has_a_new_stem() -> None:
    """
    A stem whose key was deleted is never used again.
    """
    before = granted()
    before = after(before, withdraw(before))

    decision = grant(before, 3)

    assert decision.recording.voices[0].stem == "stem-number-3"
    assert decision.recording.withdrawn == ("stem-number-1",)


def test_a_yes_is_not_given_without_end() -> None:
    """
    Granting time and again is refused some day; withdrawing never.
    """
    before = facts(recording=a_recording())
    for number in range(rules.MAX_GRANTS):
        before = after(before, grant(before, 2 * number))
        before = after(before, withdraw(before, 2 * number + 1))

    with pytest.raises(AnsweredTooOften):
        grant(before, 1_000)


ANSWERS = {"grant": grant, "decline": decline, "withdraw": withdraw}
REFUSALS = (ConsentNotFound, RecordingNotFound, NotAsked, RecordingClosed)


@given(
    st.lists(
        st.tuples(st.sampled_from(("ana", "bo")), st.sampled_from(sorted(ANSWERS))),
        max_size=12,
    ),
    st.sampled_from(sorted(OPEN)),
)
def test_whatever_is_answered_only_standing_consents_have_a_voice(
    answers: list[tuple[str, str]], state: RecordingState
) -> None:
    """
    After any answers of two people, in any order: voices are those whose last answer
    was yes, no withdrawn stem has a voice, and the chain has a link for each receipt.
    """
    recording: Recording = a_recording(state)
    people = {each: facts(each, space=a_stage("ana", "bo")) for each in ("ana", "bo")}
    for number, (who, what) in enumerate(answers):
        before = replace(people[who], recording=recording)
        links = len(recording.commitments)
        try:
            decision = ANSWERS[what](before, number)
        except REFUSALS:
            continue
        new = decision.consent != before.consent
        assert len(decision.recording.commitments) == links + new
        recording = decision.recording
        people[who] = after(before, decision)

    standing = {
        who
        for who, there in people.items()
        if there.consent and there.consent.state is ConsentState.GRANTED
    }
    assert {voice.user_id for voice in recording.voices} == standing
    assert not {voice.stem for voice in recording.voices} & set(recording.withdrawn)
