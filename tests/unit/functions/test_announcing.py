"""Telling a crowd: nobody missed, nobody shown two; whatever crashes or overlaps."""

import itertools
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from spaces.domain.announcement import Announcement, AnnouncementKind
from spaces.domain.effects import Effect
from spaces.domain.errors import Contended
from spaces.domain.fan_out import LEASE, PAGE_PEOPLE
from spaces.domain.push import Push, PushOutcome
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from tests.announcing_fakes import FakePushes, a_device
from tests.builders import HOST, NOW, SPACE_ID, a_space
from tests.simulated_queue import SimulatedQueue
from tests.world import World

LIVE = Announcement(SPACE_ID, AnnouncementKind.LIVE, 1)
CROWD = 2_500


class Crash(BaseException):
    """The process is gone: nothing behind this line happens."""


@pytest.fixture
def live(world: World) -> World:
    """Return a world in which a scheduled Space has just gone live."""
    world.database.put_space(a_space(scheduled_start=NOW, schedule_version=1))
    return world


def crowd(world: World, size: int) -> set[UserId]:
    """Let so many people with a phone each wait for the Space."""
    people = {UserId(f"u{n:06}") for n in range(size)}
    for uid in people:
        world.subscribers.add(SPACE_ID, uid, NOW)
        world.devices.put(a_device(uid))
    return people


def shown(pushes: FakePushes) -> dict[UserId, int]:
    """Return how many notifications each person's phone has on its screen."""
    return {uid: len(screen) for (uid, _), screen in pushes.screens.items()}


