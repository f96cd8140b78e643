"""Following, blocking, devices, capabilities and rate limits, as clients see them."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from spaces.domain.capability import Capability, can, version_of
from spaces.domain.errors import Contended
from spaces.domain.registration import MAX_DEVICES, SEEN_EVERY, DeviceKey
from spaces.domain.space import SpeakerPolicy
from spaces.domain.states import SpaceState
from spaces.domain.token_bucket import Bucket, RateLimit, take
from spaces.http.rate_limits import Scope, with_defaults
from spaces_contract.ids import SpaceId, UserId
from tests.builders import HOST, SPACE_ID, a_space
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}"
ANA, BO = UserId("ana"), UserId("bo")


def put_device(world: World, user: str, device: str, **fields: Any) -> TestResponse:
    """Register a device of `user`."""
    body = {"platform": "ios", "token": "t1", "app_version": "1.2.0", **fields}
    return world.call("PUT", f"/v1/me/devices/{device}", as_user=user, json=body)


def test_following_is_kept_until_it_is_ended(world: World) -> None:
    """
    Follow and unfollow, each twice, end where they should.
    """
    for method, expected in (("PUT", {(ANA, BO)}), ("DELETE", set())):
        for _ in range(2):
            answer = world.call(method, "/v1/me/following/bo", as_user="ana")
            assert answer.status_code == 204
        assert world.database.following == expected


@pytest.mark.parametrize("relation", ["following", "blocks"])
def test_nobody_follows_or_blocks_nobody_or_themselves(
    world: World, relation: str
) -> None:
    """
    Unknown people are 404, oneself is 409.
    """
    for other, code in (
        ("nobody", "user-not-found"),
        ("a b", "user-not-found"),
        ("ana", "not-yourself"),
    ):
        answer = world.call("PUT", f"/v1/me/{relation}/{other}", as_user="ana")
        assert code_of(answer) == code


def test_a_block_ends_following_both_ways_and_forbids_it(world: World) -> None:
    """
    After a block neither follows the other, nor can.
    """
    world.database.following |= {(ANA, BO), (BO, ANA)}

    world.call("PUT", "/v1/me/blocks/bo", as_user="ana")

    assert world.database.following == set()
    for user, other in (("ana", "bo"), ("bo", "ana")):
        refused = world.call("PUT", f"/v1/me/following/{other}", as_user=user)
        assert (refused.status_code, code_of(refused)) == (403, "cannot-follow")


def test_blocking_somebody_removes_them_from_ones_live_space(world: World) -> None:
    """
    A speaker whom the host blocks is off stage, and stays out after an unblock.
    """
    world.database.put_space(a_space(speaker_ids=(ANA,)))
    for user in (HOST, "ana"):
        world.call("POST", f"{PATH}/join", as_user=user)

    world.call("PUT", "/v1/me/blocks/ana", as_user=HOST)
    me = world.call("GET", f"{PATH}/me", as_user="ana").get_json()
    blocked = world.call("POST", f"{PATH}/join", as_user="ana")
    world.call("DELETE", "/v1/me/blocks/ana", as_user=HOST)
    removed = world.call("POST", f"{PATH}/join", as_user="ana")

    assert (me["removed"], me["on_stage"]) == (True, False)
    assert world.call("GET", PATH).get_json()["speaker_ids"] == []
    assert [code_of(blocked), code_of(removed)] == ["blocked", "removed"]


def test_a_block_reaches_the_live_space_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However many Spaces of theirs are to come, and whatever becomes of those.
    """
    for n in range(3):
        world.database.put_space(a_space(SpaceState.SCHEDULED, id=SpaceId(f"a{n}")))
    world.database.put_space(a_space(speaker_ids=(ANA,)))
    world.call("POST", f"{PATH}/join", as_user="ana")
    store, reached = world.relations.invites, list[str]()

    def update(space_id: SpaceId, user_id: UserId, decide: Any) -> None:
        reached.append(space_id)
        if space_id != SPACE_ID:
            raise Contended
        whole(space_id, user_id, decide)

    whole = store.update
    monkeypatch.setattr(store, "update", update)
    answer = world.call("PUT", "/v1/me/blocks/ana", as_user=HOST)

    assert answer.status_code == 503
    assert reached == [SPACE_ID, "a0", "a1", "a2"]
    assert world.database.members[SPACE_ID, ANA].removed


def test_blocking_somebody_absent_keeps_no_grudge(world: World) -> None:
    """
    Whoever was never there is not listed, and may come once they are unblocked.
    """
    world.database.put_space(a_space())
    world.call("PUT", "/v1/me/blocks/ana", as_user=HOST)
    people = world.call("GET", f"{PATH}/participants", as_user=HOST).get_json()
    world.call("DELETE", "/v1/me/blocks/ana", as_user=HOST)

    joined = world.call("POST", f"{PATH}/join", as_user="ana")

    assert people["participants"] == []
    assert joined.status_code == 200


