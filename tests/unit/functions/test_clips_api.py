"""Clips over the API: from the wish to the shared file, and whom it is refused."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.builders import HOST
from tests.recorded_world import (
    CLIPS,
    CONSENT,
    ONE,
    clip_made,
    clippable,
    get,
    make_clip,
    work,
)
from tests.world import World, code_of


@pytest.fixture
def ready() -> World:
    """Return a world with a ready recording of Ana and Bo; Ana agreed to clips."""
    return clippable()


def test_a_clip_without_a_manifest_has_no_url_of_one(ready: World) -> None:
    """
    Those that were made before clips had manifests are heard as ever.
    """
    make_clip(ready)
    clip_made(ready)
    ready.recording.objects.proved_clips.clear()

    playback = get(ready, f"{CLIPS}/1/playback", "listener")

    assert playback["manifest_url"] is None
    assert urlsplit(playback["audio_url"]).path.endswith("/clips/1/clip.m4a")


def test_from_wish_to_share(ready: World) -> None:
    """
    Pending, launched with the voice that agreed and no other, ready, and then anybody
    who may hear the recording hears it, for a quarter of an hour.
    """
    answer = make_clip(ready)
    assert (answer.status_code, answer.get_json()["state"]) == (201, "pending")
    assert answer.headers["Location"].endswith(f"{CLIPS}/1")
    early = ready.call("GET", f"{CLIPS}/1/playback", as_user="listener")
    assert (early.status_code, code_of(early)) == (409, "clip-not-ready")
    clip_made(ready)

    (job,) = {job.number: job for job in ready.recording.objects.clip_jobs}.values()
    assert [stem.uid for stem in job.stems] == ["ana"]
    (clip,) = get(ready, CLIPS, "listener")["clips"]
    assert (clip["id"], clip["state"], clip["title"]) == ("1", "ready", "Tea")
    playback = get(ready, f"{CLIPS}/1/playback", "listener")
    assert urlsplit(playback["audio_url"]).path.endswith("/clips/1/clip.m4a")
    assert urlsplit(playback["manifest_url"]).path.endswith("/clips/1/manifest.json")
    expires = playback["expires_at"]
    assert expires == get(ready, f"{ONE}/playback", "listener")["expires_at"]


@pytest.mark.parametrize("title", ["", "\u200b\u3164"])
def test_a_title_that_nobody_can_see_is_none(ready: World, title: str) -> None:
    """
    A clip has a title that shows, or none.
    """
    answer = make_clip(ready, title=title)

    assert (answer.status_code, answer.get_json()["title"]) == (201, None)


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
    answer = make_clip(ready, user, **changes)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert '"bo"' not in answer.text


def test_a_withdrawal_silences_clips_at_once(ready: World) -> None:
    """
    Off the list and without a URL before anything is rendered anew; then deleted.
    """
    make_clip(ready)
    clip_made(ready)

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
    make_clip(ready)
    clip_made(ready)
    ready.call("PATCH", ONE, as_user=HOST, json={"private": True})

    for path in (CLIPS, f"{CLIPS}/1/playback"):
        refused = ready.call("GET", path, as_user="listener")
        assert (refused.status_code, code_of(refused)) == (403, "recording-private")
    assert get(ready, CLIPS, "ana")["clips"]


def test_deleting_is_for_its_maker_and_hosts(ready: World) -> None:
    """
    Deleted, its number is not used again.
    """
    make_clip(ready)

    refused = ready.call("DELETE", f"{CLIPS}/1", as_user="bo")
    done = ready.call("DELETE", f"{CLIPS}/1", as_user="ana")
    again = ready.call("DELETE", f"{CLIPS}/x", as_user="ana")

    assert (refused.status_code, done.status_code) == (403, 204)
    assert (again.status_code, code_of(again)) == (404, "clip-not-found")
    assert make_clip(ready).get_json()["id"] == "2"
