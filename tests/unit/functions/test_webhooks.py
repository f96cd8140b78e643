"""Operators' servers learn what happened: signed, under ids that never change."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from spaces.domain.webhook import Endpoint
from spaces.environment import ConfigError, EnvironmentReader
from spaces.webhook_config import read_webhooks
from tests.builders import HOST, NOW, a_profile
from tests.simulated_queue import SimulatedQueue
from tests.world import World

ALL = Endpoint(url="https://ops.example/hook", secret=b"s" * 24)
ENDS = Endpoint(
    url="https://ends.example/", secret=b"t" * 24, events=frozenset({"space.ended"})
)


@pytest.fixture
def told(world: World) -> World:
    """Return a world with two endpoints, of which one wants ends alone."""
    world.webhook_endpoints += [ALL, ENDS]
    world.database.put_profile(a_profile(HOST))
    return world


def space(world: World, **body: Any) -> str:
    """Create a Space; return its path."""
    made = world.call("POST", "/v1/spaces", as_user=HOST, json=body)
    return f"/v1/spaces/{made.get_json()['id']}"


def deliver(world: World, minutes: float = 1, *, twice: bool = False) -> None:
    """Let the queue work for a while."""
    SimulatedQueue(world).run_until(
        world.clock() + timedelta(minutes=minutes), twice=twice
    )


def sent(world: World, endpoint: Endpoint = ALL) -> Counter[str]:
    """Return how often an endpoint got each type of event, each id counted once."""
    got = {
        headers["webhook-id"]: json.loads(body)["type"]
        for url, body, headers in world.webhook_receiver.got
        if url == endpoint.url
    }
    return Counter(got.values())


def test_a_space_is_told_from_beginning_to_end(told: World) -> None:
    """
    Created, scheduled, moved, started, ended: each under one id, whatever comes twice.
    """
    start = NOW + timedelta(days=1)
    path = space(told, scheduled_start=start.isoformat())
    later = {"scheduled_start": (start + timedelta(hours=1)).isoformat()}
    told.call("PATCH", path, as_user=HOST, json=later)
    for what in ("start", "end", "end"):
        told.call("POST", f"{path}/{what}", as_user=HOST)
    deliver(told, twice=True)

    assert sent(told) == {
        "space.created": 1,
        "space.scheduled": 2,
        "space.started": 1,
        "space.ended": 1,
    }
    assert sent(told, ENDS) == {"space.ended": 1}


def test_a_space_called_off_is_told(told: World) -> None:
    """
    Also one that nobody came to start.
    """
    path = space(told)
    told.call("DELETE", path, as_user=HOST)
    space(told, scheduled_start=(NOW + timedelta(hours=1)).isoformat())
    deliver(told, minutes=120)

    assert sent(told)["space.cancelled"] == 2


def test_a_delivery_can_be_verified(told: World) -> None:
    """
    As Standard Webhooks says: HMAC-SHA256 of id, timestamp and body.
    """
    path = space(told, title="Tea")
    deliver(told)
    (_, body, headers), *_ = told.webhook_receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.new(ALL.secret, signed, hashlib.sha256).digest()
    message = json.loads(body)

    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert int(headers["webhook-timestamp"]) >= NOW.timestamp()
    assert message["data"]["space"]["title"] == "Tea"
    assert message["data"]["space"]["url"].endswith(path.rsplit("/", 1)[1])


def test_what_was_not_taken_comes_again(told: World) -> None:
    """
    Under the same id, until the receiver takes it, and not for ever.
    """
    space(told)
    queue = SimulatedQueue(told)
    told.webhook_receiver.status = 500
    queue.run_until(NOW + timedelta(minutes=1))
    tries = len(told.webhook_receiver.got)
    told.webhook_receiver.status = 204
    queue.run_until(NOW + timedelta(minutes=2))
    ids = {headers["webhook-id"] for _, _, headers in told.webhook_receiver.got}

    assert tries > 1
    assert (len(told.webhook_receiver.got), len(ids)) == (tries + 1, 1)
    told.webhook_receiver.got.clear()
    queue.run_until(NOW + timedelta(days=1))
    assert told.webhook_receiver.got == []


@pytest.mark.parametrize(("status", "hours"), [(410, 0), (500, 25)])
def test_what_is_not_wanted_is_given_up(told: World, status: int, hours: int) -> None:
    """
    At once where the receiver says that it is gone, else after a day.
    """
    space(told)
    told.webhook_receiver.status = status
    told.clock.advance(hours * 3600)
    deliver(told)

    assert len(told.webhook_receiver.got) <= 1


def test_without_endpoints_nothing_is_asked_for(world: World) -> None:
    """
    Neither a task nor a document more than before.
    """
    path = space(world)
    for what in ("start", "end"):
        world.call("POST", f"{path}/{what}", as_user=HOST)

    assert [name for name in world.effects.names if name.startswith("event")] == []


SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()


def read(*entries: dict[str, Any], production: bool = True) -> tuple[Endpoint, ...]:
    """Read endpoints from an environment; raises ConfigError."""
    reader = EnvironmentReader({"PARLEY_WEBHOOKS": json.dumps(entries)})
    endpoints = read_webhooks(reader, production=production)
    reader.raise_complaints()
    return endpoints


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "ftp://x.example", "secret": SECRET},
        {"url": "https://", "secret": SECRET},
        {"url": "http://x.example", "secret": SECRET},
        {"url": "https://x.example", "secret": "whsec_c2hvcnQ="},
        {"url": "https://x.example", "secret": "whsec_%%%"},
        {"url": "https://x.example", "secret": "plain"},
        {"url": "https://x.example"},
    ],
)
def test_a_wrong_endpoint_is_a_complaint(entry: dict[str, str]) -> None:
    """
    Functions that would tell nobody, in clear, or unsigned, do not start.
    """
    with pytest.raises(ConfigError, match="PARLEY_WEBHOOKS"):
        read(entry)


def test_an_endpoint_is_read() -> None:
    """
    With its secret decoded; on a laptop it may be in clear.
    """
    wanted = ["space.ended"]
    (endpoint,) = read({"url": ALL.url, "secret": SECRET, "events": wanted})
    local = {"url": "http://127.0.0.1:9", "secret": SECRET}

    assert endpoint.secret == b"s" * 24
    assert [endpoint.wants(f"space.{e}") for e in ("ended", "started")] == [True, False]
    assert len(read(local, production=False)) == 1