def test_a_block_reaches_who_listens_anonymously(world: World) -> None:
    """
    The worker is told which sessions those are; unblocked, they may listen again.
    """
    world.database.put_space(a_space())
    body = {"anonymous": True}
    joined = world.call("POST", f"{PATH}/join", as_user="ana", json=body).get_json()
    world.call("PUT", "/v1/me/blocks/ana", as_user=HOST)
    member = world.database.members[SPACE_ID, ANA]
    world.call("DELETE", "/v1/me/blocks/ana", as_user=HOST)
    world.call("POST", f"{PATH}/join", as_user="ana", json=body)
    after = world.database.members[SPACE_ID, ANA]

    assert (member.removed, member.anonymous_id) == (True, joined["uid"])
    assert (after.removed, after.anonymous_id) == (False, None)


@pytest.mark.parametrize("answered", [False, True], ids=["offered", "accepted"])
def test_a_block_takes_back_a_place_in_a_space_to_come(
    world: World, answered: bool
) -> None:
    """
    Neither an offer nor a co-host's seat outlives it, so that they moderate nothing
    once the Space is live.
    """
    world.database.put_space(a_space(SpaceState.SCHEDULED))
    invites = f"{PATH}/invites"
    offer = {"user_ids": ["ana"], "role": "co_host"}
    world.call("POST", invites, as_user=HOST, json=offer)
    if answered:
        world.call("POST", f"{invites}/ana/accept", as_user="ana")

    world.call("PUT", "/v1/me/blocks/ana", as_user=HOST)
    accepted = world.call("POST", f"{invites}/ana/accept", as_user="ana")
    edited = world.call("PATCH", PATH, as_user="ana", json={"title": "mine"})
    world.call("DELETE", "/v1/me/blocks/ana", as_user=HOST)
    again = world.call("POST", invites, as_user=HOST, json=offer)

    assert code_of(accepted) == "invite-closed"
    assert edited.status_code == 403
    assert world.call("GET", PATH).get_json()["host_ids"] == [HOST]
    assert again.get_json()["invites"][0]["state"] == "pending"


def test_leaving_does_not_undo_a_block(world: World) -> None:
    """
    Or a grant and a listen token, which are older, would open what the block closed.
    """
    world.database.put_space(a_space())
    world.call("POST", f"{PATH}/join", as_user="ana", json={"anonymous": True})
    world.call("PUT", "/v1/me/blocks/ana", as_user=HOST)
    blocked = world.database.members[SPACE_ID, ANA]

    left = world.call("POST", f"{PATH}/leave", as_user="ana")

    assert left.status_code == 204
    assert world.database.members[SPACE_ID, ANA] == blocked


def test_an_app_that_cannot_speak_may_not_wish_to(world: World) -> None:
    """
    It joins as a listener, and is told to update where it asks for the stage.
    """
    world.database.put_space(a_space(speaker_policy=SpeakerPolicy.EVERYONE))
    world.capabilities["ios"] = {Capability.SPEAK: "2.0"}
    old = {"Parley-Platform": "ios", "Parley-App-Version": "1.9"}

    def join(role: str) -> TestResponse:
        path, body = f"{PATH}/join", {"role": role}
        return world.call("POST", path, as_user="ana", json=body, headers=old)

    assert join("listener").status_code == 200
    assert code_of(join("speaker")) == "update-required"


def test_nobody_has_devices_without_number(world: World) -> None:
    """
    Each would be read and pushed to with every page of people who are told something:
    the one that was registered first makes room, a device that comes again does not.
    """
    for n in range(MAX_DEVICES + 2):
        put_device(world, "ana", f"d{n}", token=f"t{n}")
        world.clock.advance(1)
    put_device(world, "ana", f"d{MAX_DEVICES}", token="other")
    put_device(world, "bo", "d1", token="bo's")

    kept = [f"d{n}" for n in range(2, MAX_DEVICES + 2)]
    hers = {key.device_id for key in world.registrations.devices if key.user_id == ANA}
    assert hers == set(kept)
    assert DeviceKey(BO, "d1") in world.registrations.devices


def test_a_device_in_daily_use_makes_no_room(world: World) -> None:
    """
    However long ago it was registered first, and though it tells nothing new.
    """
    for n in range(MAX_DEVICES):
        put_device(world, "ana", f"d{n}", token=f"t{n}")
    world.clock.advance(SEEN_EVERY.total_seconds())
    put_device(world, "ana", "d0", token="t0")

    put_device(world, "ana", "another", token="t")

    hers = {key.device_id for key in world.registrations.devices if key.user_id == ANA}
    assert hers == {"another", "d0"} | {f"d{n}" for n in range(2, MAX_DEVICES)}


