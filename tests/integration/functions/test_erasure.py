"""A person who leaves for good: nothing names them, and a crash only delays that."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from spaces.adapters.firestore.client import BoundedClient
from spaces.domain.effects import EraseAccount
from spaces.domain.erasure import ERASED_NAME
from tests.builders import NOW
from tests.integration.functions.people import everything
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of

GONE, FRIEND, HOST = "gone-1", "friend-1", "host-1"
SPACES = "/v1/spaces"


@pytest.fixture
def untouched_only(untouched: str) -> str:
    """Have a Firestore in which nobody else left anything."""
    return untouched


@pytest.fixture
def optimistic(untouched_only: str) -> str:
    """Stand in for the server that tests share: all documents are looked at here."""
    return untouched_only


@pytest.fixture
def full(world: World) -> World:
    """Return a world in which `GONE` has left traces of every kind."""
    for n, user in enumerate((GONE, FRIEND, HOST, "other-1")):
        me = {"handle": f"handle{n}", "display_name": f"Name {n}"}
        world.call("PUT", "/v1/me", as_user=user, json=me)
    phone = {"platform": "ios", "token": "t-gone", "app_version": "1.0"}
    did(world, "PUT", "/v1/me/devices/phone", GONE, phone)
    did(world, "PUT", f"/v1/me/following/{FRIEND}", GONE)
    did(world, "PUT", f"/v1/me/following/{GONE}", FRIEND)
    did(world, "PUT", "/v1/me/blocks/other-1", GONE)
    _host_something(world)
    _take_part(world)
    return world


def did(world: World, method: str, path: str, user: str, body: Any = None) -> Any:
    """Do a call that succeeds; return its JSON."""
    answer = world.call(method, path, as_user=user, json=body)
    assert answer.status_code < 300, answer.text
    return answer.get_json(silent=True)


def _host_something(world: World) -> None:
    """Have `GONE` host a live Space, an ended one, and one that others wait for."""
    live, over = (did(world, "POST", SPACES, GONE, {})["id"] for _ in range(2))
    for space_id in (live, over):
        did(world, "POST", f"{SPACES}/{space_id}/start", GONE)
        did(world, "POST", f"{SPACES}/{space_id}/join", GONE)
        did(world, "POST", f"{SPACES}/{space_id}/join", FRIEND)
    did(world, "PUT", f"{SPACES}/{over}/recording", GONE, {"requested": True})
    did(world, "POST", f"{SPACES}/{over}/end", GONE)
    invite = {"user_ids": [FRIEND], "role": "co_host"}
    did(world, "POST", f"{SPACES}/{live}/invites", GONE, invite)
    start = (NOW + timedelta(days=1)).isoformat()
    later = did(world, "POST", SPACES, GONE, {"scheduled_start": start})["id"]
    did(world, "PUT", f"{SPACES}/{later}/reminder", FRIEND)


def _take_part(world: World) -> None:
    """Have `GONE` speak, be invited, be reminded and report where `HOST` hosts."""
    body = {"speaker_policy": "everyone"}
    live = did(world, "POST", SPACES, HOST, body)["id"]
    did(world, "POST", f"{SPACES}/{live}/start", HOST)
    did(world, "POST", f"{SPACES}/{live}/join", GONE, {"role": "speaker"})
    did(world, "POST", f"{SPACES}/{live}/reports", GONE, {"reason": "spam"})
    start = (NOW + timedelta(days=2)).isoformat()
    later = did(world, "POST", SPACES, HOST, {"scheduled_start": start})["id"]
    did(world, "PUT", f"{SPACES}/{later}/reminder", GONE)
    did(world, "POST", f"{SPACES}/{later}/invites", HOST, {"user_ids": [GONE]})


def erase(world: World) -> None:
    """Ask for it, and let all tasks of the next minute run, each twice."""
    assert world.call("DELETE", "/v1/me", as_user=GONE).status_code == 202
    SimulatedQueue(world).run_until(world.clock() + timedelta(minutes=1), twice=True)


def named(client: BoundedClient) -> list[str]:
    """Return the documents that name `GONE`, by uid, handle or name."""
    words = (GONE, "handle0", "Name 0", "t-gone")
    return [
        path
        for path, fields in everything(client)
        if any(word in f"{path} {fields}" for word in words)
    ]


def test_nothing_names_who_was_erased(full: World, client: BoundedClient) -> None:
    """
    Their Spaces are over, they are on no stage and in no list; others keep theirs.
    """
    before = named(client)
    erase(full)
    spaces = [fields for path, fields in everything(client) if path.count("/") == 1]
    hosted = [s for s in spaces if s.get("host", {}).get("display_name") == ERASED_NAME]

    assert len(before) > 15
    # How far a push came is kept for a week, and then deleted by its time to live.
    assert [path for path in named(client) if not path.startswith("fan_outs/")] == []
    assert sorted(s["state"] for s in hosted) == ["cancelled", "ended", "ended"]
    assert full.call("GET", "/v1/me", as_user=FRIEND).status_code == 200


def test_the_handle_is_free_at_once_and_the_person_may_return(full: World) -> None:
    """
    Another may take the handle; they themselves come back once all is erased.
    """
    full.call("DELETE", "/v1/me", as_user=GONE)
    me = {"handle": "handle0", "display_name": "Other"}
    refused = full.call("PUT", "/v1/me", as_user=GONE, json=me)
    taken = full.call("PUT", "/v1/me", as_user="other-1", json=me)
    SimulatedQueue(full).run_until(full.clock() + timedelta(minutes=1))
    back = {"handle": "handle9", "display_name": "Back"}

    assert code_of(refused) == "erasure-running"
    assert taken.status_code == 200
    assert full.call("PUT", "/v1/me", as_user=GONE, json=back).status_code == 200


class Crash(BaseException):
    """The process is gone."""


def test_an_erasure_that_crashes_everywhere_still_ends(
    full: World, client: BoundedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It dies before each of its steps in turn, and goes on where it was.
    """
    full.call("DELETE", "/v1/me", as_user=GONE)
    steps = full.erasure._steps()
    deaths = iter(range(len(steps)))

    def mortal(number: int, step: Callable[[Any], bool]) -> Callable[[Any], bool]:
        def run(user_id: Any) -> bool:
            if next_death and next_death[0] == number:
                next_death.clear()
                raise Crash
            return step(user_id)

        return run

    next_death: list[int] = []
    dying = tuple(mortal(number, step) for number, step in enumerate(steps))
    monkeypatch.setattr(type(full.erasure), "_steps", lambda _: dying)
    (task,) = (e for e in full.effects.tasks.values() if isinstance(e, EraseAccount))
    for death in deaths:
        next_death[:] = [death]
        with pytest.raises(Crash):
            full.erasure.carry_on(task.user_id, task.version, task.n)
    full.erasure.carry_on(task.user_id, task.version, task.n)

    left = [path for path in named(client) if not path.startswith(("fan", "outbox"))]
    assert left == []


