"""Rules of a recording's life: who moves it, and what each move makes of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from spaces.domain import recording as rules
from spaces.domain import recording_kept as kept
from spaces.domain.effects import RecordingStep, RecordingTask
from spaces.domain.errors import ModeratorOnly, NotLive
from spaces.domain.recording import Recording, RecordingDecision
from spaces.domain.recording_errors import (
    RecordingClosed,
    RecordingNotFound,
    WrongRecordingState,
)
from spaces.domain.recording_states import (
    KEPT,
    OPEN,
    RECORDING_TRANSITIONS,
    RecordingEvent,
    moved,
)
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from spaces_contract.recording import ERASE_LAST_AFTER_S, RecordingState
from tests.builders import HOST, NOW, a_space
from tests.recording_builders import a_recording, a_stage, a_voice

LATER = NOW + timedelta(minutes=5)


def steps(decision: RecordingDecision) -> list[RecordingStep]:
    """Return the steps among a decision's effects."""
    return [each.step for each in decision.effects if isinstance(each, RecordingTask)]


@pytest.mark.parametrize("state", RecordingState)
@pytest.mark.parametrize("event", RecordingEvent)
def test_every_pair_is_decided(state: RecordingState, event: RecordingEvent) -> None:
    """
    Each (state, event) pair is in the table or is refused with the state named.
    """
    if (state, event) in RECORDING_TRANSITIONS:
        assert moved(state, event) in RecordingState
    else:
        with pytest.raises(WrongRecordingState) as error:
            moved(state, event)
        assert error.value.members == {"state": state.value}


def test_erased_is_for_good() -> None:
    """
    Nothing leads out of `erased`, and every state that keeps voices leads to it.
    """
    ends = {state for state, _ in RECORDING_TRANSITIONS}

    assert RecordingState.ERASED not in ends
    for state in KEPT:
        assert moved(state, RecordingEvent.ERASE) is RecordingState.ERASED


def test_a_request_asks_the_stage_and_consents_for_nobody() -> None:
    """
    Host or co-host requests: it is pending, without a voice, and the stage is asked.
    """
    decision = rules.request(a_stage("ana"), None, actor_id=HOST, now=NOW)

    assert decision.recording is not None
    assert decision.recording.state is RecordingState.PENDING
    assert decision.recording.voices == ()
    assert steps(decision) == [RecordingStep.ASK]


def test_a_second_request_asks_nobody_again() -> None:
    """
    One ask per recording: requesting again, or after calling it off, has no new name.
    """
    first = rules.request(a_stage("ana"), None, actor_id=HOST, now=NOW)
    again = rules.request(a_stage("ana"), first.recording, actor_id=HOST, now=LATER)
    off = rules.stop(a_stage("ana"), first.recording, actor_id=HOST, now=LATER)
    anew = rules.request(a_stage("ana"), off.recording, actor_id=HOST, now=LATER)

    assert again.effects == ()
    assert off.recording is not None
    assert off.recording.state is RecordingState.OFF
    assert [each.name for each in anew.effects] == [each.name for each in first.effects]


@pytest.mark.parametrize("state", sorted(KEPT | {RecordingState.ERASED}))
def test_a_space_has_one_recording(state: RecordingState) -> None:
    """
    What is over is not begun again: people would be asked and asked.
    """
    with pytest.raises(RecordingClosed):
        rules.request(a_stage(), a_recording(state), actor_id=HOST, now=NOW)


Rule = Callable[[UserId], RecordingDecision]
LEADING: dict[str, Rule] = {
    "request": lambda who: rules.request(a_stage("ana"), None, actor_id=who, now=NOW),
    "pause": lambda who: rules.pause(
        a_stage("ana"), a_recording(), True, actor_id=who, now=NOW
    ),
    "stop": lambda who: rules.stop(
        a_stage("ana"), a_recording(), actor_id=who, now=NOW
    ),
    "edit": lambda who: kept.edit(
        a_stage("ana"),
        a_recording(RecordingState.READY),
        actor_id=who,
        private=True,
        trim_start_ms=None,
        now=NOW,
    ),
    "erase": lambda who: kept.erase(
        a_stage("ana"), a_recording(RecordingState.READY), actor_id=who, now=NOW
    ),
}


@pytest.mark.parametrize("name", LEADING)
def test_hosts_alone_rule_a_recording(name: str) -> None:
    """
    A speaker can do none of it; the host can do all.
    """
    LEADING[name](HOST)

    with pytest.raises(ModeratorOnly):
        LEADING[name](UserId("ana"))


