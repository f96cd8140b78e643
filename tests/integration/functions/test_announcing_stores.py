"""Subscribers, devices and fan-outs in Firestore, and what overlaps there."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spaces.adapters.clock import random_space_id, random_token
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.fan_outs import FirestoreFanOutStore
from spaces.adapters.firestore.push_devices import FirestoreDeviceStore
from spaces.adapters.firestore.subscribers import FirestoreSubscriberStore
from spaces.domain.announcement import Announcement, AnnouncementKind
from spaces.domain.errors import Contended
from spaces.domain.fan_out import LEASE, FanOut, Waiting, claim
from spaces.domain.push import Platform
from spaces_contract.ids import SpaceId, UserId
from tests.announcing_fakes import (
    MemoryFanOutStore,
    MemorySubscriberStore,
)
from tests.builders import NOW, a_profile
from tests.fakes import MemoryDatabase
from tests.world import World

PEOPLE = [UserId(name) for name in ("Zoe", "ana", "b-1", "bo", "u_1")]


@pytest.fixture(params=["memory", "firestore"])
def subscribers(request: pytest.FixtureRequest) -> Any:
    """Return a store of each technology."""
    if request.param == "memory":
        return MemorySubscriberStore(MemoryDatabase())
    return FirestoreSubscriberStore(request.getfixturevalue("client"))


@pytest.fixture(params=["memory", "firestore"])
def fan_outs(request: pytest.FixtureRequest) -> Any:
    """Return a store of each technology."""
    if request.param == "memory":
        return MemoryFanOutStore()
    return FirestoreFanOutStore(request.getfixturevalue("client"))


def live() -> Announcement:
    """Return an announcement that no other test knows."""
    return Announcement(random_space_id(), AnnouncementKind.LIVE, 1)


def test_subscribers_come_in_pages(subscribers: Any) -> None:
    """
    Each once, in one order, however often they subscribed; who left is not there.
    """
    space_id = random_space_id()
    for uid in (*PEOPLE, *PEOPLE, UserId("gone")):
        subscribers.add(space_id, uid, NOW)
    for _ in range(2):
        subscribers.remove(space_id, UserId("gone"))
    first = subscribers.page(space_id, limit=3, after=None)
    rest = subscribers.page(space_id, limit=3, after=first[-1])

    assert [*first, *rest] == sorted(PEOPLE)
    assert subscribers.page(space_id, limit=3, after=rest[-1]) == []
    assert subscribers.recount(space_id) == len(PEOPLE)
    assert subscribers.has(space_id, PEOPLE[0])
    assert not subscribers.has(space_id, UserId("gone"))


def test_the_count_reaches_the_space_and_nothing_else_does(
    client: BoundedClient,
) -> None:
    """
    One field is written, and only where it differs.
    """
    space_id = random_space_id()
    ref = client.document(f"spaces/{space_id}")
    ref.set({"subscriber_count": 0, "title": "Tea"})
    store = FirestoreSubscriberStore(client)
    store.add(space_id, PEOPLE[0], NOW)
    store.recount(space_id)
    counted = ref.get()
    store.recount(space_id)

    assert counted.to_dict() == {"subscriber_count": 1, "title": "Tea"}
    assert ref.get().update_time == counted.update_time


def test_a_fan_out_is_kept_as_it_is(fan_outs: Any) -> None:
    """
    Every field comes back; what `decide` refuses is not stored.
    """
    announcement = live()
    kept = FanOut(
        announcement=announcement,
        began_at=NOW,
        page=4,
        cursor=UserId("bo"),
        waiting=(Waiting(user_id=PEOPLE[0], device_id="d", attempts=2, due_at=NOW),),
        slowdowns=1,
        next_at=NOW + timedelta(seconds=4),
        sent=900,
    )
    fan_outs.update(announcement, lambda _: kept)

    def refuse(_: FanOut | None) -> FanOut:
        raise Contended

    with pytest.raises(Contended):
        fan_outs.update(announcement, refuse)
    seen: list[FanOut | None] = []

    def look(stored: FanOut | None) -> FanOut:
        seen.append(stored)
        return stored or replace(kept, page=99)

    assert fan_outs.update(announcement, look) == kept
    assert set(seen) == {kept}


def test_one_of_many_gets_the_lease(contended_client: BoundedClient) -> None:
    """
    Tasks that overlap to the moment: one tells the page, all others are sent away.
    """
    announcement, store = live(), FirestoreFanOutStore(contended_client)

    def try_to_claim(n: int) -> bool:
        owner = f"owner-{n}"
        try:
            held = store.update(
                announcement,
                lambda stored: claim(
                    stored, announcement, page=0, owner=owner, now=NOW
                ),
            )
        except Contended:
            return False
        return held.lease_owner == owner

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(try_to_claim, range(8)))
    after_a_crash = store.update(
        announcement,
        lambda stored: claim(
            stored, announcement, page=0, owner="next", now=NOW + LEASE
        ),
    )

    assert won.count(True) == 1
    assert after_a_crash.lease_owner == "next"


def test_devices_are_read_and_the_dead_dropped(client: BoundedClient) -> None:
    """
    All of several people; a device that has a new token by now is not dropped.
    """
    store = FirestoreDeviceStore(client)
    ana, bo = (UserId(f"u{random_token()}") for _ in range(2))
    for uid, device_id in ((ana, "phone"), (ana, "web"), (bo, "phone")):
        client.document(f"users/{uid}/devices/{device_id}").set(
            {
                "uid": uid,
                "token": f"t-{uid}-{device_id}",
                "platform": "web",
                "locale": "de",
            }
        )
    devices = store.of([ana, bo, UserId("nobody")])
    client.document(f"users/{bo}/devices/phone").update({"token": "new"})
    for device in devices:
        if device.device_id == "phone":
            store.drop(device)
            store.drop(device)

    assert {(d.user_id, d.device_id) for d in devices} == {
        (ana, "phone"),
        (ana, "web"),
        (bo, "phone"),
    }
    assert {(d.platform, d.locale, d.time_zone) for d in devices} == {
        (Platform.WEB, "de", "UTC")
    }
    left = {(d.user_id, d.token) for d in store.of([ana, bo])}
    assert left == {(ana, f"t-{ana}-web"), (bo, "new")}


def test_a_race_for_the_tenth_place(contended_world: World) -> None:
    """
    However many a host schedules at once, ten are scheduled and no more; calling
    one off makes room.
    """
    host = f"h{random_token().replace('-', 'x')[:12]}"
    contended_world.call(
        "PUT", "/v1/me", as_user=host, json={"handle": host, "display_name": "H"}
    )
    body = {"scheduled_start": (NOW + timedelta(days=2)).isoformat()}

    def create(_: int) -> Any:
        while True:
            made = contended_world.call("POST", "/v1/spaces", as_user=host, json=body)
            if made.status_code != 503:
                return made

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(create, range(13)))
    made = [a.get_json()["id"] for a in answers if a.status_code == 201]
    contended_world.call("DELETE", f"/v1/spaces/{made[0]}", as_user=host)

    assert len(made) == 10
    assert {a.status_code for a in answers} == {201, 409}
    assert create(0).status_code == 201
    assert create(0).status_code == 409


def test_a_whole_evening_on_firestore(world: World, client: BoundedClient) -> None:
    """
    Scheduled, waited for, moved, started: by the stores of production.
    """
    host, fan = "evening_host", "evening_fan"
    for uid in (host, fan):
        profile = a_profile(uid)
        person = {"handle": profile.handle, "display_name": uid}
        world.call("PUT", "/v1/me", as_user=uid, json=person)
        client.document(f"users/{uid}/devices/phone").set(
            {"uid": uid, "token": f"t-{uid}", "platform": "ios", "locale": "ja"}
        )
    start = {"scheduled_start": (NOW + timedelta(days=2)).isoformat()}
    made = world.call("POST", "/v1/spaces", as_user=host, json=start).get_json()
    path, space_id = f"/v1/spaces/{made['id']}", SpaceId(made["id"])
    assert world.call("PUT", f"{path}/reminder", as_user=fan).status_code == 204
    later = {"scheduled_start": (NOW + timedelta(days=3)).isoformat()}
    assert world.call("PATCH", path, as_user=host, json=later).status_code == 200
    _carry_out(world, "announce-schedule", space_id, version=2)
    _carry_out(world, "tell-page", space_id, version=2, kind="moved", page=0)
    _carry_out(world, "schedule-step", space_id, version=2, step="remind")
    _carry_out(world, "tell-page", space_id, version=2, kind="host_soon", page=0)
    world.call("POST", f"{path}/start", as_user=host)
    _carry_out(world, "launch", space_id, epoch=1)
    for _ in range(2):
        _carry_out(world, "tell-page", space_id, version=2, kind="live", page=0)

    told = [(p.kind, p.device.user_id) for p in world.pushes.sent]
    assert told == [("moved", fan), ("host_soon", host), ("live", fan)]


def _carry_out(world: World, task: str, space_id: str, **body: object) -> None:
    answer = world.task(task, {"space_id": space_id, **body})
    assert answer.status_code == 204, answer.text
