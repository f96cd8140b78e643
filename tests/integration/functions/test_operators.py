"""What operators do, on Firestore: the queries find whom they are to find."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.applications import ADMIN_KEY
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of

SPACES = "/v1/spaces"
_numbers = itertools.count()


@pytest.fixture
def people(world: World) -> tuple[str, str]:
    """Make two people whom no other test knows: one who hosts, and one."""
    made = []
    for _ in range(2):
        n = next(_numbers)
        me = {"handle": f"op_{n}", "display_name": f"Op {n}"}
        world.call("PUT", "/v1/me", as_user=f"operated-{n}", json=me)
        made.append(f"operated-{n}")
    return made[0], made[1]


def admin(world: World, method: str, path: str, body: Any = None) -> Any:
    """Do an operator's call that succeeds; return its JSON."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    answer = world.call(method, f"/v1/admin{path}", json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.get_json(silent=True)


def started(world: World, host: str) -> str:
    """Have `host` go live; return the Space's path."""
    space_id = world.call("POST", SPACES, as_user=host, json={}).get_json()["id"]
    path = f"{SPACES}/{space_id}"
    assert world.call("POST", f"{path}/start", as_user=host).status_code == 200
    return path


def test_a_suspension_finds_all_that_is_open(
    world: World, people: tuple[str, str]
) -> None:
    """
    Spaces live and waiting are over, they are out of those of others, and nothing
    happens to what was over before.
    """
    host, ana = people
    theirs, ours, old = started(world, ana), started(world, host), started(world, host)
    world.call("POST", f"{old}/join", as_user=ana)
    world.call("POST", f"{old}/end", as_user=host)
    waiting = world.call("POST", SPACES, as_user=ana, json={}).get_json()["id"]
    world.call("POST", f"{ours}/join", as_user=ana)
    admin(world, "PUT", f"/users/{ana}/suspension")
    SimulatedQueue(world).run_until(world.clock() + timedelta(seconds=31))
    refused = world.call("GET", "/v1/me", as_user=ana)
    admin(world, "DELETE", f"/users/{ana}/suspension")

    def state(path: str) -> str:
        return str(world.call("GET", path).get_json()["state"])

    states = [state(path) for path in (theirs, ours, old, f"{SPACES}/{waiting}")]
    assert states == ["ended", "live", "ended", "cancelled"]
    assert code_of(refused) == "account-suspended"
    removed = [
        world.call("GET", f"{path}/me", as_user=ana).get_json()["removed"]
        for path in (ours, old)
    ]
    assert removed == [True, False]


def test_reports_are_found_by_their_state(
    world: World, people: tuple[str, str]
) -> None:
    """
    Open ones in pages; a resolved one is among the resolved.
    """
    host, ana = people
    path = started(world, host)
    for n in range(3):
        world.clock.advance(1)
        body = {"reason": "spam", "comment": f"{ana} {n}"}
        world.call("POST", f"{path}/reports", as_user=ana, json=body)

    def comments(state: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        token = ""
        while True:
            query = f"state={state}&page_size=2{token}"
            listed = admin(world, "GET", f"/reports?{query}")
            found += [(r["comment"], r["id"]) for r in listed["reports"]]
            if listed["next_page_token"] is None:
                return [each for each in found if each[0].startswith(ana)]
            token = f"&page_token={listed['next_page_token']}"

    before = comments("open")
    admin(world, "POST", f"/reports/{before[0][1]}/resolve", {"note": "seen"})

    assert [comment for comment, _ in before] == [f"{ana} {n}" for n in range(3)]
    assert comments("open") == before[1:]
    assert comments("resolved") == before[:1]
