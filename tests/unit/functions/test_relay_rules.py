"""When a Space gets relays, and who is sent to which."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from spaces.domain.relays import (
    PlacedRelay,
    RelayBook,
    RelayLimits,
    choose,
    concerns,
    places,
    plan,
)
from spaces.domain.runtime import Runtime
from spaces_contract.relays import RelayReport, relay_of, relay_session
from spaces_contract.runtime import LAUNCH_LIMIT_S
from tests.builders import NOW, a_runtime

LIMITS = RelayLimits(from_share=0.8, most=2)
LONG_AGO = NOW - timedelta(seconds=LAUNCH_LIMIT_S + 1)


def a_loaded(origin: int, *relays: int, each: int = 100, hls: int = 0) -> Runtime:
    """Return a runtime with so many listeners at each worker; each takes `each`."""
    return replace(
        a_runtime(),
        listener_count=origin + sum(relays) + hls,
        hls_listener_count=hls,
        capacity=each * (1 + len(relays)),
        relays={
            index: RelayReport(
                control_url=f"http://relay-{index}", listeners=listeners, capacity=each
            )
            for index, listeners in enumerate(relays)
        },
    )


def a_book(**placed: PlacedRelay) -> RelayBook:
    """Return a book of relays `r0`, `r1`… of the first epoch."""
    relays = {int(name[1:]): each for name, each in placed.items()}
    return RelayBook(epoch=1, next_index=len(relays), placed=relays)


OLD = PlacedRelay(placed_at=LONG_AGO, ref="old")
NEW = PlacedRelay(placed_at=NOW, ref="new")


@pytest.mark.parametrize(
    ("runtime", "book", "place", "stop"),
    [
        (a_loaded(79), None, None, ()),
        (a_loaded(80), None, 0, ()),
        (a_loaded(79, hls=1_000), None, None, ()),
        (a_loaded(90, 60), a_book(r0=OLD), None, ()),
        (a_loaded(90, 70), a_book(r0=OLD), 1, ()),
        (a_loaded(90, 80, 80), a_book(r0=OLD, r1=OLD), None, ()),
        # One that was asked for a moment ago is waited for, then replaced.
        (a_loaded(90), a_book(r0=NEW), None, ()),
        (a_loaded(90), a_book(r0=OLD), 1, ("old",)),
        # The others must be far from full before one goes.
        (a_loaded(40, 1), a_book(r0=OLD), None, ()),
        (a_loaded(39, 1), a_book(r0=OLD), None, ("old",)),
        (a_loaded(10, 60, 1), a_book(r0=NEW, r1=OLD), None, ("old",)),
        (a_loaded(10, 10), a_book(r0=OLD, r1=NEW), None, ()),
    ],
)
def test_relays_are_placed_and_stopped_by_load(
    runtime: Runtime, book: RelayBook | None, place: int | None, stop: tuple[str, ...]
) -> None:
    """
    Another one where all are full to the threshold, one at a time, none without need.
    """
    planned = plan(book, runtime, now=NOW, limits=LIMITS)

    assert (planned.place, planned.stop) == (place, stop)
    if place is not None or stop:
        assert concerns(runtime, LIMITS)


def test_no_number_is_used_twice_in_an_epoch() -> None:
    """
    A launcher starts the same workload once: a lost relay's successor has another name.
    """
    first = plan(None, a_loaded(90), now=LONG_AGO, limits=LIMITS)
    second = plan(first.book, a_loaded(90), now=NOW, limits=LIMITS)

    assert (first.place, second.place) == (0, 1)
    assert set(second.book.placed) == {1}


def test_a_new_epoch_begins_without_relays() -> None:
    """
    Those of the epoch before are stopped, in case they have not noticed.
    """
    book = RelayBook(epoch=0, next_index=7, placed={6: OLD})

    planned = plan(book, a_loaded(10), now=NOW, limits=LIMITS)

    assert planned.stop == ("old",)
    assert planned.book == RelayBook(epoch=1)


def test_a_worker_that_tells_no_capacity_gets_no_relay() -> None:
    """
    Before its first heartbeat nobody knows how full it is.
    """
    assert places(a_runtime()) == []
    assert not concerns(a_runtime(), LIMITS)
    assert choose(a_runtime(), "ana", LIMITS) is None


@pytest.mark.parametrize(
    ("runtime", "shares"),
    [
        (a_loaded(0), {None: 1.0}),
        (a_loaded(90, 0), {0: 1.0}),
        (a_loaded(0, 0), {None: 0.5, 0: 0.5}),
        (a_loaded(60, 20, 80), {None: 0.25, 0: 0.75}),
        # All are beyond the threshold: what is left decides.
        (a_loaded(90, 95), {None: 2 / 3, 0: 1 / 3}),
        (a_loaded(100, 100), {None: 1.0}),
    ],
)
def test_listeners_are_spread_by_the_room_that_is_left(
    runtime: Runtime, shares: dict[int | None, float]
) -> None:
    """
    A crowd that comes between two heartbeats does not all go to one worker.
    """
    chosen = [choose(runtime, f"listener-{n}", LIMITS) for n in range(2_000)]
    found = Counter(None if place is None else place.relay for place in chosen)

    assert set(found) == set(shares)
    for relay, share in shares.items():
        assert found[relay] / 2_000 == pytest.approx(share, abs=0.05)


def test_a_relay_that_takes_nobody_gets_nobody() -> None:
    """
    One that has lost its feed says that it has no capacity.
    """
    runtime = a_loaded(90, 10)
    lame = replace(runtime.relays[0], capacity=0)
    runtime = replace(runtime, relays={0: lame}, capacity=100)

    assert all(choose(runtime, str(n), LIMITS).relay is None for n in range(50))  # type: ignore[union-attr]  # a Place each


def test_the_same_person_falls_to_the_same_place() -> None:
    """
    So that who listens on a second device replaces the first one's session.
    """
    runtime = a_loaded(10, 10, 10)

    assert len({choose(runtime, "ana", LIMITS) for _ in range(5)}) == 1


def test_a_sessions_id_tells_who_holds_it() -> None:
    """
    An origin's ids are 24 characters long, whatever they end in.
    """
    token = "abcdefghijklmnopqrstuv-7"

    assert relay_of(token) is None
    assert relay_of(relay_session(token, 12)) == 12


@pytest.mark.parametrize("wrong", [{"from_share": 0.0}, {"most": 65}, {"most": -1}])
def test_limits_are_checked(wrong: dict[str, float]) -> None:
    """
    A share of nothing would place relays for nobody.
    """
    with pytest.raises(ValueError, match="relays"):
        RelayLimits(**wrong)  # type: ignore[arg-type]  # that is the point
