"""A Space that is recorded, seen from its API: calls, tasks, and a finished render."""

from typing import Any

from spaces.domain.effects import RecordingTask
from spaces.domain.notice import NOTICE_VERSION
from spaces_contract.recording import StemId
from spaces_contract.recording_render import RenderProgress, RenderState
from spaces_contract.roles import Role
from tests.builders import HOST, SPACE_ID, a_participant, a_profile, a_space
from tests.recording_builders import CLIP_WISH, HEARD, a_manifest
from tests.world import World

OF_SPACE = f"/v1/spaces/{SPACE_ID}/recording"
CONSENT = f"{OF_SPACE}/consent"
ONE = f"/v1/recordings/{SPACE_ID}"
CLIPS = f"{ONE}/clips"
SPEAKERS = ("ana", "bo", "cleo")
YES = {"granted": True, "notice_version": NOTICE_VERSION}
NO = {"granted": False}


def a_stage_of_three() -> World:
    """Return a deployment with a live Space: its host, three speakers, a listener."""
    world = World()
    world.database.put_space(a_space(speaker_ids=SPEAKERS))
    for user_id in (HOST, *SPEAKERS, "listener"):
        world.database.put_profile(a_profile(user_id))
    world.database.put_member(SPACE_ID, a_participant(HOST, Role.HOST))
    for user_id in SPEAKERS:
        world.database.put_member(SPACE_ID, a_participant(user_id, Role.SPEAKER))
    world.database.put_member(SPACE_ID, a_participant("listener"))
    return world


def put(world: World, path: str, user: str, body: dict[str, Any]) -> Any:
    """PUT and return the JSON answer of a success."""
    answer = world.call("PUT", path, as_user=user, json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def get(world: World, path: str, user: str) -> Any:
    """GET and return the JSON answer of a success."""
    answer = world.call("GET", path, as_user=user)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def requested(world: World) -> None:
    """Have the host request a recording."""
    put(world, OF_SPACE, HOST, {"requested": True})


def work(world: World) -> None:
    """Do all recording tasks that are due, once each, in the order of their times."""
    done: set[str] = set()
    while due := [
        effect
        for effect in world.effects.tasks.values()
        if isinstance(effect, RecordingTask)
        and effect.name not in done
        and effect.at <= world.clock()
    ]:
        effect = min(due, key=lambda each: each.at)
        done.add(effect.name)
        del world.effects.tasks[effect.name]
        body = {"space_id": SPACE_ID, "version": effect.version, "n": effect.n}
        answer = world.task(f"recording-{effect.step.value}", body)
        assert answer.status_code == 204


def lose_tasks(world: World) -> None:
    """Let the queue forget all that it was to do for recordings."""
    for effect in list(world.effects.tasks.values()):
        if isinstance(effect, RecordingTask):
            del world.effects.tasks[effect.name]


def sweep(world: World) -> None:
    """Sweep twice, as a minute apart, and do what comes of it."""
    for _ in range(2):
        assert world.task("sweep", {}).status_code == 204
        work(world)


def end(world: World) -> None:
    """End the Space, and let its watchdog see that."""
    world.call("POST", f"/v1/spaces/{SPACE_ID}/end", as_user=HOST)
    world.task("watchdog", {"space_id": SPACE_ID, "epoch": 1, "n": 1})


def rendered(world: World, version: int = 1) -> None:
    """Let the render job of `version` be launched, and be done."""
    world.clock.advance(20)
    work(world)
    ms = int(world.clock().timestamp() * 1000)
    world.recording.objects.said[version] = RenderProgress(
        state=RenderState.DONE, percent=100, updated_at_ms=ms, duration_ms=90_000
    )
    world.clock.advance(5)
    work(world)


def ready(world: World, *consenting: str) -> None:
    """Record these people to the end, and render version 1."""
    requested(world)
    for user in consenting:
        put(world, CONSENT, user, YES)
    end(world)
    rendered(world)


def clippable() -> World:
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


def make_clip(world: World, user: str = "ana", **changes: Any) -> Any:
    """POST a clip; return the answer."""
    return world.call("POST", CLIPS, as_user=user, json=CLIP_WISH | changes)


def clip_made(world: World) -> None:
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


def state(world: World) -> str:
    """Return the recording's state, as everybody sees it."""
    space = get(world, f"/v1/spaces/{SPACE_ID}", HOST)
    seen: str = get(world, OF_SPACE, "listener")["state"]
    assert space["recording_state"] == seen
    return seen
