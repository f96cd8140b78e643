"""A worker that leaves is relieved by another, and nothing ends where none comes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from spaces.domain import space as rules
from spaces.domain.effects import LaunchWorker
from spaces.domain.host_presence import HostPresence, HostState
from spaces.domain.runtime import Runtime, Successor, wants_successor
from spaces.domain.states import SpaceState
from spaces.service.ports import LaunchedWorkload, Workload, WorkloadKind
from spaces_contract.ids import UserId
from spaces_contract.runtime import HEARTBEAT_STALE_S, LAUNCH_LIMIT_S, WorkerState
from tests.builders import HOST, NOW, SPACE_ID, a_runtime, a_space
from tests.world import World

LEAVING = a_runtime(leaving=True)
LATE = NOW + timedelta(seconds=LAUNCH_LIMIT_S + 1)
ASKED = Successor(epoch=2, asked_at=NOW)


@pytest.mark.parametrize(
    ("runtime", "wanted"),
    [
        (None, False),
        (a_runtime(), False),
        (LEAVING, True),
        (replace(LEAVING, successor=ASKED), False),  # it may still come
        (replace(LEAVING, successor=replace(ASKED, asked_at=LATE)), False),
        (replace(LEAVING, epoch=2), False),
        (replace(LEAVING, state=WorkerState.DRAINING), False),  # too late for that
    ],
)
def test_who_wants_a_successor(runtime: Runtime | None, wanted: bool) -> None:
    """
    A worker of this epoch that serves and is leaving, while nobody is on the way.
    """
    assert wants_successor(runtime, epoch=1, now=NOW) is wanted


def test_a_successor_that_does_not_come_is_asked_for_again() -> None:
    """
    After the time that a launch may take another epoch is asked for: the first one may
    be too late, and must not claim beside the second.
    """
    runtime = replace(LEAVING, heartbeat_at=LATE, successor=ASKED)

    decision = rules.relieve(a_space(), runtime, epoch=1, now=LATE)

    assert decision.successor == Successor(epoch=3, asked_at=LATE)
    assert decision.effects == (LaunchWorker(SPACE_ID, 3),)


def test_relief_leaves_the_space_alone() -> None:
    """
    Asking changes neither epoch nor runtime: where nobody comes, nothing happened.
    """
    space = a_space()

    decision = rules.relieve(space, LEAVING, epoch=1, now=NOW)

    assert (decision.space, decision.runtime) == (space, None)
    assert decision.successor == ASKED


@pytest.mark.parametrize(
    ("space", "epoch"),
    [(a_space(SpaceState.ENDED), 1), (a_space(epoch=2), 1), (a_space(), 2)],
)
def test_stale_relief_is_harmless(space: rules.Space, epoch: int) -> None:
    """
    Nobody is asked for where the Space is over, or in another epoch by now.
    """
    decision = rules.relieve(space, LEAVING, epoch=epoch, now=NOW)

    assert decision == rules.Decision(space)


@pytest.mark.parametrize(("asked_ago_s", "epoch"), [(1.0, 2), (LAUNCH_LIMIT_S + 1, 3)])
def test_a_loss_while_a_successor_comes(asked_ago_s: float, epoch: int) -> None:
    """
    A leaving worker that dies makes the one on the way the Space's; an epoch of one
    that never came is not used again.
    """
    asked = replace(ASKED, asked_at=NOW - timedelta(seconds=asked_ago_s))
    lost = replace(LEAVING, state=WorkerState.STOPPED, successor=asked)

    decision = rules.relaunch(a_space(), lost, epoch=1, now=NOW)

    assert decision.space.epoch == epoch
    assert decision.effects == (LaunchWorker(SPACE_ID, epoch),)


@pytest.fixture
def leaving(world: World) -> World:
    """Return a world whose worker was launched, serves, and is leaving."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime(WorkerState.LAUNCHING)
    world.task("launch", {"space_id": SPACE_ID, "epoch": 1})
    world.database.runtimes[SPACE_ID] = LEAVING
    return world


def look(world: World, epoch: int) -> None:
    """Let the watchdog of an epoch look."""
    body = {"space_id": SPACE_ID, "epoch": epoch, "n": 1}
    assert world.task("watchdog", body).status_code == 204


def launch(world: World, epoch: int) -> None:
    """Deliver the launch of an epoch."""
    body = {"space_id": SPACE_ID, "epoch": epoch}
    assert world.task("launch", body).status_code == 204


