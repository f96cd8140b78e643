"""What operators do: with their own key alone, and whatever people's rules say."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from spaces.domain.states import SpaceState
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import Role
from tests.applications import ADMIN_KEY
from tests.builders import (
    HOST,
    NOW,
    SPACE_ID,
    a_participant,
    a_profile,
    a_space,
)
from tests.recorded_world import CONSENT, ONE, YES, put, requested
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of

SPACE = f"/v1/spaces/{SPACE_ID}"
ANA, BO = UserId("ana"), UserId("bo")


def admin(
    world: World, method: str, path: str, body: Any = None, key: str = ADMIN_KEY
) -> TestResponse:
    """Call as an operator."""
    headers = {"Authorization": f"Bearer {key}"}
    return world.call(method, f"/v1/admin{path}", json=body, headers=headers)


@pytest.mark.parametrize("key", ["", "x", ADMIN_KEY[:-1], ADMIN_KEY + "x", "uid:ana"])
def test_nobody_else_is_let_in(world: World, key: str) -> None:
    """
    Neither without a key, nor with part of it, nor with a person's ID token.
    """
    calls = [op for op in world.operations if op.path.startswith("/v1/admin")]
    for operation in calls:
        path = operation.path.removeprefix("/v1/admin").format(
            user_id="ana", space_id=SPACE_ID, report_id="0" * 32
        )
        refused = admin(world, operation.method, path, key=key)
        assert code_of(refused) == "invalid-operator-key", operation.id

    assert len(calls) == 8
    assert world.suspensions.suspended == frozenset()


def test_the_host_app_brings_its_people(world: World) -> None:
    """
    Each account by itself: a taken handle fails alone; again is harmless.
    """
    users = [
        {"uid": "u1", "handle": "one", "display_name": "One"},
        {"uid": "u2", "handle": "ONE", "display_name": "Two"},
        {"uid": "u3", "handle": "three", "display_name": "Three", "protected": True},
    ]
    for _ in range(2):
        answer = admin(world, "POST", "/users", {"users": users}).get_json()
        results = answer["results"]

    assert [each["status"] for each in results] == ["saved", "failed", "saved"]
    assert results[1]["code"] == "handle-taken"
    assert world.database.profiles[UserId("u3")].protected


def test_the_host_app_brings_follows_and_blocks(world: World) -> None:
    """
    Made and ended; a block works at once where they are live.
    """
    world.database.put_space(a_space(creator_id=HOST))
    world.database.put_member(SPACE_ID, a_participant("bo"))
    edges = [{"uid": "ana", "other": other} for other in ("bo", "stranger")]
    followed = admin(world, "POST", "/follows", {"edges": edges}).get_json()["results"]
    after = set(world.database.following)
    ended = {"edges": [{"uid": "ana", "other": "bo", "ended": True}]}
    admin(world, "POST", "/follows", ended)
    admin(world, "POST", "/blocks", {"edges": [{"uid": HOST, "other": "bo"}]})

    assert [each["code"] for each in followed] == [None, "user-not-found"]
    assert (after, world.database.following) == ({(ANA, BO)}, set())
    assert world.database.members[SPACE_ID, BO].removed


def test_reports_are_listed_and_closed(world: World) -> None:
    """
    The oldest first, in pages; closed with a note they leave the list.
    """
    world.database.put_space(a_space())
    for user in ("ana", "bo"):
        world.clock.advance(1)
        body = {"reason": "spam", "comment": user}
        world.call("POST", f"{SPACE}/reports", as_user=user, json=body)
    first = admin(world, "GET", "/reports?page_size=1").get_json()
    token = first["next_page_token"]
    second = admin(world, "GET", f"/reports?page_size=1&page_token={token}").get_json()
    path = f"/reports/{first['reports'][0]['id']}/resolve"
    closed = [admin(world, "POST", path, {"note": n}) for n in ("done", "done", "no")]
    missing = admin(world, "POST", f"/reports/{'0' * 32}/resolve", {"note": "x"})
    listed = admin(world, "GET", "/reports").get_json()["reports"]
    resolved = admin(world, "GET", "/reports?state=resolved").get_json()["reports"]

    assert [p["reports"][0]["comment"] for p in (first, second)] == ["ana", "bo"]
    assert [answer.status_code for answer in closed] == [200, 200, 409]
    assert code_of(missing) == "report-not-found"
    assert [r["comment"] for r in listed] == ["bo"]
    assert [(r["comment"], r["note"]) for r in resolved] == [("ana", "done")]


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (SpaceState.LIVE, "ended"),
        (SpaceState.SCHEDULED, "cancelled"),
        (SpaceState.ENDED, "ended"),
        (SpaceState.CANCELLED, "cancelled"),
    ],
)
def test_an_operator_closes_a_space(
    world: World, state: SpaceState, after: str
) -> None:
    """
    Whatever state it is in; people who waited are told of a cancellation.
    """
    waiting = state is SpaceState.SCHEDULED
    start = NOW + timedelta(days=1) if waiting else None
    world.database.put_space(
        a_space(state, scheduled_start=start, schedule_version=int(waiting))
    )
    for _ in range(2):
        closed = admin(world, "POST", f"/spaces/{SPACE_ID}/end")

    assert (closed.status_code, closed.get_json()["state"]) == (200, after)
    told = [name for name in world.effects.names if name.startswith("schedule-")]
    assert len(told) == waiting


def test_a_suspended_person_is_out_of_everything(world: World) -> None:
    """
    Off the stage of others, their own Space over, and refused at every door but
    those to their own data.
    """
    own = a_space(id=SpaceId("2Space2Space2"), creator_id=ANA, host_ids=(ANA,))
    world.database.put_space(own)
    world.database.put_space(a_space(speaker_ids=(ANA,)))
    world.database.put_profile(a_profile("ana"))
    world.database.put_member(SPACE_ID, a_participant("ana", Role.SPEAKER))
    suspended = admin(world, "PUT", "/users/ana/suspension")
    SimulatedQueue(world).run_until(world.clock())
    me = world.call("GET", "/v1/me", as_user="ana")
    join = world.call("POST", f"{SPACE}/join", as_user="ana")
    member = world.database.members[SPACE_ID, ANA]

    assert suspended.status_code == 204
    refused = {(r.status_code, code_of(r)) for r in (me, join)}
    assert refused == {(403, "account-suspended")}
    assert world.database.spaces[own.id].state is SpaceState.ENDED
    assert (member.removed, member.on_stage) == (True, False)
    assert member.anonymous_id is not None
    assert world.database.spaces[SPACE_ID].speaker_ids == ()
    assert world.call("GET", "/v1/me/export", as_user="ana").status_code == 200
    admin(world, "DELETE", "/users/ana/suspension")
    assert world.call("GET", "/v1/me", as_user="ana").status_code == 200


def test_a_suspended_person_takes_their_voice_out(world: World) -> None:
    """
    Shut out, one may still see to what one consented, and take it back; not agree anew.
    """
    world.database.put_profile(a_profile(HOST))
    world.database.put_profile(a_profile("ana"))
    world.database.put_space(a_space(speaker_ids=(ANA,)))
    world.database.put_member(SPACE_ID, a_participant(HOST, Role.HOST))
    world.database.put_member(SPACE_ID, a_participant("ana", Role.SPEAKER))
    requested(world)
    put(world, CONSENT, "ana", YES)
    admin(world, "PUT", "/users/ana/suspension")
    SimulatedQueue(world).run_until(world.clock())

    receipts = world.call("GET", "/v1/me/receipts", as_user="ana")
    withdrawn = world.call("DELETE", f"{ONE}/consent", as_user="ana")
    again = world.call("DELETE", CONSENT, as_user="ana")
    agreed = world.call("PUT", CONSENT, as_user="ana", json=YES)

    (answer,) = receipts.get_json()["answers"]
    assert (answer["recording_id"], answer["state"]) == (SPACE_ID, "granted")
    assert withdrawn.get_json()["state"] == again.get_json()["state"] == "withdrawn"
    assert code_of(agreed) == "account-suspended"


def test_a_suspended_person_is_heard_and_hears_nowhere(world: World) -> None:
    """
    Where they listen anonymously, too: their sessions have to go in every live Space,
    of which no list says that they are there, and none shows it afterwards.
    """
    world.database.put_profile(a_profile("ana"))
    over = a_space(SpaceState.ENDED, id=SpaceId("2Space2Space2"))
    world.database.put_space(over)
    world.database.put_space(a_space())
    joined = world.call(
        "POST", f"{SPACE}/join", as_user="ana", json={"anonymous": True}
    )
    for _ in range(2):
        assert admin(world, "PUT", "/users/ana/suspension").status_code == 204
    SimulatedQueue(world).run_until(world.clock(), twice=True)

    removed = world.database.members[SPACE_ID, ANA]
    assert (removed.removed, removed.anonymous_id) == (True, joined.get_json()["uid"])
    assert (over.id, ANA) not in world.database.members
    listed = world.call("GET", f"{SPACE}/participants", as_user="bo").get_json()
    assert listed["participants"] == []


def test_a_suspension_is_bounded_and_a_task_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However many Spaces are live, the call writes to none; each task is at it for ten
    seconds, and the next begins where it ended.
    """
    spaces = [SpaceId(f"2Space2Space{c}") for c in "23456789ABCDEFGHJKLMNPQRSTU"]
    for n, space_id in enumerate(spaces):
        started = NOW + timedelta(seconds=n // 2)  # some at the same time
        world.database.put_space(a_space(id=space_id, started_at=started))
    world.database.put_profile(a_profile("ana"))
    slow = world.shutting_out.members.update
    wrote: list[SpaceId] = []

    def update(space_id: SpaceId, user_id: UserId, decide: Any) -> Any:
        wrote.append(space_id)
        world.clock.advance(2)
        return slow(space_id, user_id, decide)

    monkeypatch.setattr(
        type(world.shutting_out.members), "update", staticmethod(update)
    )
    admin(world, "PUT", "/users/ana/suspension")
    in_the_call = len(wrote)
    queue = SimulatedQueue(world)
    queue.run_until(NOW + timedelta(hours=1))

    assert in_the_call == 0
    assert set(wrote) == set(spaces)
    tasks = [name for _, name in queue.log if name.startswith("shut-out-ana")]
    assert len(wrote) == 2 * len(spaces)  # the second time when all instances know
    assert len(tasks) == len(set(tasks)) == 12


def test_spaces_long_over_do_not_keep_a_suspension_from_getting_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever was listening when a Space ended is listed there for ever, and nothing is
    written: looking through those, slowly, is done once in a round.
    """
    for c in "23456789":
        over = a_space(SpaceState.ENDED, id=SpaceId(f"2Space2Space{c}"))
        world.database.put_space(over)
        world.database.put_member(over.id, a_participant("ana"))
    world.database.put_space(a_space())
    world.database.put_profile(a_profile("ana"))
    slow = world.shutting_out.members.update

    def update(space_id: SpaceId, user_id: UserId, decide: Any) -> Any:
        world.clock.advance(2)
        return slow(space_id, user_id, decide)

    monkeypatch.setattr(
        type(world.shutting_out.members), "update", staticmethod(update)
    )
    admin(world, "PUT", "/users/ana/suspension")
    queue = SimulatedQueue(world)
    queue.run_until(NOW + timedelta(hours=1))

    assert world.database.members[SPACE_ID, ANA].removed
    assert len(queue.log) <= 4


def test_a_space_that_somebody_deleted_keeps_nobody_in_the_others(world: World) -> None:
    """
    By hand, as operators do in need: people stay listed under it, and the task goes on.
    """
    gone = SpaceId("2Space2Space2")
    world.database.put_member(gone, a_participant("ana"))
    world.database.put_space(a_space())
    world.database.put_profile(a_profile("ana"))
    admin(world, "PUT", "/users/ana/suspension")
    SimulatedQueue(world).run_until(NOW + timedelta(hours=1))

    assert world.database.members[SPACE_ID, ANA].removed


def test_whoever_came_in_before_all_instances_knew_is_removed(world: World) -> None:
    """
    Other instances let them in for half a minute: all is looked at again after that.
    """
    world.database.put_profile(a_profile("ana"))
    queue = SimulatedQueue(world)
    admin(world, "PUT", "/users/ana/suspension")
    queue.run_until(NOW + timedelta(seconds=20))
    world.database.put_space(a_space())
    world.database.put_member(SPACE_ID, a_participant("ana"))
    queue.run_until(NOW + timedelta(minutes=1))
    rounds = len(queue.log)
    queue.run_until(NOW + timedelta(hours=1))

    assert world.database.members[SPACE_ID, ANA].removed
    assert len(queue.log) == rounds == 2


def test_a_suspension_that_is_taken_back_removes_nobody(world: World) -> None:
    """
    The task that comes late looks first.
    """
    world.database.put_space(a_space())
    world.database.put_member(SPACE_ID, a_participant("ana"))
    world.database.put_profile(a_profile("ana"))
    admin(world, "PUT", "/users/ana/suspension")
    admin(world, "DELETE", "/users/ana/suspension")
    SimulatedQueue(world).run_until(NOW + timedelta(minutes=5))

    assert not world.database.members[SPACE_ID, ANA].removed


def test_a_suspension_outlives_a_queue_that_is_down(world: World) -> None:
    """
    It is kept with what shuts them out; a sweep sees to that.
    """
    world.database.put_space(a_space())
    world.database.put_member(SPACE_ID, a_participant("ana"))
    world.database.put_profile(a_profile("ana"))
    world.effects.down = True
    answer = admin(world, "PUT", "/users/ana/suspension")
    world.effects.down = False
    world.clock.advance(60)
    world.task("sweep", {})
    SimulatedQueue(world).run_until(world.clock())

    assert answer.status_code == 204
    assert world.database.members[SPACE_ID, ANA].removed


def test_other_instances_learn_of_it_soon(world: World) -> None:
    """
    Within half a minute, by one read and not by one for each call.
    """
    world.call("GET", "/v1/me", as_user="ana")
    world.suspensions.suspended |= {ANA}
    for _ in range(20):
        world.call("GET", "/v1/me", as_user="bo")
    before = world.call("GET", "/v1/me", as_user="ana").status_code
    world.clock.advance(30)
    after = world.call("GET", "/v1/me", as_user="ana").status_code

    assert (before, after, world.suspensions.reads) == (200, 403, 2)


def test_a_silent_store_lets_the_known_act_and_no_more(world: World) -> None:
    """
    Whoever was suspended stays so; before anything was ever read, nobody acts.
    """
    world.suspensions.suspended |= {ANA}
    world.suspensions.down = True
    unknown = world.call("GET", "/v1/me", as_user="bo")
    world.suspensions.down = False
    world.call("GET", "/v1/me", as_user="bo")
    world.suspensions.down = True
    world.clock.advance(60)
    answers = [world.call("GET", "/v1/me", as_user=who) for who in ("ana", "bo")]

    assert unknown.status_code == 503
    assert [answer.status_code for answer in answers] == [403, 200]