def test_only_a_live_space_is_recorded() -> None:
    """
    A request for a Space that is over is refused.
    """
    with pytest.raises(NotLive):
        rules.request(a_space(SpaceState.ENDED), None, actor_id=HOST, now=NOW)


def test_pause_and_resume() -> None:
    """
    A pause is undone by a resume; each of them again changes nothing.
    """

    def paused(recording: Recording | None, to: bool) -> Recording | None:
        space = a_stage("ana")
        return rules.pause(space, recording, to, actor_id=HOST, now=LATER).recording

    stopped = paused(a_recording(), True)
    going = paused(stopped, False)

    assert stopped is not None
    assert stopped.state is RecordingState.PAUSED
    assert paused(stopped, True) == stopped
    assert going is not None
    assert going.state is RecordingState.RECORDING
    assert paused(going, False) == going


def test_a_pending_recording_cannot_be_paused() -> None:
    """
    Where nobody has consented there is nothing to interrupt; off there is nothing.
    """
    pending = a_recording(RecordingState.PENDING)

    with pytest.raises(WrongRecordingState):
        rules.pause(a_stage(), pending, True, actor_id=HOST, now=NOW)
    with pytest.raises(RecordingNotFound):
        rules.pause(a_stage(), None, True, actor_id=HOST, now=NOW)


def test_a_stop_renders_after_the_worker_has_settled() -> None:
    """
    The first look at a render waits until the last pages can be stored.
    """
    decision = rules.stop(a_stage(), a_recording(), actor_id=HOST, now=LATER)

    assert decision.recording is not None
    assert decision.recording.state is RecordingState.FINISHING
    (look,) = decision.effects
    assert isinstance(look, RecordingTask)
    assert look.step is RecordingStep.RENDER
    assert look.at == LATER + rules.SETTLE


@pytest.mark.parametrize("state", RecordingState)
def test_a_recording_ends_with_its_space(state: RecordingState) -> None:
    """
    Of a Space that is over no voice is taken in, whatever is stored as yet.
    """
    over = a_space(SpaceState.ENDED)

    now_is = rules.settled(over, a_recording(state)).state
    finished = rules.finish(over, a_recording(state), now=LATER).recording

    assert now_is not in OPEN
    assert finished is not None
    assert finished.state is now_is
    if state not in OPEN:
        assert now_is is state


def test_trimming_makes_a_new_version() -> None:
    """
    Another start is another file: version n+1 is rendered; the same start is not.
    """
    ready = a_recording(RecordingState.READY, voices=(a_voice(),))

    def trimmed(to: int) -> RecordingDecision:
        return kept.edit(
            a_space(SpaceState.ENDED),
            ready,
            actor_id=HOST,
            private=None,
            trim_start_ms=to,
            now=LATER,
        )

    cut = trimmed(1_000).recording
    assert cut is not None
    assert (cut.state, cut.version) == (RecordingState.FINISHING, 2)
    assert steps(trimmed(1_000)) == [RecordingStep.RENDER]
    assert trimmed(0).recording == ready


def test_deleting_leaves_no_voice() -> None:
    """
    A deleted recording keeps its chain and nothing that could be heard.
    """
    ready = a_recording(RecordingState.READY, voices=(a_voice(),), commitments=("ab",))

    decision = kept.erase(a_space(SpaceState.ENDED), ready, actor_id=HOST, now=LATER)

    assert decision.recording == replace(
        ready,
        state=RecordingState.ERASED,
        voices=(),
        expires_at=LATER + timedelta(seconds=ERASE_LAST_AFTER_S),
        updated_at=LATER,
    )
    assert RecordingStep.ERASE in steps(decision)


def test_a_recording_that_goes_on_is_not_deleted() -> None:
    """
    It has to be stopped first, so that no worker writes behind the deletion.
    """
    with pytest.raises(WrongRecordingState):
        kept.erase(a_stage(), a_recording(), actor_id=HOST, now=NOW)


def test_a_recording_expires_when_its_time_is_up() -> None:
    """
    Not a moment before, however often a task asks.
    """
    ready = a_recording(RecordingState.READY, voices=(a_voice(),), expires_at=LATER)

    early = kept.expire(ready, now=LATER - timedelta(seconds=1)).recording
    due = kept.expire(ready, now=LATER).recording

    assert early == ready
    assert due is not None
    assert due.state is RecordingState.ERASED


def test_hosts_see_numbers_alone() -> None:
    """
    Counted are those who are on stage; a consent of somebody who left is not.
    """
    voices = (a_voice("ana"), a_voice("gone"))

    tally = rules.tally(a_stage("ana", "bo"), a_recording(voices=voices))

    assert (tally.granted, tally.asked) == (1, 3)
