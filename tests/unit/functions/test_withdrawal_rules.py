"""Rules of consent that is taken back: what is heard of it, erased and kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from spaces.domain import consent as rules
from spaces.domain.consent import ConsentDecision
from spaces.domain.effects import RecordingStep, RecordingTask
from spaces.domain.recording_errors import (
    ConsentNotFound,
    NotAsked,
)
from spaces.domain.recording_states import (
    KEPT,
    OPEN,
    ConsentState,
)
from spaces.domain.states import SpaceState
from spaces_contract.consent_receipts import ConsentAction
from spaces_contract.recording import (
    ERASE_AGAIN_AFTER_S,
    ConsentScope,
    RecordingState,
)
from spaces_contract.roles import Role
from tests.builders import a_participant, a_space
from tests.consent_answers import PENDING, decline, grant, granted, withdraw
from tests.recording_builders import (
    ARCHIVE,
    BOTH,
    a_recording,
    a_voice,
    after,
    facts,
    state_of,
)


def steps(decision: ConsentDecision) -> list[tuple[RecordingStep, int]]:
    """Return steps and versions among a decision's effects."""
    return [
        (each.step, each.version)
        for each in decision.effects
        if isinstance(each, RecordingTask)
    ]


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
