"""A host who drops: covered by a co-host, shown as away, given up; or back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.domain import host_drop
from spaces.domain import space as rules
from spaces.domain.errors import HostOnly
from spaces.domain.host_presence import (
    TRANSITIONS,
    HostEvent,
    HostPresence,
    HostState,
)
from spaces.domain.space import EndReason, Space
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from spaces_contract.runtime import WorkerState
from tests.builders import HOST, NOW, SPACE_ID, a_runtime, a_space
from tests.world import World

ANA, BO = UserId("ana"), UserId("bo")
LOOK_S = 5


class Film:
    """One Space, looked at every 5 s while people come and go."""

    def __init__(self, *co_hosts: UserId) -> None:
        self.space = a_space(host_ids=(HOST, *co_hosts))
        self.now = NOW

    def run(self, seconds: int, *there: UserId) -> Space:
        """Let `seconds` pass with just these on stage."""
        for _ in range(seconds // LOOK_S):
            self.now += timedelta(seconds=LOOK_S)
            runtime = a_runtime(heartbeat_at=self.now, connected_ids=there)
            self.space = host_drop.look(self.space, runtime, now=self.now).space
        return self.space

    @property
    def state(self) -> HostState:
        return self.space.host_presence.state


def test_the_longest_serving_co_host_takes_over_after_a_minute() -> None:
    """
    Up to 60 s the host is only missing; then the co-host appointed first acts.
    """
    film = Film(ANA, BO)

    early = film.run(65, BO, ANA).host_presence.state
    late = film.run(5, BO, ANA)

    assert early is HostState.MISSING
    assert late.host_presence.acting_host_id == ANA
    assert late.is_led_by(ANA)
    assert not late.is_led_by(BO)
    assert late.creator_id == HOST
    assert late.is_led_by(HOST)


def test_the_host_coming_back_is_host_again() -> None:
    """
    From every state in which the Space is live, and at the first look.
    """
    for seconds, co_hosts in ((30, ()), (90, (ANA,)), (90, ()), (350, ())):
        film = Film(*co_hosts)
        film.run(seconds, *co_hosts)
        assert film.state is not HostState.PRESENT
        back = film.run(LOOK_S, HOST, *co_hosts).host_presence
        assert back.state is HostState.PRESENT
        assert back.acting_host_id is None


def test_nobody_to_cover_ends_the_space_after_five_minutes() -> None:
    """
    Away is shown after 60 s; 5 min later the Space is over, for that reason.
    """
    film = Film()

    away = film.run(70).host_away
    still = film.run(295).host_away
    over = film.run(5)

    assert (away, still) == (True, True)
    assert (over.state, over.end_reason) == (SpaceState.ENDED, EndReason.HOST_LEFT)
    assert not over.host_away


def test_a_co_host_who_comes_while_the_host_is_away_takes_over() -> None:
    """
    The five minutes are for anybody who can lead.
    """
    film = Film(ANA)
    film.run(120)

    assert film.state is HostState.AWAY
    assert film.run(LOOK_S, ANA).is_led_by(ANA)


def test_who_acts_may_drop_as_well() -> None:
    """
    They are missed for 60 s too; then the next co-host acts, or nobody.
    """
    film = Film(ANA, BO)
    film.run(90, ANA, BO)
    blink = film.run(30, BO).host_presence
    kept = film.run(LOOK_S, ANA, BO).host_presence
    film.run(90, BO)

    assert (blink.state, blink.acting_host_id) == (HostState.COVER_MISSING, ANA)
    assert (kept.state, kept.acting_host_id) == (HostState.COVERED, ANA)
    assert film.space.is_led_by(BO)
    film.run(90)
    assert film.space.host_away


@pytest.mark.parametrize(
    "runtime",
    [
        None,
        a_runtime(WorkerState.LAUNCHING),
        a_runtime(WorkerState.DRAINING),
        a_runtime(epoch=7),
        a_runtime(heartbeat_at=NOW - timedelta(seconds=100)),
    ],
    ids=["none", "launching", "draining", "other epoch", "silent"],
)
def test_without_a_report_nobody_is_judged(runtime: object) -> None:
    """
    A worker that does not say who is there takes no host's Space away.
    """
    away = HostPresence(state=HostState.AWAY, since=NOW - timedelta(hours=1))
    space = a_space(host_presence=away)

    looked = host_drop.look(space, runtime, now=NOW)  # type: ignore[arg-type]

    assert looked.space == space


@given(
    steps=st.lists(
        st.tuples(st.sets(st.sampled_from([HOST, ANA, BO])), st.integers(1, 80)),
        max_size=25,
    )
)
def test_however_looks_fall(steps: list[tuple[set[UserId], int]]) -> None:
    """
    A look repeated changes nothing; who is there leads; only neglect ends a Space.
    """
    space, now = a_space(host_ids=(HOST, ANA, BO)), NOW
    for there, seconds in steps:
        now += timedelta(seconds=seconds)
        runtime = a_runtime(heartbeat_at=now, connected_ids=tuple(there))
        before, space = space, host_drop.look(space, runtime, now=now).space
        assert host_drop.look(space, runtime, now=now).space == space
        if HOST in there and before.state is SpaceState.LIVE:
            assert space.host_presence.state is HostState.PRESENT
        if space.state is SpaceState.ENDED and before.state is SpaceState.LIVE:
            assert before.host_away
            assert not there
        acting = space.host_presence.acting_host_id
        assert acting is None or acting in (ANA, BO)


def test_every_state_is_left_by_the_hosts_return() -> None:
    """
    The table brings the host back from wherever the Space is live without them.
    """
    for state in HostState:
        if state not in (HostState.PRESENT, HostState.GIVEN_UP):
            assert TRANSITIONS[state, HostEvent.HOST_SEEN] is HostState.PRESENT


def test_who_acts_as_host_may_end_the_space() -> None:
    """
    And nobody else beside the host.
    """
    covered = HostPresence(state=HostState.COVERED, since=NOW, acting_host_id=ANA)
    space = a_space(host_ids=(HOST, ANA, BO), host_presence=covered)

    for actor_id in (HOST, ANA):
        ended = rules.end(space, actor_id=actor_id, now=NOW).space
        assert ended.state is SpaceState.ENDED
        assert rules.end(ended, actor_id=actor_id, now=NOW).space == ended
    with pytest.raises(HostOnly):
        rules.end(space, actor_id=BO, now=NOW)


def test_the_watchdog_drives_it_and_the_space_shows_it(world: World) -> None:
    """
    Looks of the watchdog alone bring a Space from its host's drop to its end,
    whatever is repeated on the way, and then clear up.
    """
    world.database.put_space(a_space())
    shown = []
    for n in range(80):
        world.clock.advance(LOOK_S)
        world.database.runtimes[SPACE_ID] = a_runtime(heartbeat_at=world.clock())
        for _ in range(2):
            look = {"space_id": SPACE_ID, "epoch": 1, "n": n}
            assert world.task("watchdog", look).status_code == 204
        view = world.call("GET", f"/v1/spaces/{SPACE_ID}").get_json()
        shown.append((view["state"], view["host_away"], view["end_reason"]))

    assert shown[12] == ("live", False, None)
    assert shown[13] == ("live", True, None)
    assert shown[-1] == ("ended", False, "host_left")