def test_a_token_is_one_persons_at_a_time(world: World) -> None:
    """
    A phone that changes hands is its new owner's alone.
    """
    put_device(world, "ana", "phone")
    put_device(world, "bo", "phone")

    assert list(world.registrations.devices) == [DeviceKey(BO, "phone")]
    for _ in range(2):
        assert (
            world.call("DELETE", "/v1/me/devices/phone", as_user="bo").status_code
            == 204
        )
    assert world.registrations.devices == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"platform": "fridge"},
        {"app_version": "one"},
        {"locale": "english please"},
        {"token": "x" * 4097},
    ],
)
def test_devices_that_cannot_be(world: World, fields: dict[str, Any]) -> None:
    """
    Zones, platforms, versions, locales and tokens are checked before they are kept.
    """
    refused = put_device(world, "ana", "phone", **fields)

    assert (refused.status_code, code_of(refused)) == (422, "invalid-field")
    assert world.registrations.devices == {}


@pytest.mark.parametrize(
    ("platform", "version", "able"),
    [
        ("ios", "1.2", True),
        ("ios", "1.2.0", True),
        ("ios", "1.10", True),
        ("ios", "1.1.9", False),
        ("ios", None, False),
        ("web", "9", False),
        ("android", "0.1", True),
        (None, None, True),
    ],
)
def test_what_an_app_can_do(
    platform: str | None, version: str | None, able: bool
) -> None:
    """
    The table's version and newer can; null is never; what it does not name always.
    """
    table: dict[str, dict[Capability, str | None]] = {
        "ios": {Capability.HOST: "1.2"},
        "web": {Capability.HOST: None},
    }
    known = version_of(version) if version else None

    assert can(table, Capability.HOST, platform=platform, version=known) is able
    assert can(table, Capability.LISTEN, platform=platform, version=known)


def test_an_old_app_is_told_to_update(world: World) -> None:
    """
    403 with the version that can, and the same in `capabilities`.
    """
    world.capabilities["ios"] = {Capability.HOST: "2.0", Capability.RECORD: None}
    old = {"Parley-Platform": "ios", "Parley-App-Version": "1.9"}
    new = {**old, "Parley-App-Version": "2.0.1"}

    def create(headers: dict[str, str]) -> TestResponse:
        return world.call("POST", "/v1/spaces", as_user=HOST, json={}, headers=headers)

    refused, made = create(old), create(new)
    able = world.call("GET", "/v1/me/capabilities", as_user=HOST, headers=old)
    wrong = create({"Parley-App-Version": "new"})

    assert (refused.status_code, code_of(refused)) == (403, "update-required")
    assert refused.get_json()["minimum"] == "2.0"
    assert made.status_code == 201
    expected = {"host": False, "speak": True, "listen": True, "record": False}
    assert able.get_json() == expected
    assert (wrong.status_code, code_of(wrong)) == (400, "invalid-header")


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    """
    Never more than the burst and the rate together, and a wait that is long enough.
    """
    limit = RateLimit(burst=3, per_s=0.5)
    bucket: Bucket | None = None
    now_s, given = 100.0, 0
    for _ in range(100):
        bucket, wait_s = take(bucket, limit, now_s=now_s)
        given += wait_s == 0
        now_s += 0.1
        assert given <= limit.burst + (now_s - 100) * limit.per_s
        if wait_s:
            assert take(bucket, limit, now_s=now_s - 0.1 + wait_s)[1] < 1e-6
    assert given >= 7


def test_whoever_asks_too_often_waits(world: World) -> None:
    """
    429 says for how long; others are not held up, and after the wait it goes on.
    """
    world.limits[Scope.USER] = RateLimit(burst=2, per_s=0.25)

    def get(user: str) -> TestResponse:
        return world.call("GET", "/v1/me", as_user=user)

    statuses = [get("ana").status_code for _ in range(2)]
    limited = get("ana")
    world.clock.advance(float(limited.headers["Retry-After"]))

    assert statuses == [200, 200]
    assert (limited.status_code, code_of(limited)) == (429, "rate-limited")
    assert limited.headers["Retry-After"] == "4"
    assert get("bo").status_code == 200
    assert get("ana").status_code == 200


def test_asking_is_limited_in_each_space_apart(world: World) -> None:
    """
    Whoever asks without end in one Space is stopped there, and not elsewhere.
    """
    world.limits[Scope.SPACE] = RateLimit(burst=1, per_s=0.01)
    body = {"reason": "spam"}

    def report(space_id: str) -> int:
        world.database.put_space(a_space(id=space_id))
        path = f"/v1/spaces/{space_id}/reports"
        return world.call("POST", path, as_user="ana", json=body).status_code

    assert [report(SPACE_ID), report(SPACE_ID)] == [201, 429]
    assert report("2Other2Other2") == 201


def test_limits_are_configured_by_scope() -> None:
    """
    A limit replaces the default of its scope; one that does not exist is refused.
    """
    slow = RateLimit(burst=1, per_s=1)

    assert with_defaults({"create": slow})[Scope.CREATE] == slow
    assert with_defaults({}).keys() == set(Scope)
    with pytest.raises(ValueError, match="planet"):
        with_defaults({"planet": slow})
