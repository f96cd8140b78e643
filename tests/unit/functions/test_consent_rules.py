"""Rules of consent: one person's answer, its receipts, and what it moves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.domain import consent as rules
from spaces.domain.consent import ConsentDecision, ConsentFacts
from spaces.domain.effects import RecordingStep, RecordingTask
from spaces.domain.notice import NOTICE_VERSION, TEXTS, notice_in
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
    ERASE_AGAIN_AFTER_S,
    STEM_ID_PATTERN,
    ConsentScope,
    RecordingState,
)
from spaces_contract.roles import Role
from tests.builders import NOW, a_participant, a_space
from tests.recording_builders import (
    ARCHIVE,
    BOTH,
    NOTICE,
    a_moment,
    a_recording,
    a_stage,
    a_voice,
    after,
    facts,
    state_of,
)

PENDING = a_recording(RecordingState.PENDING)


def grant(
    before: ConsentFacts,
    number: int = 1,
    scopes: frozenset[ConsentScope] = BOTH,
    version: str = NOTICE_VERSION,
) -> ConsentDecision:
    """Say yes to the notice of today."""
    moment = a_moment(number)
    return rules.grant(before, scopes, NOTICE, shown_version=version, moment=moment)


def decline(before: ConsentFacts, number: int = 1) -> ConsentDecision:
    """Say no."""
    return rules.decline(before, NOTICE, moment=a_moment(number))


def withdraw(before: ConsentFacts, number: int = 2) -> ConsentDecision:
    """Take a yes back."""
    return rules.withdraw(before, NOTICE, moment=a_moment(number))


def granted(state: RecordingState = RecordingState.RECORDING) -> ConsentFacts:
    """Return the facts about ana after she said yes, the recording being in `state`."""
    before = facts(recording=PENDING)
    there = after(before, grant(before))
    assert there.recording is not None
    return replace(there, recording=replace(there.recording, state=state))


def steps(decision: ConsentDecision) -> list[tuple[RecordingStep, int]]:
    """Return steps and versions among a decision's effects."""
    return [
        (each.step, each.version)
        for each in decision.effects
        if isinstance(each, RecordingTask)
    ]


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


@pytest.mark.parametrize("state", sorted(OPEN - {RecordingState.PENDING}))
def test_a_withdrawal_while_it_goes_on(state: RecordingState) -> None:
    """
    The voice is out at once, its stem erased now and again when no worker can write.
    """
    decision = withdraw(granted(state))

    assert state_of(decision) is ConsentState.WITHDRAWN
    assert decision.recording.voices == ()
    assert decision.recording.withdrawn == ("stem-number-1",)
    assert decision.recording.state is state
    assert steps(decision) == [(RecordingStep.ERASE_STEMS, 2)] * 3
    at = [each.at for each in decision.effects if isinstance(each, RecordingTask)]
    assert at[1] - at[0] == timedelta(seconds=ERASE_AGAIN_AFTER_S)


@pytest.mark.parametrize("state", sorted(KEPT))
def test_a_withdrawal_afterwards_renders_without_them(state: RecordingState) -> None:
    """
    Version n+1 is made of those who are left, and who is concerned is told.
    """
    before = granted(state)
    assert before.recording is not None
    others = (*before.recording.voices, a_voice("bo"))
    before = replace(before, recording=replace(before.recording, voices=others))

    decision = withdraw(before)

    recording = decision.recording
    assert (recording.state, recording.version) == (RecordingState.FINISHING, 2)
    assert [each.user_id for each in recording.voices] == ["bo"]
    kinds = {step for step, version in steps(decision) if version == 2}
    assert kinds == {
        RecordingStep.ERASE_STEMS,
        RecordingStep.RENDER,
        RecordingStep.TELL,
    }


def test_the_last_withdrawal_erases_the_recording() -> None:
    """
    No stem left: nothing is rendered, everything goes.
    """
    decision = withdraw(granted(RecordingState.READY))

    assert decision.recording.state is RecordingState.ERASED
    assert (RecordingStep.ERASE, 2) in steps(decision)


def test_anybody_anywhere_can_withdraw() -> None:
    """
    Removed, gone, or long after the end: a yes can be taken back.
    """
    before = granted(RecordingState.READY)
    gone = replace(before, member=None, space=a_space(SpaceState.ENDED))

    assert state_of(withdraw(gone)) is ConsentState.WITHDRAWN


def test_a_withdrawal_erases_the_receipts_and_keeps_their_commitments() -> None:
    """
    Left is the receipt of the withdrawal; the chain still has both links.
    """
    before = granted()

    decision = withdraw(before)

    assert decision.consent is not None
    actions = [each.receipt.action for each in decision.consent.receipts]
    assert actions == [ConsentAction.WITHDRAW]
    assert len(decision.recording.commitments) == 2


def test_a_no_takes_back_a_yes() -> None:
    """
    Declining what was granted is a withdrawal.
    """
    assert state_of(decline(granted(), 2)) is ConsentState.WITHDRAWN


def test_nothing_to_withdraw() -> None:
    """
    Who never said yes is told so; who withdrew already is not bothered.
    """
    declined = facts(recording=PENDING)
    declined = after(declined, decline(declined))
    withdrawn = granted()
    withdrawn = after(withdrawn, withdraw(withdrawn))

    for nothing in (facts(), declined):
        with pytest.raises(ConsentNotFound):
            withdraw(nothing)
    assert withdraw(withdrawn, 3).effects == ()


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


def test_a_scope_is_taken_back_as_freely_as_a_yes() -> None:
    """
    From off stage and after any number of answers; it is not given again like that.
    """
    before = facts(recording=a_recording())
    for number in range(rules.MAX_GRANTS):
        scopes = BOTH if number % 2 else ARCHIVE
        before = after(before, grant(before, number, scopes))
    listener = a_participant("ana", Role.LISTENER)
    gone = replace(before, member=replace(listener, on_stage=False))

    narrowed = after(gone, grant(gone, 1_000, ARCHIVE))

    assert narrowed.consent is not None
    assert narrowed.consent.scopes == (ConsentScope.ARCHIVE,)
    with pytest.raises(NotAsked):
        grant(narrowed, 1_001, BOTH)


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


@pytest.mark.parametrize("lang", sorted(TEXTS))
def test_the_notice_is_whole_in_every_language(lang: str) -> None:
    """
    The same points in each, the days filled in, and a digest of its own.
    """
    notice = notice_in(lang, kept_days=30)

    assert notice.lang == lang
    assert len(notice.points) == len(NOTICE.points)
    assert "30" in " ".join(notice.points)
    assert "{" not in " ".join(notice.points)
    assert lang == "en" or notice.sha256 != NOTICE.sha256


@pytest.mark.parametrize(("lang", "known"), [("de-AT", "de"), ("fr", "en"), ("", "en")])
def test_an_unknown_language_is_answered_in_english(lang: str, known: str) -> None:
    """
    Regions fall back to their language, the rest to English; the receipt says so.
    """
    assert notice_in(lang, kept_days=1).lang == known
