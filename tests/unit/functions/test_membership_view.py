"""`GET …/me`: what the caller is in a Space, and what became of their wishes."""

from datetime import timedelta
from typing import Any

from spaces.domain.host_presence import HostPresence, HostState
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from tests.builders import HOST, NOW, SPACE_ID, a_participant, a_space
from tests.world import World

ANA, BO = UserId("ana"), UserId("bo")
PATH = f"/v1/spaces/{SPACE_ID}"


def standing(world: World, user: str) -> dict[str, Any]:
    """Return what the API says that `user` is."""
    found: dict[str, Any] = world.call("GET", f"{PATH}/me", as_user=user).get_json()
    return found


def test_who_acts_as_host_learns_of_it(world: World) -> None:
    """
    The host leads, and the co-host who acts for them; another co-host does not.
    """
    covered = HostPresence(state=HostState.COVERED, since=NOW, acting_host_id=ANA)
    hosts = (HOST, ANA, BO)
    world.database.put_space(a_space(host_ids=hosts, host_presence=covered))
    for uid in hosts:
        world.database.put_member(SPACE_ID, a_participant(uid))

    assert [standing(world, uid)["leads"] for uid in hosts] == [True, True, False]
    ended = world.call("POST", f"{PATH}/end", as_user=BO)
    assert ended.status_code == 403
    assert world.call("POST", f"{PATH}/end", as_user=ANA).status_code == 200


def test_a_wish_to_be_told_is_known_on_every_device(world: World) -> None:
    """
    From when the bell is rung until it is not any more, and to nobody else.
    """
    soon = NOW + timedelta(hours=1)
    world.database.put_space(a_space(SpaceState.SCHEDULED, scheduled_start=soon))

    said = []
    for method in ("PUT", "DELETE"):
        world.call(method, f"{PATH}/reminder", as_user=ANA)
        said.append([standing(world, uid)["subscribed"] for uid in (ANA, BO)])

    assert said == [[True, False], [False, False]]


def test_of_a_live_space_nobody_is_told_any_more(world: World) -> None:
    """
    The wish was for its start.
    """
    soon = NOW + timedelta(hours=1)
    world.database.put_space(a_space(SpaceState.SCHEDULED, scheduled_start=soon))
    world.call("PUT", f"{PATH}/reminder", as_user=ANA)
    world.database.put_space(a_space())

    assert standing(world, ANA)["subscribed"] is False
