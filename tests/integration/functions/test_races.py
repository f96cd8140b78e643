"""What happens when people really do things at the same time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from spaces.adapters.clock import random_token
from spaces_contract.roles import MAX_SPEAKERS
from tests.world import World

ROUNDS = 5


def at_once(calls: Sequence[Callable[[], int]]) -> list[int]:
    """Do all calls at the same instant, each in its thread; return their statuses."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], int]) -> int:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class Party:
    """A live Space, a host, and as many accounts as are needed."""

    def __init__(self, world: World, people: int, policy: str = "everyone") -> None:
        self._world = world
        names = [random_token()[:12].replace("-", "_") for _ in range(people + 1)]
        for name in names:
            person = {"handle": name, "display_name": name}
            world.call("PUT", "/v1/me", as_user=name, json=person)
        self.host, *self.people = names
        made = world.call(
            "POST", "/v1/spaces", as_user=self.host, json={"speaker_policy": policy}
        )
        self.path = f"/v1/spaces/{made.get_json()['id']}"
        self.post("start", self.host)

    def post(self, what: str, user: str, **body: object) -> int:
        """POST as `user`; return the status."""
        kwargs = {"json": body} if body else {}
        path = f"{self.path}/{what}"
        return self._world.call("POST", path, as_user=user, **kwargs).status_code

    def patch(self, actor: str, user: str, **body: object) -> int:
        """PATCH a participant as `actor`; return the status."""
        path = f"{self.path}/participants/{user}"
        return self._world.call("PATCH", path, as_user=actor, json=body).status_code

    def space(self) -> dict[str, Any]:
        """Return the Space as everybody sees it."""
        body: dict[str, Any] = self._world.call("GET", self.path).get_json()
        return body


def test_two_hosts_fill_the_last_seat(contended_world: World) -> None:
    """
    Host and co-host promote two people to one seat: one is done, the other is 409.
    """
    party = Party(contended_world, MAX_SPEAKERS + 2)
    co_host, first, second, *speakers = party.people
    for user in (co_host, first, second):
        party.post("join", user)
    for user in speakers[: MAX_SPEAKERS - 1]:
        party.post("join", user, role="speaker")
    assert party.patch(party.host, co_host, role="co_host") == 200

    for _ in range(ROUNDS):
        statuses = at_once(
            [
                lambda: party.patch(party.host, first, role="speaker"),
                lambda: party.patch(co_host, second, role="speaker"),
            ]
        )
        assert sorted(statuses) == [200, 409]
        assert len(party.space()["speaker_ids"]) == MAX_SPEAKERS
        winner = first if statuses[0] == 200 else second
        assert party.patch(party.host, winner, role="listener") == 200


def test_a_rush_for_the_stage(contended_world: World) -> None:
    """
    Sixteen who may speak join at once: ten get a seat, all are in, none twice.
    """
    party = Party(contended_world, 16)

    statuses = at_once(
        [partial(party.post, "join", user, role="speaker") for user in party.people]
    )
    # A crowd may be told to try again; whoever does is let in.
    for user, status in zip(party.people, statuses, strict=True):
        assert status in (200, 503)
        if status == 503:
            assert party.post("join", user, role="speaker") == 200

    speakers = party.space()["speaker_ids"]
    assert len(speakers) == len(set(speakers)) == MAX_SPEAKERS


def test_joining_cannot_undo_a_removal(contended_world: World) -> None:
    """
    Someone who joins again while they are removed is out afterwards, in any order.
    """
    party = Party(contended_world, 1)
    (troll,) = party.people

    for _ in range(ROUNDS):
        party.post("join", troll, role="speaker")
        at_once(
            [
                lambda: party.patch(party.host, troll, removed=True),
                lambda: party.post("join", troll, role="speaker"),
                lambda: party.post("leave", troll),
            ]
        )
        assert party.post("join", troll) == 403
        assert party.space()["speaker_ids"] == []
        party.patch(party.host, troll, removed=False)


def test_a_double_start_launches_once(contended_world: World) -> None:
    """
    Four starts at the same time raise the epoch once and leave one launch.
    """
    party = Party(contended_world, 0)
    made = contended_world.call("POST", "/v1/spaces", as_user=party.host, json={})
    party.path = f"/v1/spaces/{made.get_json()['id']}"

    statuses = at_once([lambda: party.post("start", party.host)] * 4)

    launches = [
        name for name in contended_world.effects.names if made.get_json()["id"] in name
    ]
    assert statuses == [200] * 4
    assert party.space()["epoch"] == 1
    assert len(launches) == 1


def test_one_key_makes_one_space(contended_world: World) -> None:
    """
    Four creates with one key at the same time answer the same Space.
    """
    party = Party(contended_world, 0)
    key = {"Idempotency-Key": random_token()}
    made: list[str] = []

    def create() -> int:
        answer = contended_world.call(
            "POST", "/v1/spaces", as_user=party.host, json={}, headers=key
        )
        made.append(answer.get_json()["id"])
        return answer.status_code

    assert at_once([create] * 4) == [201] * 4
    assert len(set(made)) == 1


def test_one_handle_goes_to_one_person(contended_world: World) -> None:
    """
    Four people ask for one handle at the same time: one has it, the others are 409.
    """
    handle = random_token()[:12].replace("-", "_")
    person = {"handle": handle, "display_name": "Somebody"}

    def put(user: str) -> int:
        answer = contended_world.call("PUT", "/v1/me", as_user=user, json=person)
        return answer.status_code

    statuses = at_once([partial(put, f"{handle}-{n}") for n in range(4)])

    assert sorted(statuses) == [200, 409, 409, 409]