def test_everybody_is_told_once_in_pages(live: World) -> None:
    """
    With every task delivered twice; no call is larger than a page.
    """
    people = crowd(live, CROWD)
    live.announcing.announce(LIVE)
    SimulatedQueue(live).run_until(NOW + timedelta(minutes=5), twice=True)

    assert dict(live.pushes.told("live")) == dict.fromkeys(people, 1)
    assert live.pushes.calls == -(-CROWD // PAGE_PEOPLE)
    assert live.pushes.largest_call == PAGE_PEOPLE


@pytest.mark.parametrize("seed", range(8))
def test_crashes_lose_nobody_and_show_nobody_two(
    live: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The process dies at random points of a page, again and again; whoever was sent
    the same twice has one notification, and both had one id.
    """
    people = crowd(live, CROWD)
    live.announcing.announce(LIVE)
    _die_now_and_then(live, random.Random(seed), monkeypatch)
    for _ in range(400):
        live.clock.advance(LEASE.total_seconds() + 1)
        for effect in list(live.effects.tasks.values()):
            page = int(effect.name.rsplit("-", 1)[1])
            try:
                live.announcing.tell(LIVE, page)
            except (Crash, Contended):
                continue

    assert shown(live.pushes) == dict.fromkeys(people, 1)
    ids = {(p.device.user_id, p.id) for p in live.pushes.sent}
    assert len(ids) == CROWD


def _die_now_and_then(
    world: World, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die before a page is sent, before it is noted, or before the next is asked."""
    put = world.effects.put

    def maybe() -> None:
        if dice.random() < 0.15:
            raise Crash

    def put_or_die(effect: Effect) -> None:
        maybe()
        put(effect)

    world.pushes.before_call = world.pushes.after_call = maybe
    monkeypatch.setattr(world.effects, "put", put_or_die)


def test_overlapping_tasks_send_once(live: World) -> None:
    """
    While a page is being told, others at the same page are turned away.
    """
    people = crowd(live, PAGE_PEOPLE + 50)
    turned_away = []

    def intrude() -> None:
        for page in (0, 1):
            try:
                live.announcing.tell(LIVE, page)
            except Contended:
                turned_away.append(page)

    live.pushes.before_call = intrude
    live.announcing.tell(LIVE, 0)
    live.announcing.tell(LIVE, 1)

    assert dict(live.pushes.told("live")) == dict.fromkeys(people, 1)
    assert turned_away == [0, 1]


def test_who_lost_the_lease_does_not_count(live: World) -> None:
    """
    A sender that slept through its lease finds the page told, and leaves it so.
    """
    people = crowd(live, 10)
    slept: list[bool] = []

    def sleep_once() -> None:
        if not slept:
            slept.append(True)
            live.clock.advance(LEASE.total_seconds() + 1)
            live.announcing.tell(LIVE, 0)

    live.pushes.after_call = sleep_once
    with pytest.raises(Contended):
        live.announcing.tell(LIVE, 0)

    assert shown(live.pushes) == dict.fromkeys(people, 1)


def first_times(times: int) -> Callable[[Push], PushOutcome]:
    """Answer `LATER` so many times to each device, then `SENT`."""
    seen: dict[str, int] = {}

    def answer(push: Push) -> PushOutcome:
        seen[push.device.token] = seen.get(push.device.token, 0) + 1
        later = seen[push.device.token] <= times
        return PushOutcome.LATER if later else PushOutcome.SENT

    return answer


def test_a_quota_slows_down_and_loses_nobody(live: World) -> None:
    """
    Where most is refused for now, pages come further and further apart, and
    everybody is told once in the end.
    """
    people = crowd(live, CROWD)
    live.pushes.answer = first_times(3)
    live.announcing.announce(LIVE)
    queue = SimulatedQueue(live)
    queue.run_until(NOW + timedelta(hours=2), twice=True)
    times = sorted({at for at, name in queue.log if name.startswith("tell-")})
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]

    assert dict(live.pushes.told("live")) == dict.fromkeys(people, 1)
    assert max(gaps) >= 8
    assert live.pushes.largest_call <= PAGE_PEOPLE + 1_000


def test_one_slow_device_does_not_hold_up_the_rest(live: World) -> None:
    """
    It is tried again on its own while pages go on at full speed.
    """
    people = crowd(live, CROWD)
    slow = UserId("u000003")
    live.pushes.answer = lambda push: (
        PushOutcome.LATER if push.device.user_id == slow else PushOutcome.SENT
    )
    live.announcing.announce(LIVE)
    queue = SimulatedQueue(live)
    queue.run_until(NOW)
    at_once = set(live.pushes.told("live"))
    live.pushes.answer = lambda _: PushOutcome.SENT
    queue.run_until(NOW + timedelta(minutes=30))

    assert at_once == people - {slow}
    assert dict(live.pushes.told("live")) == dict.fromkeys(people, 1)


def test_a_dead_device_is_dropped(live: World) -> None:
    """
    The person's other devices are told; the dead one is not tried again.
    """
    live.subscribers.add(SPACE_ID, UserId("ana"), NOW)
    live.devices.put(a_device("ana", device_id="old", token="dead"))
    live.devices.put(a_device("ana", device_id="new"))
    live.pushes.answer = lambda push: (
        PushOutcome.UNREGISTERED if push.device.token == "dead" else PushOutcome.SENT
    )
    live.announcing.announce(LIVE)
    SimulatedQueue(live).run_until(NOW + timedelta(hours=1))

    assert list(live.devices.devices) == [("ana", "new")]
    assert [p.device.device_id for p in live.pushes.sent] == ["new"]


def test_what_is_no_news_is_not_told(live: World) -> None:
    """
    When the Space ends half-way, those not told yet are spared, and tasks end.
    """
    crowd(live, CROWD)
    live.announcing.tell(LIVE, 0)
    live.database.put_space(a_space(SpaceState.ENDED, schedule_version=1))
    SimulatedQueue(live).run_until(NOW + timedelta(days=2))

    assert len(live.pushes.sent) == PAGE_PEOPLE
    assert live.effects.names[-1].endswith("-1")


def test_a_page_of_a_forgotten_fan_out_tells_nobody(live: World) -> None:
    """
    A task that comes after its record was deleted does not begin anew.
    """
    crowd(live, 5)

    live.announcing.tell(LIVE, 3)

    assert live.pushes.sent == []


def test_a_relaunch_tells_nobody_again(live: World) -> None:
    """
    Each launch asks that subscribers are told; only the first one finds work.
    """
    people = crowd(live, 20)
    for _ in range(3):
        live.task("launch", {"space_id": SPACE_ID, "epoch": 1})
        SimulatedQueue(live).run_until(live.clock() + timedelta(seconds=3))

    assert dict(live.pushes.told("live")) == dict.fromkeys(people, 1)
    assert HOST not in live.pushes.told("live")


def test_unscheduled_spaces_have_nobody_to_tell(world: World) -> None:
    """
    Opened in one tap, a Space announces nothing.
    """
    world.database.put_space(a_space())
    world.task("launch", {"space_id": SPACE_ID, "epoch": 1})

    assert not [name for name in world.effects.names if name.startswith("tell-")]
