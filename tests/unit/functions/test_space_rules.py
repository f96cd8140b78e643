"""Opening, starting, ending and relaunching, as rules."""

from dataclasses import replace
from datetime import timedelta

import pytest

from spaces.domain import space as rules
from spaces.domain.effects import LaunchWorker
from spaces.domain.errors import HostOnly, IllegalTransition, ProtectedAccount
from spaces.domain.space import SpaceDraft
from spaces.domain.states import TRANSITIONS, SpaceEvent, SpaceState
from spaces_contract.ids import UserId
from spaces_contract.runtime import WorkerState
from tests.builders import HOST, NOW, SPACE_ID, a_profile, a_runtime, a_space

LATER = NOW + timedelta(seconds=60)


@pytest.mark.parametrize("state", SpaceState)
@pytest.mark.parametrize("event", SpaceEvent)
def test_every_pair_is_decided(state: SpaceState, event: SpaceEvent) -> None:
    """
    Each (state, event) pair is in the table or is refused; none is forgotten.
    """
    if (state, event) in TRANSITIONS:
        assert rules.next_state(state, event) in SpaceState
    else:
        with pytest.raises(IllegalTransition) as refused:
            rules.next_state(state, event)
        assert refused.value.members == {"state": state.value}


def test_a_new_space_is_its_hosts_and_not_started() -> None:
    """
    A Space opens as scheduled for no time, in epoch 0, with the host on its stage.
    """
    opened = rules.create(
        SpaceDraft(title="Tea"), space_id=SPACE_ID, host=a_profile("host"), now=NOW
    )

    assert opened.state is SpaceState.SCHEDULED
    assert (opened.epoch, opened.scheduled_start) == (0, None)
    assert opened.stage_ids == (HOST,)


def test_protected_accounts_cannot_host() -> None:
    """
    A protected account opens no Space.
    """
    with pytest.raises(ProtectedAccount):
        rules.create(
            SpaceDraft(),
            space_id=SPACE_ID,
            host=a_profile("host", protected=True),
            now=NOW,
        )


def test_a_start_asks_for_a_worker_of_the_next_epoch() -> None:
    """
    Going live raises the epoch, lays down its runtime and leaves one launch.
    """
    decision = rules.start(a_space(SpaceState.SCHEDULED), actor_id=HOST, now=LATER)

    assert decision.space.state is SpaceState.LIVE
    assert decision.space.started_at == LATER
    assert decision.effects == (LaunchWorker(SPACE_ID, 1),)
    assert decision.runtime is not None
    assert decision.runtime.epoch == decision.space.epoch == 1
    assert decision.runtime.state is WorkerState.LAUNCHING


def test_a_second_start_changes_nothing() -> None:
    """
    Starting a live Space neither raises its epoch nor asks for another worker.
    """
    live = a_space()

    decision = rules.start(live, actor_id=HOST, now=LATER)

    assert decision == rules.Decision(live)


def test_a_second_end_changes_nothing() -> None:
    """
    Ending an ended Space keeps the time of its end.
    """
    ended = a_space(SpaceState.ENDED)

    assert rules.end(ended, actor_id=HOST, now=LATER).space is ended


@pytest.mark.parametrize("rule", [rules.start, rules.end])
def test_only_the_host_starts_and_ends(rule: object) -> None:
    """
    Co-hosts and strangers can do neither.
    """
    space = a_space(host_ids=(HOST, UserId("ana")))

    for actor in ("ana", "stranger"):
        with pytest.raises(HostOnly):
            rule(space, actor_id=UserId(actor), now=LATER)  # type: ignore[operator]


@pytest.mark.parametrize(
    "runtime",
    [
        None,
        a_runtime(heartbeat_at=NOW),
        a_runtime(WorkerState.LAUNCHING, launched_at=NOW - timedelta(minutes=1)),
        a_runtime(WorkerState.DRAINING),
        a_runtime(epoch=7, heartbeat_at=LATER),
    ],
)
def test_a_lost_worker_is_replaced_in_a_new_epoch(runtime: object) -> None:
    """
    No sign of the epoch's worker for more than 15 s, or 60 s from its launch, raises
    the epoch.
    """
    decision = rules.relaunch(a_space(), runtime, epoch=1, now=LATER)  # type: ignore[arg-type]

    assert decision.space.epoch == 2
    assert decision.effects == (LaunchWorker(SPACE_ID, 2),)


def test_a_stopped_worker_is_replaced_at_once() -> None:
    """
    A worker that said that it stopped is not waited for.
    """
    stopped = a_runtime(WorkerState.STOPPED, heartbeat_at=LATER)

    assert rules.relaunch(a_space(), stopped, epoch=1, now=LATER).space.epoch == 2


@pytest.mark.parametrize(
    ("state", "age_s", "gone", "replaced", "in_vain"),
    [
        (WorkerState.LAUNCHING, 61, True, True, 3),
        (WorkerState.LAUNCHING, 59, True, False, 0),
        (WorkerState.LAUNCHING, 61, False, True, 3),
        (WorkerState.READY, 16, False, True, 0),
        (WorkerState.STOPPED, 0, False, True, 0),
    ],
)
def test_a_claim_ends_the_launches_in_vain(
    state: WorkerState, age_s: int, gone: bool, replaced: bool, in_vain: int
) -> None:
    """
    Two came to nothing before this one; where it served, it begins anew.
    """
    since = LATER - timedelta(seconds=age_s)
    before = replace(a_runtime(state, launched_at=since, heartbeat_at=since), in_vain=2)

    decision = rules.relaunch(a_space(), before, epoch=1, now=LATER, gone=gone)

    assert (decision.runtime is not None) is replaced
    assert decision.runtime is None or decision.runtime.in_vain == in_vain


@pytest.mark.parametrize(
    ("space", "epoch"),
    [(a_space(epoch=2), 1), (a_space(SpaceState.ENDED), 1)],
    ids=["another epoch", "over"],
)
def test_a_stale_relaunch_is_harmless(space: rules.Space, epoch: int) -> None:
    """
    A watchdog of an epoch that is over changes nothing.
    """
    assert rules.relaunch(space, None, epoch=epoch, now=LATER).space is space


@pytest.mark.parametrize("age_s", [0, 5, 15])
def test_a_worker_that_shows_signs_is_kept(age_s: int) -> None:
    """
    A heartbeat of up to 15 s ago is good enough.
    """
    alive = a_runtime(heartbeat_at=LATER - timedelta(seconds=age_s))

    assert rules.relaunch(a_space(), alive, epoch=1, now=LATER).effects == ()


@pytest.mark.parametrize(
    ("state", "older", "ends"),
    [
        (SpaceState.LIVE, rules.MAX_LIVE - 1, False),
        (SpaceState.LIVE, rules.MAX_LIVE, True),
        (SpaceState.ENDED, rules.MAX_LIVE, False),  # by its host, meanwhile
    ],
)
def test_one_too_many_of_a_host_ends(state: SpaceState, older: int, ends: bool) -> None:
    """
    As many as there may be stay live; what is over already keeps its own reason.
    """
    space = a_space(state)

    after = rules.crowd_out(space, older=older, now=LATER).space

    if ends:
        assert (after.state, after.end_reason) == (
            SpaceState.ENDED,
            rules.EndReason.TOO_MANY_LIVE,
        )
    else:
        assert after == space
