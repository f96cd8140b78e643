"""`/tasks/sweep`: what was left behind is found and cleared up, part by part."""

from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest

from spaces.domain.errors import DependencyUnavailable
from spaces.domain.states import SpaceState
from spaces.service.ports import (
    Cursor,
    LaunchedWorkload,
    LaunchRefused,
    Workload,
    WorkloadKind,
)
from tests.builders import SPACE_ID, a_space
from tests.fakes import MemorySpaceStore
from tests.world import World

EPOCH_1 = {"space_id": SPACE_ID, "epoch": 1}


def test_the_sweep_releases_what_was_left(live: World) -> None:
    """
    A launch whose process died after the commit is released by the next sweep.
    """
    live.database.put_space(a_space(SpaceState.SCHEDULED))
    live.effects.down = True
    live.call("POST", f"/v1/spaces/{SPACE_ID}/start", as_user="host")
    live.effects.down = False
    early = live.task("sweep", {}).status_code
    names_early = [n for n in live.effects.names if n.startswith("launch-")]
    live.clock.advance(16)
    live.task("sweep", {})

    assert (early, names_early) == (204, [])
    assert f"launch-{SPACE_ID}-1" in live.effects.names
    assert live.database.outbox == {}


def test_the_sweep_mends_broken_chains_only(live: World) -> None:
    """
    A live Space without a look has one after a sweep; with one, it has no second.
    """
    for _ in range(2):
        live.task("sweep", {})
    mended = live.watchdogs
    live.task("watchdog", {**EPOCH_1, "n": 1})

    assert len(mended) == 1
    assert live.watchdogs == mended


@pytest.mark.parametrize(
    ("kind", "epoch", "age_s", "cleared"),
    [
        (WorkloadKind.ROOM, 1, 300, False),  # the live Space's own
        (WorkloadKind.ROOM, 2, 300, True),
        (WorkloadKind.ROOM, 2, 30, False),  # its Space may not be seen to be live yet
        (WorkloadKind.RENDER, 2, 300, False),  # works on after the end
    ],
)
def test_the_sweep_stops_workers_of_no_live_space(
    live: World, kind: WorkloadKind, epoch: int, age_s: int, cleared: bool
) -> None:
    """
    A room that nobody has, and that is not quite new, gives its place back.
    """
    live.launcher.known = [
        LaunchedWorkload(
            ref="w",
            workload=Workload(kind=kind, key=SPACE_ID, epoch=epoch),
            launched_at=live.clock() - timedelta(seconds=age_s),
        )
    ]

    live.task("sweep", {})

    assert live.launcher.terminated == (["w"] if cleared else [])


@pytest.mark.parametrize("broken", [DependencyUnavailable(), LaunchRefused("no")])
def test_a_part_of_the_sweep_that_fails_holds_up_no_other(
    live: World, monkeypatch: pytest.MonkeyPatch, broken: Exception
) -> None:
    """
    The launcher lists nothing and the outbox cannot be read: Spaces are watched,
    the live edge is swept and recordings, which may take long, come last all the same.
    """

    def fails(*_: object, **__: object) -> NoReturn:
        raise broken

    mended: list[object] = []
    monkeypatch.setattr(live.launcher, "workloads", fails)
    monkeypatch.setattr(live.effects, "leftovers", fails)
    upkeep = replace(
        live.upkeep,
        mend_recordings=lambda: mended.append("recordings"),
        mend_live_edge=lambda spaces: mended.append(set(spaces)),
    )

    with pytest.raises(type(broken)):
        upkeep.sweep()

    assert len(live.watchdogs) == 1
    assert mended == [{SPACE_ID}, "recordings"]


class UnlistedSpaces(MemorySpaceStore):
    """A store that lists nothing just now."""

    def live(self, *, limit: int, after: Cursor | None = None) -> NoReturn:
        raise DependencyUnavailable


def test_live_spaces_that_cannot_be_listed_cost_nothing(live: World) -> None:
    """
    What no live Space has is cleared only where they are known.
    """
    workload = Workload(kind=WorkloadKind.ROOM, key=SPACE_ID, epoch=1)
    long_ago = live.clock() - timedelta(hours=1)
    live.launcher.known = [
        LaunchedWorkload(ref="w", workload=workload, launched_at=long_ago)
    ]
    swept: list[object] = []
    store = UnlistedSpaces(live.database, live.clock)
    upkeep = replace(live.upkeep, spaces=store, mend_live_edge=swept.append)

    with pytest.raises(DependencyUnavailable):
        upkeep.sweep()

    assert (live.launcher.terminated, swept) == ([], [])
