"""`/tasks`: launching and watching; twice, late, and with things broken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from spaces.domain.errors import DependencyUnavailable
from spaces.domain.runtime import Runtime
from spaces.domain.space import Decision, Space
from spaces.domain.states import SpaceState
from spaces.domain.watch import WATCH_INTERVAL_S
from spaces.service.ports import (
    LaunchedWorkload,
    LaunchRefused,
    Workload,
    WorkloadKind,
)
from spaces_contract.ids import SpaceId
from spaces_contract.runtime import HEARTBEAT_STALE_S, WorkerState
from tests.builders import NOW, SPACE_ID, a_runtime, a_space
from tests.fakes import MemorySpaceStore
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of

EPOCH_1 = {"space_id": SPACE_ID, "epoch": 1}


def test_a_launch_starts_worker_and_watch(live: World) -> None:
    """
    A launch, however often it is delivered, makes one workload and one chain.
    """
    answers = [live.task("launch", EPOCH_1).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert [(w.key, w.epoch) for w in live.launcher.launched] == [(SPACE_ID, 1)]
    assert len(live.watchdogs) == 1
    assert live.launcher.terminated == []


@pytest.mark.parametrize(
    ("space", "looks"),
    [
        (a_space(epoch=2), 0),
        (a_space(SpaceState.ENDED, epoch=2), 0),
        (a_space(SpaceState.ENDED), 1),
    ],
    ids=["epoch", "ended later", "ended"],
)
def test_a_stale_launch_is_harmless(live: World, space: Space, looks: int) -> None:
    """
    A launch for an epoch that is over starts nothing; where the Space ended in it,
    nobody else would clear up.
    """
    live.database.put_space(space)

    assert live.task("launch", EPOCH_1).status_code == 204
    assert live.launcher.launched == []
    assert len(live.effects.names) == len(live.watchdogs) == looks


def test_a_launcher_that_is_down_is_asked_again(live: World) -> None:
    """
    A passing failure is 503, so that the queue retries; the watch is on already.
    """
    live.launcher.error = DependencyUnavailable()

    assert live.task("launch", EPOCH_1).status_code == 503
    assert len(live.watchdogs) == 1


def test_a_launch_refused_for_good_is_not_retried(live: World) -> None:
    """
    A permanent failure is logged and answered 2xx.
    """
    live.launcher.error = LaunchRefused("no")

    assert live.task("launch", EPOCH_1).status_code == 204


def test_a_lost_worker_is_replaced(live: World) -> None:
    """
    After 15 s without a sign the epoch rises, a launch follows, the old one is stopped.
    """
    live.task("launch", EPOCH_1)
    live.database.runtimes[SPACE_ID] = a_runtime()
    live.clock.advance(15.1)
    live.task("watchdog", {**EPOCH_1, "n": 1})
    live.task("launch", {"space_id": SPACE_ID, "epoch": 2})

    assert live.database.spaces[SPACE_ID].epoch == 2
    assert f"launch-{SPACE_ID}-2" in live.effects.names
    assert live.database.outbox == {}
    assert [w.epoch for w in live.launcher.launched] == [1, 2]
    assert live.launcher.terminated == [f"room-{SPACE_ID}-1-0"]


def test_a_launch_that_comes_too_late_is_stopped(live: World) -> None:
    """
    Where a later epoch was launched meanwhile, the late workload goes.
    """
    live.database.put_space(a_space(epoch=2))
    live.task("launch", {"space_id": SPACE_ID, "epoch": 2})
    live.database.put_space(a_space(epoch=1))
    live.task("launch", EPOCH_1)

    assert live.launcher.terminated == [f"room-{SPACE_ID}-1-0"]
    assert live.launches.latest[SPACE_ID].epoch == 2


@pytest.mark.parametrize(
    ("launched", "known", "runs", "epoch"),
    [
        (True, True, True, 1),  # its machine is being bought
        (True, False, True, 2),
        (True, True, False, 2),
        (False, False, True, 1),  # the queue is late, or there was no room
    ],
)
def test_a_worker_that_dies_before_it_claims_is_replaced(
    live: World, launched: bool, known: bool, runs: bool, epoch: int
) -> None:
    """
    After 15 s whoever launched it is asked whether it is still there; where it is, or
    was not launched yet, it has its minute.
    """
    if launched:
        live.task("launch", EPOCH_1)
    room = Workload(kind=WorkloadKind.ROOM, key=SPACE_ID, epoch=1)
    there = LaunchedWorkload(ref="", workload=room, launched_at=NOW, runs=runs)
    live.launcher.known = [there] if known else []
    live.clock.advance(HEARTBEAT_STALE_S + 1)
    live.task("watchdog", {**EPOCH_1, "n": 1})

    assert live.database.spaces[SPACE_ID].epoch == epoch


def test_workers_that_never_come_are_launched_ever_more_rarely(
    live: World, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Each dies before it claims, as of a broken image: the wait doubles, up to 2 min, and
    is told in the log; a look comes up to 5 s after it.
    """
    live.task("launch", EPOCH_1)
    queue = SimulatedQueue(live)
    queue.run_until(NOW + timedelta(minutes=9))

    launches = [NOW, *(at for at, name in queue.log if name.startswith("launch-"))]
    waits_s = [(b - a).total_seconds() for a, b in pairwise(launches)]
    expected = (15, 30, 60, 120, 120, 120)
    assert [
        wait <= waited <= wait + WATCH_INTERVAL_S
        for wait, waited in zip(expected, waits_s, strict=True)
    ] == [True] * len(expected)
    told = [each for each in caplog.records if each.message == "worker lost"]
    assert [vars(each)["in_vain"] for each in told] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("ready", [True, False], ids=["ready", "launched just now"])