def test_a_look_asks_for_one_successor(leaving: World) -> None:
    """
    Two looks launch one; the worker that leaves is not stopped, its watch goes on.
    """
    for _ in range(2):
        look(leaving, 1)
    launch(leaving, 2)

    launches = [n for n in leaving.effects.names if n.startswith("launch-")]
    assert launches == [f"launch-{SPACE_ID}-2"]
    assert [w.epoch for w in leaving.launcher.launched] == [1, 2]
    assert leaving.launcher.terminated == []
    assert leaving.database.spaces[SPACE_ID].epoch == 1
    assert leaving.database.outbox == {}


def test_nobody_waits_for_a_dead_successor_of_a_dead_worker(leaving: World) -> None:
    """
    Where both are gone, the look after the one that finds it out launches another:
    their heartbeats tell of the one, the launcher of the other.
    """
    look(leaving, 1)
    launch(leaving, 2)
    leaving.launcher.known = []  # it died before it claimed
    leaving.clock.advance(HEARTBEAT_STALE_S + 1)
    look(leaving, 1)  # it makes the one on its way the Space's
    leaving.clock.advance(5)
    look(leaving, 2)
    launch(leaving, 3)

    assert [w.epoch for w in leaving.launcher.launched] == [1, 2, 3]
    assert leaving.database.spaces[SPACE_ID].epoch == 3


def test_a_successor_that_is_replaced_is_stopped(leaving: World) -> None:
    """
    Nobody waits for it any more; the worker that leaves serves on.
    """
    look(leaving, 1)
    launch(leaving, 2)
    leaving.clock.advance(LAUNCH_LIMIT_S + 1)
    runtime = leaving.database.runtimes[SPACE_ID]
    leaving.database.runtimes[SPACE_ID] = replace(runtime, heartbeat_at=leaving.clock())
    look(leaving, 1)
    launch(leaving, 3)

    assert [w.epoch for w in leaving.launcher.launched] == [1, 2, 3]
    assert leaving.launcher.terminated == [f"room-{SPACE_ID}-2-0"]


def test_the_successor_is_watched_before_it_serves(leaving: World) -> None:
    """
    Its looks follow each other while it is awaited, and do nothing else.
    """
    look(leaving, 1)
    launch(leaving, 2)
    for _ in range(3):
        leaving.clock.advance(5)
        look(leaving, 2)

    chain = [n for n in leaving.effects.names if n.startswith(f"watchdog-{SPACE_ID}-2")]
    assert len(chain) == 4
    assert leaving.database.spaces[SPACE_ID].epoch == 1


def test_a_successor_of_a_space_that_is_over_is_awaited_no_more(
    leaving: World,
) -> None:
    """
    Who ends the Space meanwhile ends its looks too: nothing else would, for ever.
    """
    look(leaving, 1)
    launch(leaving, 2)
    leaving.database.put_space(a_space(SpaceState.ENDED))
    before = list(leaving.effects.names)
    leaving.clock.advance(5)
    look(leaving, 2)

    assert leaving.effects.names == before


@pytest.mark.parametrize(("since_s", "stopped"), [(30, []), (90, ["old"])])
def test_the_sweep_lets_the_relieved_worker_finish(
    leaving: World, since_s: int, stopped: list[str]
) -> None:
    """
    It lets its people go over at their pace; who is at it a minute later is stuck.
    """
    leaving.database.put_space(a_space(epoch=2))
    now = leaving.clock()
    leaving.launcher.known = [
        LaunchedWorkload(
            ref=ref,
            workload=Workload(kind=WorkloadKind.ROOM, key=SPACE_ID, epoch=epoch),
            launched_at=now - timedelta(seconds=age_s),
        )
        for ref, epoch, age_s in (("old", 1, 3600), ("new", 2, since_s))
    ]

    leaving.task("sweep", {})

    assert leaving.launcher.terminated == stopped


@pytest.mark.parametrize("state", [HostState.PRESENT, HostState.COVERED])
def test_a_handover_is_nobodys_absence(world: World, state: HostState) -> None:
    """
    A successor has nobody yet when it claims; who comes back within the minute leads
    as before, and nobody was shown to be away.
    """
    acting = UserId("co") if state is HostState.COVERED else None
    led_by = HostPresence(state=state, since=NOW, acting_host_id=acting)
    leader = acting or HOST
    space = a_space(epoch=2, host_ids=(HOST, UserId("co")), host_presence=led_by)
    world.database.put_space(space)
    seen = []
    for connected in ((), (leader,)):
        world.database.runtimes[SPACE_ID] = a_runtime(
            epoch=2, connected_ids=connected, heartbeat_at=world.clock()
        )
        look(world, 2)
        seen.append(world.database.spaces[SPACE_ID])
        world.clock.advance(5)

    assert not any(each.host_away for each in seen)
    assert seen[-1].state is SpaceState.LIVE
    assert seen[-1].host_presence.state is state
    assert seen[-1].is_led_by(leader)
