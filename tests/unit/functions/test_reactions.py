"""Reactions reach the worker in batches, by grants alone, and are never stored."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from spaces.domain.token_bucket import RateLimit
from spaces.http.rate_limits import DEFAULT_LIMITS, Scope
from spaces.http.reactions import ReactionBody
from spaces.service.errors import WorkerUnreachable
from spaces.service.reactions import BATCH_EVERY_S
from spaces_contract.ids import UserId
from spaces_contract.reactions import (
    EMOJIS,
    MAX_BATCH,
    Reaction,
    from_body,
    to_body,
)
from tests.builders import NOW, SPACE_ID, a_grant, a_runtime, a_space
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}/reactions"


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space and its worker."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    return world


def react(world: World, user: str, emoji: str = "👏", **grant: Any) -> TestResponse:
    """React by a grant of the first epoch."""
    token = world.signer.sign_grant(a_grant(user, **grant))
    headers = {"Authorization": f"Bearer {token}"}
    return world.call("POST", PATH, json={"emoji": emoji}, headers=headers)


def batches(world: World) -> list[dict[tuple[str, str], int]]:
    """Return what the worker was sent."""
    return [{(r.uid, r.emoji): r.count for r in b} for b in world.workers.reactions]


def test_a_reaction_is_sent_at_once(live: World) -> None:
    """
    Also by a grant that has expired, and by an anonymous listener.
    """
    first = react(live, "ana", "🔥", expires_at_s=int(NOW.timestamp()) - 1)
    live.clock.advance(BATCH_EVERY_S)
    second = react(live, "~bo", anonymous=True)

    assert (first.status_code, second.status_code) == (204, 204)
    assert batches(live) == [{("ana", "🔥"): 1}, {("~bo", "👏"): 1}]


@contextmanager
def sleeping_leader(world: World) -> Iterator[threading.Event]:
    """Let the next one who has to wait for the batch wait for the event."""
    asleep, wake = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        assert wake.wait(60)
        world.clock.advance(seconds)

    object.__setattr__(world.reacting, "sleep", sleep)
    leader = threading.Thread(target=react, args=(world, "leader"))
    leader.start()
    assert asleep.wait(60)
    yield wake
    wake.set()
    leader.join(60)


def test_a_crowd_rides_along(live: World) -> None:
    """
    Soon after a batch one waits for the next and takes all others along, who are
    answered at once.
    """
    react(live, "ana")
    with sleeping_leader(live):
        for user in ("bo", "bo", "cy"):
            assert react(live, user).status_code == 204
        assert len(live.workers.reactions) == 1

    crowd = {("leader", "👏"): 1, ("bo", "👏"): 2, ("cy", "👏"): 1}
    assert batches(live) == [{("ana", "👏"): 1}, crowd]


def test_a_large_crowd_comes_in_batches_that_a_worker_reads(live: World) -> None:
    """
    Nobody is left out where there are more than fit one call.
    """
    react(live, "ana")
    with sleeping_leader(live):
        for n in range(MAX_BATCH + 5):
            react(live, f"u{n}")
    sizes = [len(batch) for batch in live.workers.reactions]

    assert sum(sizes) == 1 + 1 + MAX_BATCH + 5
    assert max(sizes) == MAX_BATCH


def test_one_person_reacts_no_more_often_than_allowed(live: World) -> None:
    """
    Each in each Space by themselves.
    """
    live.limits[Scope.REACT] = RateLimit(burst=2, per_s=1)
    answers = [react(live, "ana").status_code for _ in range(3)]

    assert answers == [204, 204, 429]
    assert react(live, "bo").status_code == 204


def test_by_default_ten_at_once_and_two_a_second(live: World) -> None:
    """
    Of one person in one Space.
    """
    live.limits[Scope.REACT] = DEFAULT_LIMITS[Scope.REACT]
    object.__setattr__(live.reacting, "sleep", lambda _: None)
    at_once = [react(live, "ana").status_code for _ in range(11)]
    live.clock.advance(1)
    later = [react(live, "ana").status_code for _ in range(3)]

    assert at_once == [204] * 10 + [429]
    assert later == [204, 204, 429]


def test_a_worker_is_called_twice_a_second_at_most(live: World) -> None:
    """
    By one instance, however many react.
    """
    began = live.clock()
    for n in range(10):
        react(live, f"u{n}")
        live.clock.advance(0.01)
    elapsed_s = (live.clock() - began).total_seconds()

    assert 1 < len(live.workers.reactions) <= 2 * elapsed_s + 1


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        ({"space_id": "2Space2Space2"}, "grant-for-other-space"),
        ({"epoch": 2}, "stale-grant"),
    ],
)
def test_whom_the_worker_does_not_serve(
    live: World, grant: dict[str, Any], code: str
) -> None:
    """
    A grant of another Space or epoch is refused, as for media.
    """
    assert code_of(react(live, "ana", **grant)) == code


def test_no_grant_no_reaction(live: World) -> None:
    """
    Neither without a token, nor for what is no reaction.
    """
    anonymous = live.call("POST", PATH, json={"emoji": "👏"})

    assert code_of(anonymous) == "grant-missing"
    assert code_of(react(live, "ana", "🍆")) == "invalid-field"


def test_a_worker_that_is_not_there_is_told(live: World) -> None:
    """
    The one who sends learns of it, and the next one tries anew.
    """
    live.workers.error = WorkerUnreachable()
    refused = react(live, "ana")
    live.workers.error = None
    live.clock.advance(BATCH_EVERY_S)
    react(live, "bo")

    assert code_of(refused) == "worker-unreachable"
    assert batches(live) == [{("bo", "👏"): 1}]


def test_the_document_names_all_emojis() -> None:
    """
    What the API takes is what the contract has.
    """
    schema = ReactionBody.model_json_schema()

    assert tuple(schema["properties"]["emoji"]["enum"]) == EMOJIS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"reactions": 1}',
        b'{"reactions": [1]}',
        b'{"reactions": [{"uid": "ana", "emoji": "x", "count": 1}]}',
        b'{"reactions": [{"uid": "ana", "emoji": [], "count": 1}]}',
        '{"reactions": [{"uid": "ana", "emoji": "👏", "count": true}]}'.encode(),
        '{"reactions": [{"uid": "ana", "emoji": "👏", "count": 0}]}'.encode(),
        '{"reactions": [{"uid": "ana", "emoji": "👏"}]}'.encode(),
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:60]),
)
def test_what_is_no_batch(body: bytes) -> None:
    """
    It is refused by one kind of error, whatever is wrong.
    """
    with pytest.raises(ValueError, match=r"."):
        from_body(body)


def test_a_batch_arrives_as_it_was_sent() -> None:
    """
    And the largest is no larger than a worker reads.
    """
    batch = [
        Reaction(uid=UserId(f"{n:0128}"), emoji="💯", count=1_000)
        for n in range(MAX_BATCH)
    ]

    assert from_body(to_body(batch)) == batch
    assert len(to_body(batch)) <= 32 * 1024