def test_no_look_asks_the_launcher_without_need(live: World, ready: bool) -> None:
    """
    A worker that serves, or was launched within 15 s, costs no call and no read.
    """
    live.task("launch", EPOCH_1)
    live.launcher.known = None  # type: ignore[assignment]  # whoever looks fails
    live.clock.advance(14)
    if ready:
        live.database.runtimes[SPACE_ID] = a_runtime(heartbeat_at=live.clock())

    assert live.task("watchdog", {**EPOCH_1, "n": 1}).status_code == 204
    assert live.database.spaces[SPACE_ID].epoch == 1


def test_a_launcher_that_does_not_answer_changes_nothing(live: World) -> None:
    """
    The watch goes on; the worker has its minute.
    """
    live.task("launch", EPOCH_1)
    live.launcher.error = DependencyUnavailable()
    live.clock.advance(HEARTBEAT_STALE_S + 1)
    before = len(live.watchdogs)

    assert live.task("watchdog", {**EPOCH_1, "n": 1}).status_code == 204
    assert live.database.spaces[SPACE_ID].epoch == 1
    assert len(live.watchdogs) == before + 1


def test_a_worker_that_lives_is_looked_after_again(live: World) -> None:
    """
    Looks follow each other every 5 s for as long as heartbeats come.
    """
    for _ in range(4):
        live.database.runtimes[SPACE_ID] = a_runtime(heartbeat_at=live.clock())
        assert live.task("watchdog", {**EPOCH_1, "n": 1}).status_code == 204
        live.clock.advance(5)

    assert len(live.watchdogs) == 4
    assert live.database.spaces[SPACE_ID].epoch == 1


def test_a_stale_look_ends_its_chain(live: World) -> None:
    """
    A watchdog of an earlier epoch does nothing, and asks for no other look.
    """
    live.database.put_space(a_space(epoch=2))
    live.clock.advance(60)

    assert live.task("watchdog", {**EPOCH_1, "n": 1}).status_code == 204
    assert live.effects.names == []
    assert live.database.spaces[SPACE_ID].epoch == 2


