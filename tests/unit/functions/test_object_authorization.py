"""Whatever a stranger calls, with whatever body: nothing of others' changes."""

import copy
import re
from typing import Any

import pytest

from spaces.http.examples import EXAMPLES
from spaces.http.operations import Access, Operation
from tests.builders import HOST, SPACE_ID, a_profile, a_space
from tests.world import World

PEOPLE = ("ana", "bo")
# What a stranger may do where they are not: come in, and leave again.
THEIR_OWN = {"join_space", "leave_space"}


@pytest.fixture
def busy(world: World) -> World:
    """Return a world with a live Space in which people talk, listen and are asked."""
    world.database.put_space(a_space(speaker_policy="everyone"))
    path = f"/v1/spaces/{SPACE_ID}"
    for user in (HOST, *PEOPLE):
        world.call("POST", f"{path}/join", as_user=user)
    world.call("POST", f"{path}/speak-requests", as_user="ana")
    world.call("POST", f"{path}/invites", as_user=HOST, json={"user_ids": ["bo"]})
    world.database.put_profile(a_profile("eve"))
    return world


def state_of_others(world: World) -> Any:
    """Return all that the database holds of anybody but eve."""
    kept = {}
    for name, table in vars(world.database).items():
        if isinstance(table, dict):
            kept[name] = {
                key: value for key, value in table.items() if "eve" not in str(key)
            }
    return copy.deepcopy(kept)


def writes(world: World) -> list[Operation]:
    """Return each operation that people call to change something named by a path."""
    return [
        each
        for each in world.operations
        if each.access is Access.ID_TOKEN
        and each.method != "GET"
        and "{" in each.path
        and each.id not in THEIR_OWN
    ]


@pytest.mark.parametrize("present", [False, True], ids=["outside", "listening"])
def test_a_stranger_changes_nothing_of_others(busy: World, present: bool) -> None:
    """
    From outside or from among the listeners, each call on somebody else's Space, seat,
    request, invite or recording leaves them as they were.
    """
    if present:
        busy.call("POST", f"/v1/spaces/{SPACE_ID}/join", as_user="eve")
    before = state_of_others(busy)
    called = 0

    for operation in writes(busy):
        body = EXAMPLES.get(operation.body.__name__) if operation.body else None
        for user in (HOST, *PEOPLE):
            path = operation.path.replace("{user_id}", user)
            path = re.sub(r"{(\w+)}", SPACE_ID, path)
            busy.call(operation.method, path, as_user="eve", json=body)
            called += 1
            assert state_of_others(busy) == before, (operation.id, user)
    assert called > 60
