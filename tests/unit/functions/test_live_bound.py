"""How many live Spaces, each with a worker, one host has at once."""

from datetime import timedelta

import pytest

from spaces.domain.space import MAX_LIVE
from spaces.domain.states import SpaceState
from spaces.domain.webhook import Endpoint
from spaces_contract.ids import SpaceId
from tests.builders import HOST, NOW, SPACE_ID, a_space
from tests.world import World, code_of

LETTERS = "abcdefghijklmno"


def live_since(world: World, n: int) -> list[SpaceId]:
    """Store `n` live Spaces of the host, the oldest first; return which."""
    found = [SpaceId(f"4Space4Space{letter}") for letter in LETTERS[:n]]
    for age, space_id in enumerate(reversed(found), start=1):
        began = NOW - timedelta(minutes=age)
        world.database.put_space(a_space(id=space_id, started_at=began))
    return found


def started(world: World, **fields: object) -> None:
    """Have the host start another."""
    world.database.put_space(a_space(SpaceState.SCHEDULED, **fields))
    answer = world.call("POST", f"/v1/spaces/{SPACE_ID}/start", as_user=HOST)
    assert answer.status_code == 200


def launch(world: World, space_id: SpaceId, epoch: int = 1) -> None:
    """Run the task that launches a worker."""
    answer = world.task("launch", {"space_id": space_id, "epoch": epoch})
    assert answer.status_code == 204


def state(world: World, space_id: SpaceId = SPACE_ID) -> SpaceState:
    """Return how a Space is."""
    return world.database.spaces[space_id].state


@pytest.mark.parametrize(
    ("others", "served"), [(MAX_LIVE - 1, True), (MAX_LIVE, False)]
)
def test_nobody_keeps_the_machines_busy(
    world: World, others: int, served: bool
) -> None:
    """
    One person holds ten live Spaces at once, however slowly they were started: the
    eleventh gets no worker, and ends.
    """
    live_since(world, others)
    started(world)

    for _ in range(2):
        launch(world, SPACE_ID)

    space = world.call("GET", f"/v1/spaces/{SPACE_ID}", as_user="ana").get_json()
    assert len(world.launcher.launched) == served
    assert len(world.watchdogs) == 1
    assert (space["state"], space["end_reason"]) == (
        ("live", None) if served else ("ended", "too_many_live")
    )


def test_a_launch_of_an_older_one_ends_nothing(world: World) -> None:
    """
    Tasks come late and twice: it is the eleventh that ends, whichever is launched.
    """
    older = live_since(world, MAX_LIVE)
    started(world)

    for space_id in (older[0], older[-1], SPACE_ID, older[-1]):
        launch(world, space_id)

    assert {state(world, each) for each in older} == {SpaceState.LIVE}
    assert state(world) is SpaceState.ENDED


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_many_at_once_the_oldest_stay(world: World, newest_first: bool) -> None:
    """
    Fifteen are live before any is launched: ten stay, in whatever order tasks come.
    """
    spaces = live_since(world, len(LETTERS))

    for space_id in reversed(spaces) if newest_first else spaces:
        launch(world, space_id)

    live = [each for each in spaces if state(world, each) is SpaceState.LIVE]
    assert live == spaces[:MAX_LIVE]
    assert {each.key for each in world.launcher.launched} == set(live)


def test_a_late_launch_lets_nobody_in(world: World) -> None:
    """
    A worker that did not come in time is replaced: the second one is counted, too.
    """
    live_since(world, MAX_LIVE)
    started(world)
    world.clock.advance(61)
    world.task("watchdog", {"space_id": SPACE_ID, "epoch": 1, "n": 1})
    assert world.database.spaces[SPACE_ID].epoch == 2

    launch(world, SPACE_ID, epoch=2)

    assert state(world) is SpaceState.ENDED
    assert world.launcher.launched == []


def test_who_was_let_in_keeps_a_worker(world: World) -> None:
    """
    What was among the ten is launched again, whatever else its host has begun since.
    """
    first, *_ = live_since(world, MAX_LIVE + 1)

    launch(world, first)

    assert [each.key for each in world.launcher.launched] == [first]


def test_an_announced_one_waits_until_there_is_room(world: World) -> None:
    """
    Those who wait for a scheduled Space do not lose it to the ten: it starts later.
    """
    live_since(world, MAX_LIVE)
    world.database.put_space(a_space(SpaceState.SCHEDULED, scheduled_start=NOW))
    path = f"/v1/spaces/{SPACE_ID}/start"

    refused = world.call("POST", path, as_user=HOST)
    waits = state(world)
    world.call("POST", "/v1/spaces/4Space4Spacea/end", as_user=HOST)
    answers = [world.call("POST", path, as_user=HOST) for _ in range(2)]

    assert (refused.status_code, code_of(refused)) == (409, "too-many-live")
    assert waits is SpaceState.SCHEDULED
    assert [each.status_code for each in answers] == [200, 200]


def test_the_end_is_told_at_once(world: World) -> None:
    """
    What follows from the end waits for no sweep.
    """
    ends = Endpoint(
        url="https://ends.example/", secret=b"t" * 24, events=frozenset({"space.ended"})
    )
    world.webhook_endpoints.append(ends)
    live_since(world, MAX_LIVE)
    started(world)

    launch(world, SPACE_ID)

    assert [name for name in world.effects.names if "ended" in name]
    assert not world.database.outbox
