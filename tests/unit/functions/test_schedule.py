"""Spaces with an appointed time: bounds, steps, moves, reminders; to the second."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from spaces.domain import schedule
from spaces.domain.errors import ScheduleOutOfRange
from spaces.domain.states import SpaceState
from tests.announcing_fakes import a_device
from tests.builders import HOST, NOW, SPACE_ID, a_space
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of

CLOUD_TASKS_LIMIT = timedelta(days=30)


def scheduled(world: World, ahead: timedelta) -> str:
    """Schedule a Space of `HOST`; return its path."""
    start = (world.clock() + ahead).isoformat()
    body = {"title": "Tea", "scheduled_start": start}
    made = world.call("POST", "/v1/spaces", as_user=HOST, json=body)
    assert made.status_code == 201, made.text
    return f"/v1/spaces/{made.get_json()['id']}"


def moved(world: World, path: str, ahead: timedelta) -> TestResponse:
    """Move it to `ahead` from now."""
    body = {"scheduled_start": (world.clock() + ahead).isoformat()}
    return world.call("PATCH", path, as_user=HOST, json=body)


def waiting(world: World, path: str, *people: str) -> None:
    """Let people with a phone each subscribe."""
    for person in (HOST, *people):
        world.devices.put(a_device(person))
    for person in people:
        answer = world.call("PUT", f"{path}/reminder", as_user=person)
        assert answer.status_code == 204, answer.text


def told(world: World) -> list[tuple[datetime, str, str]]:
    """Return when who was told what, in order."""
    return [(p.sent_at, p.kind, p.device.user_id) for p in world.pushes.sent]


@given(ahead_s=st.integers(5 * 60, 365 * 24 * 3600), version=st.integers(1, 9))
def test_the_steps_lead_to_the_time_in_hops(ahead_s: int, version: int) -> None:
    """
    However far ahead, each step is at most 30 days from the last, named once, and the
    last three are at -30 min, at the time, and 30 min after it.
    """
    start = NOW + timedelta(seconds=ahead_s)
    space = a_space(
        SpaceState.SCHEDULED, scheduled_start=start, schedule_version=version
    )
    at, names = NOW, []
    while (step := schedule.next_step(space, after=at)) is not None:
        assert timedelta(0) < step.at - at <= CLOUD_TASKS_LIMIT
        assert schedule.step_named(space, step.step, version=version) == step
        at = step.at
        names.append(step.name)

    half_hour = timedelta(minutes=30)
    assert at == start + half_hour
    assert len(set(names)) == len(names)
    wanted = [s.at for s in schedule.steps(space)][-3:]
    assert wanted == [start - half_hour, start, start + half_hour]


@pytest.mark.parametrize(
    ("ahead", "allowed"),
    [
        (timedelta(minutes=5) - timedelta(seconds=1), False),
        (timedelta(minutes=5), True),
        (timedelta(days=365), True),
        (timedelta(days=365, seconds=1), False),
        (timedelta(days=-1), False),
    ],
)
def test_bounds_of_the_time(ahead: timedelta, allowed: bool) -> None:
    """
    From 5 minutes to 365 days ahead, both included.
    """
    if allowed:
        assert schedule.check_start(NOW + ahead, now=NOW) == NOW + ahead
    else:
        with pytest.raises(ScheduleOutOfRange):
            schedule.check_start(NOW + ahead, now=NOW)


def test_a_time_out_of_bounds_is_refused_by_the_api(world: World) -> None:
    """
    At creation and when moved, with a type of its own; a time without zone is none.
    """
    body = {"scheduled_start": (NOW + timedelta(days=400)).isoformat()}
    made = world.call("POST", "/v1/spaces", as_user=HOST, json=body)
    path = scheduled(world, timedelta(days=1))
    late = moved(world, path, timedelta(days=400))
    naive = {"scheduled_start": "2030-06-01T10:00:00"}
    bare = world.call("POST", "/v1/spaces", as_user=HOST, json=naive)

    assert (made.status_code, code_of(made)) == (422, "schedule-out-of-range")
    assert code_of(late) == "schedule-out-of-range"
    assert (bare.status_code, code_of(bare)) == (422, "invalid-field")


def test_ten_at_once_and_no_more(world: World) -> None:
    """
    The eleventh is refused until one of the ten was started or called off.
    """
    paths = [scheduled(world, timedelta(days=n)) for n in range(1, 11)]
    body = {"scheduled_start": (NOW + timedelta(days=20)).isoformat()}
    refused = world.call("POST", "/v1/spaces", as_user=HOST, json=body)
    world.call("DELETE", paths[0], as_user=HOST)

    assert (refused.status_code, code_of(refused)) == (409, "list-full")
    assert scheduled(world, timedelta(days=20))


def test_a_key_answers_what_it_made_whatever_is_refused_by_now(world: World) -> None:
    """
    A repeated create answers its Space when the time is too near, or the list full.
    """
    headers = {"Idempotency-Key": "k-1"}
    start = (NOW + timedelta(minutes=6)).isoformat()

    def create(key: dict[str, str], **more: str) -> TestResponse:
        body = {"scheduled_start": start, **more}
        return world.call("POST", "/v1/spaces", as_user=HOST, json=body, headers=key)

    first = create(headers)
    for _ in range(9):
        assert create({}).status_code == 201
    full = create(headers)
    world.clock.advance(5 * 60)
    late, other = create(headers), create(headers, title="Another")

    made = first.get_json()["id"]
    assert [a.get_json().get("id") for a in (full, late)] == [made, made]
    assert (full.status_code, late.status_code) == (201, 201)
    assert code_of(other) == "idempotency-key-reused"
    assert code_of(create({})) == "schedule-out-of-range"


def test_a_time_is_not_removed_by_null(world: World) -> None:
    """
    A null time or policy is refused and pointed at; a null title removes the title.
    """
    path = scheduled(world, timedelta(days=1))

    for field in ("scheduled_start", "speaker_policy"):
        refused = world.call("PATCH", path, as_user=HOST, json={field: None})
        assert code_of(refused) == "invalid-field"
        assert refused.get_json()["errors"][0]["pointer"] == f"/{field}"
    edited = world.call("PATCH", path, as_user=HOST, json={"title": None}).get_json()

    assert edited["title"] is None
    assert edited["scheduled_start"] is not None


@pytest.mark.parametrize("twice", [False, True], ids=["once", "each task twice"])
def test_45_days_ahead_with_a_move_and_a_restart(world: World, twice: bool) -> None:
    """
    Across hops, a move to another day and back, and a queue that forgot what it had
    delivered: host and subscribers are told to the second, each of each thing once.
    """
    path = scheduled(world, timedelta(days=45))
    waiting(world, path, "ana", "bo")
    queue = SimulatedQueue(world)
    queue.run_until(NOW + timedelta(days=10), twice=twice)
    before_move = told(world)
    assert moved(world, path, timedelta(days=50)).status_code == 200
    queue.run_until(NOW + timedelta(days=45), twice=twice)
    after_move = told(world)
    queue = SimulatedQueue(world)  # delivers all that was ever enqueued again
    start = NOW + timedelta(days=60)
    queue.run_until(start, twice=twice)
    world.call("POST", f"{path}/start", as_user=HOST)
    # As long as whoever never starts is waited for, and longer.
    queue.run_until(start + timedelta(minutes=40), twice=twice)

    ten_days = NOW + timedelta(days=10)
    assert before_move == []
    assert after_move == [(ten_days, "moved", u) for u in ("ana", "bo")]
    assert told(world)[2:] == [
        (start - timedelta(minutes=30), "host_soon", HOST),
        (start, "host_due", HOST),
        (start, "live", "ana"),
        (start, "live", "bo"),
    ]
    assert world.call("GET", path).get_json()["state"] == "live"


def test_started_early(world: World) -> None:
    """
    Subscribers are told at that moment, the host of nothing more, nobody twice.
    """
    path = scheduled(world, timedelta(hours=5))
    waiting(world, path, "ana")
    queue = SimulatedQueue(world)
    queue.run_until(NOW + timedelta(hours=1))
    world.call("POST", f"{path}/start", as_user=HOST)
    queue.run_until(NOW + timedelta(hours=1, minutes=1))
    world.call("POST", f"{path}/end", as_user=HOST)
    queue.run_until(NOW + timedelta(hours=8))

    assert told(world) == [(NOW + timedelta(hours=1), "live", "ana")]


def test_called_off(world: World) -> None:
    """
    Subscribers are told once, however often it is called off; then nothing happens.
    """
    path = scheduled(world, timedelta(days=2))
    waiting(world, path, "ana")
    for _ in range(2):
        assert world.call("DELETE", path, as_user=HOST).status_code == 204
    SimulatedQueue(world).run_until(NOW + timedelta(days=3), twice=True)
    space = world.call("GET", path).get_json()

    assert told(world) == [(NOW, "cancelled", "ana")]
    assert (space["state"], space["end_reason"]) == ("cancelled", "host_cancelled")


def test_a_no_show_is_called_off_after_half_an_hour(world: World) -> None:
    """
    30 min past the time to the second, and subscribers are told.
    """
    path = scheduled(world, timedelta(minutes=10))
    waiting(world, path, "ana")
    expires_at = NOW + timedelta(minutes=40)
    queue = SimulatedQueue(world)
    queue.run_until(expires_at - timedelta(seconds=1), twice=True)
    before = world.call("GET", path).get_json()["state"]
    queue.run_until(expires_at, twice=True)
    after = world.call("GET", path).get_json()

    assert (before, after["state"]) == ("scheduled", "cancelled")
    assert after["end_reason"] == "host_no_show"
    assert told(world)[-1] == (expires_at, "cancelled", "ana")
    start = world.call("POST", f"{path}/start", as_user=HOST)
    assert code_of(start) == "illegal-transition"


def test_moved_twice_in_a_row_tells_the_last_time(world: World) -> None:
    """
    What a later move has overtaken is not told, nor reminded of.
    """
    path = scheduled(world, timedelta(days=2))
    waiting(world, path, "ana")
    moved(world, path, timedelta(days=3))
    moved(world, path, timedelta(days=4))
    moved(world, path, timedelta(days=4))
    SimulatedQueue(world).run_until(NOW + timedelta(days=4))

    assert [kind for _, kind, uid in told(world) if uid == "ana"] == ["moved"]
    assert "May 8" in world.pushes.sent[0].body
    assert [at for at, kind, _ in told(world) if kind == "host_due"] == [
        NOW + timedelta(days=4)
    ]


def test_only_the_host_moves_and_only_what_waits(world: World) -> None:
    """
    Others are refused; so is a Space that is live, or never had a time.
    """
    path = scheduled(world, timedelta(days=2))
    body = {"scheduled_start": (NOW + timedelta(days=3)).isoformat()}
    other = world.call("PATCH", path, as_user="ana", json=body)
    world.call("POST", f"{path}/start", as_user=HOST)
    live = world.call("PATCH", path, as_user=HOST, json=body)
    untimed = world.call("POST", "/v1/spaces", as_user=HOST, json={}).get_json()
    never = world.call("PATCH", f"/v1/spaces/{untimed['id']}", as_user=HOST, json=body)

    assert code_of(other) == "moderator-only"
    assert code_of(live) == "illegal-transition"
    assert code_of(never) == "not-scheduled"


def test_reminders_are_for_spaces_that_wait(world: World) -> None:
    """
    Of a Space that is live, over or without a time nobody can be reminded.
    """
    for state in SpaceState:
        start = NOW if state is not SpaceState.SCHEDULED else None
        world.database.put_space(a_space(state, scheduled_start=start))
        answer = world.call("PUT", f"/v1/spaces/{SPACE_ID}/reminder", as_user="ana")
        assert (answer.status_code, code_of(answer)) == (409, "not-scheduled")
    gone = world.call("PUT", "/v1/spaces/1None1None1No/reminder", as_user="ana")
    assert code_of(gone) == "space-not-found"


def test_a_crowd_is_counted_once_in_ten_seconds(world: World) -> None:
    """
    Subscribing and unsubscribing, repeated or not, end in the true count.
    """
    path = scheduled(world, timedelta(days=1))
    people = [f"p{n}" for n in range(40)]
    waiting(world, path, *people, *people)
    for person in people[:10]:
        world.call("DELETE", f"{path}/reminder", as_user=person)
    counts = [name for name in world.effects.names if name.startswith("count-")]
    at_once = world.call("GET", path).get_json()["subscriber_count"]
    SimulatedQueue(world).run_until(NOW + timedelta(seconds=10))

    assert len(counts) == 1
    assert at_once == 0
    assert world.call("GET", path).get_json()["subscriber_count"] == 30


def test_who_unsubscribed_is_left_alone(world: World) -> None:
    """
    They are not told that the Space is live.
    """
    path = scheduled(world, timedelta(hours=1))
    waiting(world, path, "ana", "bo")
    world.call("DELETE", f"{path}/reminder", as_user="ana")
    world.call("POST", f"{path}/start", as_user=HOST)
    SimulatedQueue(world).run_until(NOW + timedelta(minutes=1))

    assert [uid for _, _, uid in told(world)] == ["bo"]


def test_a_queue_that_is_down_schedules_nothing(world: World) -> None:
    """
    Without the queue a Space cannot be promised: 503, and nothing is stored.
    """
    world.effects.down = True
    body = {"scheduled_start": datetime(2030, 6, 1, tzinfo=UTC).isoformat()}

    made = world.call("POST", "/v1/spaces", as_user=HOST, json=body)

    assert (made.status_code, code_of(made)) == (503, "dependency-unavailable")
    assert world.database.spaces == {}


def test_a_move_while_the_queue_is_down_is_swept_up(world: World) -> None:
    """
    The move holds; its steps and its message come with the next sweep.
    """
    path = scheduled(world, timedelta(days=1))
    waiting(world, path, "ana")
    world.effects.down = True
    assert moved(world, path, timedelta(days=2)).status_code == 200
    world.effects.down = False
    world.clock.advance(16)
    world.task("sweep", {})
    SimulatedQueue(world).run_until(NOW + timedelta(hours=1))

    assert [kind for _, kind, _ in told(world)] == ["moved"]
    assert any(name.endswith("-2-remind") for name in world.effects.names)
