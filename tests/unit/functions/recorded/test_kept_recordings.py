"""Recordings that are over: played, trimmed, private, deleted, and who is told."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from spaces.domain.effects import TellWebhooks
from spaces.domain.webhook import Endpoint
from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingId
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.builders import HOST, SPACE_ID
from tests.recorded_world import (
    CONSENT,
    OF_SPACE,
    ONE,
    YES,
    end,
    get,
    put,
    ready,
    rendered,
    requested,
    state,
    work,
)
from tests.recording_fakes import PLAYBACK_SECRET
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of


def test_the_host_is_told_that_a_version_is_superseded(world: World) -> None:
    """
    A push says that copies of the old version are to go.
    """
    ready(world, "ana", "bo")
    world.call("DELETE", CONSENT, as_user="ana")

    work(world)

    told = [name for name in world.effects.names if "recording_superseded-2" in name]
    assert len(told) == 1


def test_operators_servers_are_told_of_each_version(world: World) -> None:
    """
    `recording.ready`, then `recording.superseded`, then ready again: by webhook, with
    the version that it is about.
    """
    ready(world, "ana", "bo")
    world.call("DELETE", CONSENT, as_user="ana")
    rendered(world, version=2)

    told = [
        (each.event, each.version)
        for each in world.effects.tasks.values()
        if isinstance(each, TellWebhooks)
    ]
    assert [each for each in told if each[0].startswith("recording.")] == [
        ("recording.ready", 1),
        ("recording.superseded", 2),
        ("recording.ready", 2),
    ]


def test_playback_urls_are_signed_for_15_minutes(world: World) -> None:
    """
    Each URL carries path and expiry under a signature that others cannot make.
    """
    ready(world, "ana")

    url = urlsplit(get(world, f"{ONE}/playback", "listener")["audio_url"])

    query = parse_qs(url.query)
    expires = int(query["expires"][0])
    limit = world.clock() + timedelta(minutes=15)
    assert world.clock().timestamp() < expires <= limit.timestamp()
    signed = f"{url.path}\n{expires}".encode()
    digest = hmac.digest(PLAYBACK_SECRET.encode(), signed, "sha256")
    assert query["signature"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]


def test_a_private_recording(world: World) -> None:
    """
    For hosts and for those who are in it; a listener is refused.
    """
    ready(world, "ana")
    private = world.call("PATCH", ONE, as_user=HOST, json={"private": True})
    assert private.get_json()["private"] is True

    def play(user: str) -> TestResponse:
        return world.call("GET", f"{ONE}/playback", as_user=user)

    assert [play(user).status_code for user in (HOST, "ana")] == [200, 200]
    assert code_of(play("listener")) == "recording-private"


def test_whom_the_host_has_blocked(world: World) -> None:
    """
    They cannot listen afterwards either; with a voice in it of their own they can.
    """
    ready(world, "ana")
    for user in ("ana", "listener"):
        world.database.blocks.add((HOST, UserId(user)))

    def play(user: str) -> TestResponse:
        return world.call("GET", f"{ONE}/playback", as_user=user)

    assert code_of(play("listener")) == "blocked"
    assert play("ana").status_code == 200


def test_a_trimmed_start_is_another_version(world: World) -> None:
    """
    The render is told, and what was there before is not played meanwhile.
    """
    ready(world, "ana")

    world.call("PATCH", ONE, as_user=HOST, json={"trim_start_ms": 5_000})

    assert state(world) == "finishing"
    rendered(world, version=2)
    assert world.recording.objects.jobs[-1].trim_start_ms == 5_000
    assert get(world, f"{ONE}/playback", "listener")["version"] == 2


def test_a_deleted_recording(world: World) -> None:
    """
    Everything in both stores is erased; the people's receipts stay.
    """
    ready(world, "ana")

    assert world.call("DELETE", ONE, as_user=HOST).status_code == 204
    work(world)

    assert state(world) == "erased"
    assert world.recording.objects.erased == [RecordingId(SPACE_ID)]
    assert code_of(world.call("GET", f"{ONE}/playback", as_user=HOST)) == (
        "recording-not-ready"
    )


def test_a_recording_is_gone_after_30_days(world: World) -> None:
    """
    Tasks hop to its last day, and it is not played a moment longer.
    """
    ready(world, "ana")
    world.clock.advance(29 * 86_400)
    work(world)
    assert state(world) == "ready"
    world.clock.advance(86_400 + 1)

    late = world.call("GET", f"{ONE}/playback", as_user=HOST)
    work(world)

    assert code_of(late) == "recording-not-ready"
    assert state(world) == "erased"
    assert world.recording.objects.erased == [RecordingId(SPACE_ID)]


def test_progress_is_seen(world: World) -> None:
    """
    While it renders, everybody sees how far it is.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    end(world)
    ms = int(world.clock().timestamp() * 1000)
    world.recording.objects.said[1] = RenderProgress(
        state=RenderState.RENDERING, percent=40, updated_at_ms=ms
    )

    assert get(world, OF_SPACE, "listener")["progress_percent"] == 40


def test_a_killed_render_is_launched_again(world: World) -> None:
    """
    A job that says nothing for a while gets a successor, of the same version.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    end(world)
    for _ in range(30):
        world.clock.advance(5)
        work(world)

    renders = [each for each in world.launcher.launched if each.kind == "render"]
    assert [(each.epoch, each.index) for each in renders] == [(1, 1), (1, 2)]


def test_an_unknown_recording(world: World) -> None:
    """
    An id that is none is not found, like a Space that was never recorded.
    """
    for path in ("/v1/recordings/../etc", "/v1/recordings/nothing", ONE):
        answer = world.call("GET", path, as_user="ana")
        assert answer.status_code == 404
    assert get(world, f"/v1/recordings?space_id={SPACE_ID}", "ana") == {
        "recordings": []
    }


def test_superseded_is_delivered_signed_and_again_until_taken(world: World) -> None:
    """
    The operator's server is told by a signed webhook which version counts from now on;
    one that does not answer at first gets the very same message, under the same id.
    """
    hook = Endpoint(
        url="https://ops.example/hook",
        secret=b"s" * 24,
        events=frozenset({"recording.superseded"}),
    )
    ready(world, "ana", "bo")
    world.webhook_endpoints.append(hook)
    world.webhook_receiver.status = 503
    world.call("DELETE", CONSENT, as_user="ana")
    work(world)
    SimulatedQueue(world).run_until(world.clock() + timedelta(minutes=1))
    refused = len(world.webhook_receiver.got)
    world.webhook_receiver.status = 204
    SimulatedQueue(world).run_until(world.clock() + timedelta(hours=2))

    assert refused >= 1
    tries = world.webhook_receiver.got
    assert len({headers["webhook-id"] for _, _, headers in tries}) == 1
    _, body, headers = tries[-1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(hook.secret, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    message = json.loads(body)
    assert message["type"] == "recording.superseded"
    assert message["data"]["recording"]["version"] == 2
