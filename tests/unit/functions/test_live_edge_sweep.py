"""Nothing of a Space stays on the live edge once it is over."""

from datetime import timedelta

import pytest

from spaces.domain.effects import SweepLiveEdge
from spaces.domain.live_edge import first_sweep, next_sweep
from spaces.domain.states import SpaceState
from spaces_contract import paths
from spaces_contract.ids import SpaceId
from tests.builders import HOST, NOW, SPACE_ID, a_runtime, a_space
from tests.simulated_queue import SimulatedQueue
from tests.world import World

LEFT = (
    paths.playlist_object(SPACE_ID),
    paths.segment_object(SPACE_ID, 1, 7),
    paths.room_object(SPACE_ID, 2),
)
MINUTES = timedelta(minutes=1)


@pytest.fixture
def ended(world: World) -> World:
    """Return a world whose Space has ended just now, and left things behind."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    world.listening.objects.names.update(LEFT)
    world.spaces.end(SPACE_ID, actor_id=HOST)
    return world


def sweeps(world: World) -> list[SweepLiveEdge]:
    """Return the sweeps that were asked for."""
    tasks = world.effects.tasks.values()
    return [each for each in tasks if isinstance(each, SweepLiveEdge)]


def test_the_watch_over_a_space_has_it_swept(ended: World) -> None:
    """
    Two minutes after the end nothing is left, and nobody looks any more; not before
    any worker has stopped writing.
    """
    queue = SimulatedQueue(ended)
    ended.task("watchdog", {"space_id": SPACE_ID, "epoch": 1, "n": 1})

    queue.run_until(NOW + MINUTES)
    assert ended.listening.objects.names == set(LEFT)

    queue.run_until(NOW + 3 * MINUTES, twice=True)
    assert ended.listening.objects.names == set()
    asked = len(sweeps(ended))
    queue.run_until(NOW + 30 * MINUTES)
    assert len(sweeps(ended)) == asked


def test_what_a_zombie_writes_is_found(ended: World) -> None:
    """
    A sweep that found something is followed by another, until one finds nothing.
    """
    body = {"space_id": SPACE_ID}
    ended.task("live-edge-sweep", body)
    ended.listening.objects.names.add(LEFT[1])

    SimulatedQueue(ended).run_until(NOW + 3 * MINUTES)

    assert ended.listening.objects.names == set()


@pytest.mark.parametrize("state", [SpaceState.SCHEDULED, SpaceState.LIVE])
def test_what_is_not_over_is_left_alone(world: World, state: SpaceState) -> None:
    """
    A task that comes for a live Space deletes nothing.
    """
    world.database.put_space(a_space(state))
    world.listening.objects.names.update(LEFT)

    answer = world.task("live-edge-sweep", {"space_id": SPACE_ID})

    assert answer.status_code == 204
    assert world.listening.objects.names == set(LEFT)


def test_the_periodic_sweep_finds_what_everybody_forgot(world: World) -> None:
    """
    A Space whose watch is broken, or whose document is gone, leaves nothing either;
    a live one is not touched.
    """
    live = SpaceId("2" * 13)
    world.database.put_space(a_space(id=live))
    kept = paths.playlist_object(live)
    world.listening.objects.names.update((*LEFT, kept))

    world.task("sweep", {})
    SimulatedQueue(world).run_until(NOW + 3 * MINUTES)

    assert world.listening.objects.names == {kept}


def test_everybody_names_the_same_sweep() -> None:
    """
    Asked for again, the first sweep of an end is the same task, later than any worker
    writes; the next one is another.
    """
    first = first_sweep(SPACE_ID, ended_at=NOW)

    assert first == first_sweep(SPACE_ID, ended_at=NOW)
    assert timedelta(seconds=60) < first.at - NOW <= timedelta(seconds=90)
    assert next_sweep(SPACE_ID, after=first.at).name != first.name
