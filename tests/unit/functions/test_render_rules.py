"""Rules of seeing a render through."""

from datetime import datetime, timedelta

import pytest

from spaces.domain import render as rules
from spaces.domain.effects import RecordingStep, RecordingTask
from spaces.domain.recording import Recording, RecordingDecision, look_at
from spaces_contract.recording import RecordingState
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.builders import NOW, a_space
from tests.recording_builders import a_recording, a_voice

KEPT_FOR = timedelta(days=30)
FINISHING = a_recording(RecordingState.FINISHING, voices=(a_voice(),), version=3)


def said(
    state: RenderState, at: datetime = NOW, *, duration_ms: int = 0
) -> RenderProgress:
    """Return what a render job said at `at`."""
    ms = int(at.timestamp() * 1000)
    return RenderProgress(
        state=state, percent=50, updated_at_ms=ms, duration_ms=duration_ms
    )


def look(
    recording: Recording, progress: RenderProgress | None, now: datetime = NOW
) -> RecordingDecision:
    """Look at the render of version 3."""
    return rules.look(recording, progress, version=3, kept_for=KEPT_FOR, now=now)


def test_the_first_look_launches() -> None:
    """
    Attempt 1 is stored with its time.
    """
    launched = look(FINISHING, None).recording

    assert launched is not None
    assert (launched.attempt, launched.attempted_at) == (1, NOW)


def test_looks_run_into_one_chain() -> None:
    """
    Whoever asks for the next look within the same 5 s names the same task, none that
    is due already.
    """
    asked = [NOW + timedelta(seconds=seconds) for seconds in (0.1, 2, 4.9)]
    looks = {look_at(FINISHING, at) for at in asked}

    (only,) = looks
    assert only.at == NOW + timedelta(seconds=5)


def test_a_render_that_reports_is_left_alone() -> None:
    """
    As long as its job has said something lately there is no other attempt.
    """
    launched = look(FINISHING, None).recording
    assert launched is not None
    now = NOW + timedelta(minutes=10)
    lately = said(RenderState.RENDERING, now - timedelta(seconds=2))

    assert look(launched, lately, now).recording == launched


def test_a_silent_render_is_tried_again_and_given_up_at_last() -> None:
    """
    Five attempts, each after a silence; then the recording has failed, for all to see.
    """
    recording, now = FINISHING, NOW
    for attempt in range(1, rules.MAX_ATTEMPTS + 1):
        after = look(recording, None, now).recording
        assert after is not None
        assert after.attempt == attempt
        recording = after
        now += rules.SILENT_FOR + timedelta(seconds=1)

    failed = look(recording, None, now).recording

    assert failed is not None
    assert failed.state is RecordingState.FAILED


def test_done_is_published_and_expires() -> None:
    """
    It is ready with what the job says of it, and for 30 days from the first time.
    """
    decision = look(FINISHING, said(RenderState.DONE, duration_ms=9_000))

    ready = decision.recording
    assert ready is not None
    assert (ready.state, ready.duration_ms) == (RecordingState.READY, 9_000)
    assert ready.expires_at == NOW + KEPT_FOR
    steps = {e.step: e.at for e in decision.effects if isinstance(e, RecordingTask)}
    assert steps.keys() == {RecordingStep.TELL, RecordingStep.EXPIRE}
    assert steps[RecordingStep.EXPIRE] == NOW + rules.LONGEST_TASK


def test_a_new_version_is_kept_no_longer() -> None:
    """
    A withdrawal of one does not lengthen what the others agreed to.
    """
    expires_at = NOW + timedelta(days=3)
    again = a_recording(
        RecordingState.FINISHING, voices=(a_voice(),), version=3, expires_at=expires_at
    )

    ready = look(again, said(RenderState.DONE)).recording

    assert ready is not None
    assert ready.expires_at == expires_at


@pytest.mark.parametrize(
    ("recording", "progress", "state"),
    [
        (FINISHING, said(RenderState.ERASED), RecordingState.ERASED),
        (FINISHING, said(RenderState.FAILED), RecordingState.FAILED),
        (
            a_recording(RecordingState.FINISHING, version=3),
            None,
            RecordingState.ERASED,
        ),
    ],
)
def test_renders_that_give_nothing(
    recording: Recording, progress: RenderProgress | None, state: RecordingState
) -> None:
    """
    No voice, or no key for any: erased.  A job that says it cannot: failed.
    """
    after = look(recording, progress).recording

    assert after is not None
    assert after.state is state


@pytest.mark.parametrize(
    "recording",
    [
        None,
        a_recording(RecordingState.FINISHING, voices=(a_voice(),), version=4),
        a_recording(RecordingState.READY, voices=(a_voice(),), version=3),
    ],
)
def test_a_look_at_what_is_over_changes_nothing(recording: Recording | None) -> None:
    """
    Late tasks, of an older version or a render that is done, do no harm.
    """
    decision = rules.look(
        recording, None, version=3, kept_for=KEPT_FOR, now=NOW + timedelta(hours=1)
    )

    assert decision == RecordingDecision(recording)


def test_the_job_names_consenting_voices_alone() -> None:
    """
    What the render job is told holds standing consents, and of others only the chain.
    """
    recording = a_recording(
        RecordingState.FINISHING, voices=(a_voice("ana"),), commitments=("aa", "bb")
    )

    job = rules.job_of(a_space(speaker_ids=("ana", "decliner")), recording)

    assert [stem.uid for stem in job.stems] == ["ana"]
    assert job.commitments == ("aa", "bb")
    assert "decliner" not in str(job.to_json())