def test_an_ended_space_is_cleared_up(live: World) -> None:
    """
    A worker gets 10 s to leave by itself, then it is stopped and its chain ends.
    """
    live.task("launch", EPOCH_1)
    live.database.put_space(a_space(SpaceState.ENDED))
    chain = len(live.watchdogs)
    live.clock.advance(6)
    live.task("watchdog", {**EPOCH_1, "n": 1})
    after_6_s = (len(live.watchdogs), list(live.launcher.terminated))
    live.clock.advance(6)
    for _ in range(2):
        live.task("watchdog", {**EPOCH_1, "n": 2})

    assert after_6_s == (chain + 1, [])
    assert live.launcher.terminated == [f"room-{SPACE_ID}-1-0"]
    assert len(live.watchdogs) == chain + 1


def test_a_queue_that_is_down_makes_a_look_fail(live: World) -> None:
    """
    A look whose successor cannot be enqueued is 503: the queue repeats it.
    """
    live.effects.down = True

    response = live.task("watchdog", {**EPOCH_1, "n": 1})

    assert (response.status_code, code_of(response)) == (503, "dependency-unavailable")


@pytest.mark.parametrize("body", [{}, {"space_id": 1, "epoch": 1}, []])
def test_a_task_that_makes_no_sense_is_not_retried(
    live: World, body: object, caplog: pytest.LogCaptureFixture
) -> None:
    """
    It is logged at ERROR and answered 2xx, or it would come back for ever.
    """
    assert live.task("launch", body).status_code == 204
    assert [record.levelname for record in caplog.records if record.exc_info] == [
        "ERROR"
    ]


def test_a_space_that_is_gone_needs_nothing(world: World) -> None:
    """
    Tasks of a Space that does not exist are over.
    """
    for name in ("launch", "watchdog"):
        assert world.task(name, {**EPOCH_1, "n": 1}).status_code == 204


def test_only_the_queue_may_call(live: World) -> None:
    """
    Without the queue's token there is no task, whatever its name.
    """
    client = live.tasks.test_client()

    for headers in ({}, {"Authorization": "Bearer uid:host"}):
        for name in ("launch", "watchdog", "sweep"):
            response = client.post(f"/tasks/{name}", json=EPOCH_1, headers=headers)
            assert response.status_code == 401
            assert code_of(response) == "invalid-task-token"
    assert live.launcher.launched == []


@pytest.mark.parametrize(("after_s", "epoch"), [(59, 1), (61, 2)])
def test_a_worker_has_a_minute_to_start(live: World, after_s: int, epoch: int) -> None:
    """
    Measured from its launch: a slow start is waited for, a failed one is not for ever.
    """
    live.database.runtimes[SPACE_ID] = a_runtime(
        WorkerState.LAUNCHING, launched_at=NOW + timedelta(seconds=10)
    )
    live.clock.advance(10 + after_s)

    live.task("watchdog", {**EPOCH_1, "n": 1})

    assert live.database.spaces[SPACE_ID].epoch == epoch


class LateHeartbeat(MemorySpaceStore):
    """A store whose worker shows up between the look and the transaction."""

    def get_with_runtime(self, space_id: SpaceId) -> tuple[Space, Runtime | None]:
        return self.get(space_id), None

    def supervise(
        self, space_id: SpaceId, decide: Callable[[Space, Runtime | None], Decision]
    ) -> Decision:
        return decide(self.get(space_id), a_runtime())


def test_a_heartbeat_at_the_last_moment_keeps_the_worker(live: World) -> None:
    """
    The decision is the transaction's: a worker that just showed up is not replaced.
    """
    store = LateHeartbeat(live.database, live.clock)

    replace(live.upkeep, spaces=store).check(SPACE_ID, 1)

    assert live.database.spaces[SPACE_ID].epoch == 1
    assert len(live.watchdogs) == 1
