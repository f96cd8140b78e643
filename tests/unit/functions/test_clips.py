"""Rules of clips: where one may be made, who hears it, and what takes it away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spaces.domain import clipping, consent
from spaces.domain import recording_kept as kept
from spaces.domain.clip import MAX_CLIPS, Clip, ClipState
from spaces.domain.clipping import ClipWish
from spaces.domain.consent import Consent
from spaces.domain.effects import RecordingStep, RecordingTask
from spaces.domain.errors import Conflict, SpaceError
from spaces.domain.notice import NOTICE_VERSION
from spaces.domain.recording import Recording
from spaces.domain.recording_errors import ClipNotConsented, NotInRecording
from spaces.domain.recording_states import ConsentState
from spaces.domain.render import MAX_ATTEMPTS
from spaces_contract.ids import UserId
from spaces_contract.recording import ConsentScope, RecordingState
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.builders import HOST, NOW, SPACE_ID
from tests.recording_builders import (
    ARCHIVE,
    CLIP_WISH,
    HEARD,
    NOTICE,
    a_manifest,
    a_moment,
    a_recording,
    a_stage,
    a_voice,
    facts,
)

ANA, BO = UserId("ana"), UserId("bo")


def a_clip(*user_ids: str, **fields: Any) -> Clip:
    """Return a ready clip of these voices."""
    defaults: dict[str, Any] = {
        "number": 1,
        "title": None,
        "start_ms": 2_000,
        "end_ms": 7_000,
        "stems": tuple(a_voice(user_id).stem for user_id in user_ids),
        "made_by": ANA,
        "made_at": NOW,
        "state": ClipState.READY,
    }
    return Clip(**defaults | fields)


def kept_recording(**fields: Any) -> Recording:
    """Return a ready recording of Ana and Bo, of whom Ana alone agreed to clips."""
    bo = a_voice("bo", scopes=(ConsentScope.ARCHIVE,))
    voices = {"voices": (a_voice("ana"), bo)}
    return a_recording(RecordingState.READY, **voices | fields)


def cut(
    recording: Recording,
    actor: str = "ana",
    heard: Mapping[str, Sequence[tuple[int, int]]] = HEARD,
    **wish: Any,
) -> Clip:
    """Have a clip made of what `heard` says."""
    fields = {k: v for k, v in CLIP_WISH.items() if k != "version"} | wish
    wanted = ClipWish(version=fields.pop("version", recording.version), **fields)
    _, clip = clipping.cut(
        a_stage("ana", "bo", "cleo"),
        recording,
        wanted,
        a_manifest(heard, version=1, duration_ms=40_000),
        actor_id=UserId(actor),
        now=NOW,
    )
    return clip


@pytest.mark.parametrize(
    ("start_ms", "duration_ms", "refused"),
    [
        (0, 15_000, None),  # Bo begins where it ends
        (0, 15_001, "clip-not-consented"),
        (14_950, 1_000, "clip-not-consented"),
        (20_000, 5_000, "clip-not-consented"),  # Bo alone
        (31_000, 5_000, "nothing-to-clip"),
        (90_000, 5_000, "nothing-to-clip"),  # beyond the end
    ],
)
def test_every_voice_in_it_agreed(
    start_ms: int, duration_ms: int, refused: str | None
) -> None:
    """
    A millisecond of somebody who did not agree to clips is too much.
    """
    if refused is None:
        clip = cut(kept_recording(), start_ms=start_ms, duration_ms=duration_ms)
        assert clip.stems == (a_voice("ana").stem,)
        return
    with pytest.raises(Conflict) as error:
        cut(kept_recording(), start_ms=start_ms, duration_ms=duration_ms)
    assert error.value.code == refused


@pytest.mark.parametrize(
    ("start_ms", "refused"), [(10_000, True), (10_390, True), (10_400, False)]
)
def test_the_echo_of_who_did_not_agree_is_in_no_clip(
    start_ms: int, refused: bool
) -> None:
    """
    Bo's last word may come back by Ana's microphone for as long as echoes take.
    """
    heard = {"ana": [(0, 30_000)], "bo": [(0, 10_000)]}

    if refused:
        with pytest.raises(ClipNotConsented):
            cut(kept_recording(), heard=heard, start_ms=start_ms)
    else:
        clip = cut(kept_recording(), heard=heard, start_ms=start_ms)
        assert clip.stems == (a_voice("ana").stem,)


def test_the_scopes_of_now_count() -> None:
    """
    What is asked is today's consent, not the one that was rendered.
    """
    agreed = kept_recording(voices=(a_voice("ana"), a_voice("bo")))

    clip = cut(agreed, start_ms=14_000, duration_ms=5_000)

    assert clip.stems == (a_voice("ana").stem, a_voice("bo").stem)


def test_it_is_placed_on_the_recording_clock() -> None:
    """
    The file may have lost its start; a clip begins at a tenth of a second, and no
    later than the file ends.
    """
    trimmed = kept_recording(trim_start_ms=10_050)
    late = kept_recording(voices=(a_voice("ana"), a_voice("bo")))

    clip = cut(trimmed, start_ms=2_345, duration_ms=5_000)
    last = cut(late, start_ms=29_000, duration_ms=60_000)

    assert (clip.start_ms, clip.end_ms) == (12_300, 17_300)
    assert last.end_ms == 40_000


@pytest.mark.parametrize(
    ("actor", "fields", "wish", "refused"),
    [
        ("cleo", {}, {}, "not-in-recording"),
        ("nobody", {}, {}, "not-in-recording"),
        ("ana", {"state": RecordingState.FINISHING}, {}, "recording-not-ready"),
        ("ana", {"state": RecordingState.FAILED}, {}, "recording-not-ready"),
        ("ana", {"version": 2}, {}, "recording-not-ready"),
        ("ana", {}, {"version": 2}, "recording-not-ready"),
        ("ana", {"expires_at": NOW}, {}, "recording-not-ready"),
        (
            "ana",
            {"clips": tuple(a_clip("ana", number=n + 1) for n in range(MAX_CLIPS))},
            {},
            "list-full",
        ),
    ],
)
def test_who_cuts_and_when(
    actor: str, fields: dict[str, Any], wish: dict[str, Any], refused: str
) -> None:
    """
    Hosts and those who are heard, of the file that they hear, and not without end.
    """
    with pytest.raises(SpaceError) as error:
        cut(replace(kept_recording(), **fields), actor, **wish)
    assert error.value.code == refused


def test_the_same_wish_again_is_the_same_clip() -> None:
    """
    A client that repeats makes no second one; one that failed is made anew.
    """
    there = a_clip("ana", title="Tea", state=ClipState.PENDING)
    failed = replace(there, state=ClipState.FAILED)

    assert cut(kept_recording(clips=(there,), clips_made=1)).number == 1
    assert cut(kept_recording(clips=(failed,), clips_made=1)).number == 2
    assert cut(kept_recording(clips=(), clips_made=7)).number == 8


@pytest.mark.parametrize(
    ("said", "attempt", "silent_s", "state", "launched"),
    [
        (None, 0, 0, ClipState.PENDING, 1),
        (None, 1, 60, ClipState.PENDING, 1),
        (None, 1, 100, ClipState.PENDING, 2),
        (None, MAX_ATTEMPTS, 100, ClipState.FAILED, MAX_ATTEMPTS),
        (RenderState.DONE, 1, 1, ClipState.READY, 1),
        (RenderState.ERASED, 1, 1, ClipState.FAILED, 1),
    ],
)
def test_a_clip_is_seen_through(
    said: RenderState | None,
    attempt: int,
    silent_s: int,
    state: ClipState,
    launched: int,
) -> None:
    """
    Launched, launched again once it is silent, and at last taken for what it says.
    """
    at = NOW - timedelta(seconds=silent_s) if attempt else None
    clip = a_clip("ana", state=ClipState.PENDING, attempt=attempt, attempted_at=at)
    progress = None
    if said is not None:
        progress = RenderProgress(state=said, percent=0, updated_at_ms=0)

    decision = clipping.look(kept_recording(clips=(clip,)), {1: progress}, now=NOW)

    assert decision.recording is not None
    (after,) = decision.recording.clips
    assert (after.state, after.attempt) == (state, launched)


def _granted(scopes: tuple[ConsentScope, ...] = tuple(ConsentScope)) -> Consent:
    return Consent(
        space_id=SPACE_ID,
        user_id=ANA,
        state=ConsentState.GRANTED,
        scopes=scopes,
        answered_at=NOW,
    )


def _withdrawn(recording: Recording) -> tuple[Recording, tuple[Any, ...]]:
    about = facts("ana", recording=recording, consent=_granted())
    decision = consent.withdraw(about, NOTICE, moment=a_moment())
    return decision.recording, decision.effects


def _without_clips(recording: Recording) -> tuple[Recording, tuple[Any, ...]]:
    about = facts("ana", recording=recording, consent=_granted())
    decision = consent.grant(
        about, ARCHIVE, NOTICE, shown_version=NOTICE_VERSION, moment=a_moment()
    )
    return decision.recording, decision.effects


def _trimmed(recording: Recording) -> tuple[Recording, tuple[Any, ...]]:
    decision = kept.edit(
        a_stage("ana", "bo"),
        recording,
        actor_id=HOST,
        private=None,
        trim_start_ms=2_100,
        now=NOW,
    )
    assert decision.recording is not None
    return decision.recording, decision.effects


def _dropped(recording: Recording) -> tuple[Recording, tuple[Any, ...]]:
    decision = clipping.drop(a_stage(), recording, 1, actor_id=HOST, now=NOW)
    assert decision.recording is not None
    return decision.recording, decision.effects


@pytest.mark.parametrize("act", [_withdrawn, _without_clips, _trimmed, _dropped])
def test_a_clip_goes_with_what_it_is_made_of(act: Any) -> None:
    """
    A yes taken back, clips taken back, its start cut off, or deleted: it is off the
    list, and its objects go at once and twice more; another's clip stays.
    """
    clips = (a_clip("ana"), a_clip("bo", number=2, start_ms=21_000, end_ms=25_000))

    after, effects = act(kept_recording(clips=clips, clips_made=2))

    assert [clip.number for clip in after.clips] == [2]
    erasing = [
        each
        for each in effects
        if isinstance(each, RecordingTask) and each.step is RecordingStep.ERASE_CLIPS
    ]
    assert [(each.at - NOW).total_seconds() for each in erasing] == [0, 60, 900]


def test_the_last_voice_takes_all_clips_along() -> None:
    """
    An erased recording lists none: everything below its name goes.
    """
    alone = kept_recording(voices=(a_voice("ana"),), clips=(a_clip("ana"),))

    after, effects = _withdrawn(alone)

    assert (after.state, after.clips) == (RecordingState.ERASED, ())
    assert RecordingStep.ERASE in {each.step for each in effects}


@pytest.mark.parametrize(("actor", "allowed"), [("bo", False), ("ana", True)])
def test_whoever_made_it_deletes_it(actor: str, allowed: bool) -> None:
    """
    So do hosts; nobody else does.
    """
    recording = kept_recording(clips=(a_clip("ana"),))

    def drop() -> Recording | None:
        return clipping.drop(
            a_stage("ana", "bo"), recording, 1, actor_id=UserId(actor), now=NOW
        ).recording

    if allowed:
        found = drop()
        assert found is not None
        assert found.clips == ()
    else:
        with pytest.raises(NotInRecording):
            drop()


def test_a_job_names_nobody_who_took_clips_back() -> None:
    """
    Should scopes have changed since, the job is told of those who still agree alone.
    """
    clip = a_clip("ana", "bo")

    job = clipping.job_of(kept_recording(clips=(clip,)), clip)

    assert [stem.uid for stem in job.stems] == ["ana"]
