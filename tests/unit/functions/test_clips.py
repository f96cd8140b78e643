"""Clips: where one may be made, who hears it, and what takes it away again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

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
from spaces_contract.recording import ConsentScope, RecordingState, StemId
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.builders import HOST, NOW, SPACE_ID
from tests.recorded_world import (
    CONSENT,
    NO,
    ONE,
    YES,
    a_stage_of_three,
    end,
    get,
    put,
    rendered,
    requested,
    work,
)
from tests.recording_builders import (
    ARCHIVE,
    NOTICE,
    a_manifest,
    a_moment,
    a_recording,
    a_stage,
    a_voice,
    facts,
)
from tests.world import World, code_of

CLIPS = f"{ONE}/clips"
ANA, BO = UserId("ana"), UserId("bo")
# Ana is heard from 0 to 20 s, Bo from 15 to 30 s; the file is of 40 s.
HEARD = {"ana": [(0, 20_000)], "bo": [(15_000, 30_000)]}
WISH: dict[str, Any] = {
    "version": 1,
    "start_ms": 2_000,
    "duration_ms": 5_000,
    "title": "Tea",
}


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
    fields = {k: v for k, v in WISH.items() if k != "version"} | wish
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


@pytest.fixture
def ready() -> World:
    """Return a world with a ready recording of Ana and Bo; Ana agreed to clips."""
    world = a_stage_of_three()
    requested(world)
    put(world, CONSENT, "ana", YES | {"scopes": ["archive", "clips"]})
    put(world, CONSENT, "bo", YES)
    put(world, CONSENT, "cleo", NO)
    end(world)
    rendered(world)
    voices = world.recording.objects.jobs[-1].stems
    world.recording.objects.manifests[1] = a_manifest(
        HEARD,
        version=1,
        duration_ms=90_000,
        stems={stem.uid: StemId(stem.stem) for stem in voices},
    )
    return world


def make(world: World, user: str = "ana", **changes: Any) -> Any:
    """POST a clip; return the answer."""
    return world.call("POST", CLIPS, as_user=user, json=WISH | changes)


def made(world: World) -> None:
    """Let the clip that is due be made."""
    world.clock.advance(6)
    work(world)
    ms = int(world.clock().timestamp() * 1000)
    world.recording.objects.said_of_clips[1] = RenderProgress(
        state=RenderState.DONE, percent=100, updated_at_ms=ms
    )
    world.recording.objects.proved_clips.add(1)
    world.clock.advance(6)
    work(world)


def test_a_clip_without_a_manifest_has_no_url_of_one(ready: World) -> None:
    """
    Those that were made before clips had manifests are heard as ever.
    """
    make(ready)
    made(ready)
    ready.recording.objects.proved_clips.clear()

    playback = get(ready, f"{CLIPS}/1/playback", "listener")

    assert playback["manifest_url"] is None
    assert urlsplit(playback["audio_url"]).path.endswith("/clips/1/clip.m4a")


def test_from_wish_to_share(ready: World) -> None:
    """
    Pending, launched with the voice that agreed and no other, ready, and then anybody
    who may hear the recording hears it, for a quarter of an hour.
    """
    answer = make(ready)
    assert (answer.status_code, answer.get_json()["state"]) == (201, "pending")
    assert answer.headers["Location"].endswith(f"{CLIPS}/1")
    early = ready.call("GET", f"{CLIPS}/1/playback", as_user="listener")
    assert (early.status_code, code_of(early)) == (409, "clip-not-ready")
    made(ready)

    (job,) = {job.number: job for job in ready.recording.objects.clip_jobs}.values()
    assert [stem.uid for stem in job.stems] == ["ana"]
    (clip,) = get(ready, CLIPS, "listener")["clips"]
    assert (clip["id"], clip["state"], clip["title"]) == ("1", "ready", "Tea")
    playback = get(ready, f"{CLIPS}/1/playback", "listener")
    assert urlsplit(playback["audio_url"]).path.endswith("/clips/1/clip.m4a")
    assert urlsplit(playback["manifest_url"]).path.endswith("/clips/1/manifest.json")
    expires = playback["expires_at"]
    assert expires == get(ready, f"{ONE}/playback", "listener")["expires_at"]


@pytest.mark.parametrize(
    ("user", "changes", "status", "code"),
    [
        ("ana", {"duration_ms": 60_001}, 422, "invalid-field"),
        ("ana", {"duration_ms": 0}, 422, "invalid-field"),
        ("ana", {"start_ms": -1}, 422, "invalid-field"),
        ("ana", {"start_ms": True}, 422, "invalid-field"),
        ("ana", {"title": "x" * 71}, 422, "invalid-field"),
        ("ana", {"whole": True}, 422, "unknown-field"),
        ("ana", {"start_ms": 16_000}, 409, "clip-not-consented"),
        ("ana", {"start_ms": 80_000}, 409, "nothing-to-clip"),
        ("ana", {"version": 2}, 409, "recording-not-ready"),
        ("cleo", {}, 403, "not-in-recording"),
        ("listener", {}, 403, "not-in-recording"),
    ],
)
def test_what_is_refused_is_said_plainly(
    ready: World, user: str, changes: dict[str, Any], status: int, code: str
) -> None:
    """
    Each has a status and a type of its own; nobody who did not agree is named.
    """
    answer = make(ready, user, **changes)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert '"bo"' not in answer.text


def test_a_withdrawal_silences_clips_at_once(ready: World) -> None:
    """
    Off the list and without a URL before anything is rendered anew; then deleted.
    """
    make(ready)
    made(ready)

    ready.call("DELETE", CONSENT, as_user="ana")

    assert get(ready, CLIPS, "bo")["clips"] == []
    gone = ready.call("GET", f"{CLIPS}/1/playback", as_user="bo")
    assert (gone.status_code, code_of(gone)) == (404, "clip-not-found")
    work(ready)
    assert ready.recording.objects.erased_clips == {1}


def test_a_private_recording_has_private_clips(ready: World) -> None:
    """
    Who may not hear the whole may not hear a part.
    """
    make(ready)
    made(ready)
    ready.call("PATCH", ONE, as_user=HOST, json={"private": True})

    for path in (CLIPS, f"{CLIPS}/1/playback"):
        refused = ready.call("GET", path, as_user="listener")
        assert (refused.status_code, code_of(refused)) == (403, "recording-private")
    assert get(ready, CLIPS, "ana")["clips"]


def test_deleting_is_for_its_maker_and_hosts(ready: World) -> None:
    """
    Deleted, its number is not used again.
    """
    make(ready)

    refused = ready.call("DELETE", f"{CLIPS}/1", as_user="bo")
    done = ready.call("DELETE", f"{CLIPS}/1", as_user="ana")
    again = ready.call("DELETE", f"{CLIPS}/x", as_user="ana")

    assert (refused.status_code, done.status_code) == (403, 204)
    assert (again.status_code, code_of(again)) == (404, "clip-not-found")
    assert make(ready).get_json()["id"] == "2"