def test_much_is_erased_task_by_task(full: World, client: BoundedClient) -> None:
    """
    A task stops in time and leaves the rest to the next.
    """
    batch = client.batch()
    for n in range(250):
        batch.set(client.document(f"users/{GONE}/blocks/b{n}"), {"since": NOW})
    batch.commit()
    ticking(full)
    erase(full)

    assert len([n for n in full.effects.names if n.startswith("erase-")]) >= 2
    assert not list(client.collection(f"users/{GONE}/blocks").stream())


def ticking(world: World) -> None:
    """Let each look at the clock find it six seconds later."""

    def now() -> Any:
        world.clock.advance(6)
        return world.clock.now

    object.__setattr__(world.erasure, "now", now)


def test_a_ban_outlives_the_account(full: World, client: BoundedClient) -> None:
    """
    Whoever was removed from a live Space cannot come back by erasing themselves.
    """
    live = next(
        path.split("/")[1]
        for path, fields in everything(client)
        if path.count("/") == 1 and fields.get("speaker_ids") == [GONE]
    )
    removal = {"removed": True}
    did(full, "PATCH", f"{SPACES}/{live}/participants/{GONE}", HOST, removal)
    erase(full)
    back = {"handle": "handle9", "display_name": "Back"}
    full.call("PUT", "/v1/me", as_user=GONE, json=back)
    again = full.call("POST", f"{SPACES}/{live}/join", as_user=GONE)

    assert code_of(again) == "removed"
    assert "Name 0" not in str(dict(everything(client)))


def lines(world: World, user: str) -> Iterator[dict[str, Any]]:
    """Return the lines of somebody's export."""
    answer = world.call("GET", "/v1/me/export", as_user=user)
    assert answer.mimetype == "application/x-ndjson"
    return (json.loads(line) for line in answer.text.splitlines())


def test_an_export_has_all_of_it_and_nobody_elses(full: World) -> None:
    """
    Every kind there is, without secrets; the last line tells that it is whole.
    """
    kept = list(lines(full, GONE))
    kinds = {line["kind"] for line in kept[:-1]}

    assert kinds == {
        "profile",
        "following",
        "blocks",
        "devices",
        "spaces",
        "participants",
        "invites",
        "subscribers",
        "reports",
    }
    assert kept[-1] == {"kind": "end", "data": {"count": len(kept) - 1}}
    assert "t-gone" not in json.dumps(kept)
    assert [line["kind"] for line in lines(full, "nobody-1")] == ["end"]
