"""What recording costs in Firestore: each of its calls and tasks, once."""

from functools import partial
from typing import TYPE_CHECKING

from spaces.domain.notice import NOTICE_VERSION
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.recording_builders import a_manifest
from tests.world import World

if TYPE_CHECKING:  # it calls this
    from tests.billed_calls import Bill

SPACES = "/v1/spaces"


def recorded_calls(bill: "Bill", world: World) -> None:
    """Record, render, clip, play and delete: each call once."""

    def consent(name: str, user: str, body: dict[str, object]) -> None:
        path = f"{recording}/consent"
        bill.call(f"put_consent, {name}", "PUT", path, user, json=body)

    path = _stage_of_two(world)
    recording, one = f"{path}/recording", f"/v1/recordings/{path.rsplit('/', 1)[1]}"
    yes = {"granted": True, "notice_version": NOTICE_VERSION}
    put = "put_space_recording"
    bill.call(f"{put}, request", "PUT", recording, "host", json={"requested": True})
    consent("the first yes", "ana", yes)
    consent("another yes", "bo", yes)
    consent("no", "host", {"granted": False})
    consent("again", "ana", yes)
    pause = {"requested": True, "paused": True}
    bill.call(f"{put}, pause", "PUT", recording, "host", json=pause)
    bill.call("get_space_recording", "GET", recording, "host")
    bill.call("get_consent", "GET", f"{recording}/consent", "ana")
    bill.call("withdraw_consent", "DELETE", f"{recording}/consent", "ana")
    bill.call("list_receipts, of one", "GET", "/v1/me/receipts", "bo")
    _recording_tasks(bill, world, path, ("ask", "erase-stems"))
    bill.call(f"{put}, stop", "PUT", recording, "host", json={"requested": False})
    _rendering(bill, world, path)
    listed = f"/v1/recordings?space_id={path.rsplit('/', 1)[1]}"
    bill.call("list_recordings", "GET", listed, "ana")
    bill.call("get_recording", "GET", one, "ana")
    bill.call("get_playback, in it", "GET", f"{one}/playback", "bo")
    bill.call("get_playback", "GET", f"{one}/playback", "ana")
    _clips(bill, world, one)
    edit = {"private": True}
    bill.call("edit_recording, private", "PATCH", one, "host", json=edit)
    bill.call("delete_recording", "DELETE", one, "host")
    _recording_tasks(bill, world, path, ("erase", "tell"))
    bill.call("get_proof_keys", "GET", "/.well-known/parley-keys.json", "ana")


def _clips(bill: "Bill", world: World, one: str) -> None:
    """Make, hear and delete a clip; Bo, who hears all of it, agreed to clips."""
    space_id = one.rsplit("/", 1)[1]
    path = f"/v1/spaces/{space_id}/recording/consent"
    yes = {"granted": True, "notice_version": NOTICE_VERSION}
    both = yes | {"scopes": ["archive", "clips"]}
    bill.call("put_consent, another scope", "PUT", path, "bo", json=both)
    (stem,) = world.recording.objects.jobs[-1].stems
    manifest = a_manifest(
        {"bo": [(0, 9_000)]}, version=2, duration_ms=9_000, stems={"bo": stem.stem}
    )
    world.recording.objects.manifests[2] = manifest
    wish = {"version": 2, "start_ms": 0, "duration_ms": 5_000}
    bill.call("make_clip", "POST", f"{one}/clips", "bo", json=wish)
    task = partial(world.task, "recording-clip", {"space_id": space_id, "version": 2})
    bill.noted("task recording-clip, launch", task)
    world.recording.objects.said_of_clips[1] = RenderProgress(
        state=RenderState.DONE, percent=100, updated_at_ms=0
    )
    bill.noted("task recording-clip, done", task)
    bill.call("list_clips", "GET", f"{one}/clips", "ana")
    bill.call("get_clip_playback, in it", "GET", f"{one}/clips/1/playback", "bo")
    bill.call("delete_clip", "DELETE", f"{one}/clips/1", "bo")
    about = {"space_id": space_id, "version": 2}
    erase = partial(world.task, "recording-erase-clips", about)
    bill.noted("task recording-erase-clips", erase)


def _stage_of_two(world: World) -> str:
    body = {"speaker_policy": "everyone"}
    made = world.call("POST", SPACES, as_user="host", json=body)
    path = f"{SPACES}/{made.get_json()['id']}"
    world.call("POST", f"{path}/start", as_user="host")
    for user in ("ana", "bo"):
        world.call("POST", f"{path}/join", as_user=user, json={"role": "speaker"})
    return path


def _recording_tasks(
    bill: "Bill", world: World, path: str, steps: tuple[str, ...], suffix: str = ""
) -> None:
    about = {"space_id": path.rsplit("/", 1)[1], "version": 2}
    for step in steps:
        name = f"recording-{step}"
        bill.noted(f"task {name}{suffix}", partial(world.task, name, about))


def _rendering(bill: "Bill", world: World, path: str) -> None:
    _recording_tasks(bill, world, path, ("render",), ", launch")
    _recording_tasks(bill, world, path, ("render",), ", wait")
    ms = int(world.clock().timestamp() * 1000)
    world.recording.objects.said[2] = RenderProgress(
        state=RenderState.DONE, percent=100, updated_at_ms=ms
    )
    _recording_tasks(bill, world, path, ("render",), ", done")
    _recording_tasks(bill, world, path, ("expire",), ", not yet")
