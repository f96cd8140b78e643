"""`/v1/spaces`: what clients rely upon."""

from datetime import timedelta

import pytest

from spaces.domain.states import SpaceState
from spaces_contract.ids import SpaceId
from tests.builders import HOST, NOW, SPACE_ID, a_profile, a_space
from tests.world import World, code_of

KEY = {"Idempotency-Key": "k-1"}


def test_the_same_key_opens_one_space(world: World) -> None:
    """
    A create that is repeated within 24 h answers the Space it opened.
    """
    first = world.call("POST", "/v1/spaces", as_user="host", json={}, headers=KEY)
    world.clock.advance(24 * 3600 - 1)
    again = world.call(
        "POST", "/v1/spaces", as_user="host", json={"title": None}, headers=KEY
    )

    assert (again.status_code, again.get_json()["id"]) == (201, first.get_json()["id"])
    assert len(world.database.spaces) == 1


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    """
    A key stands for one body: another one is 422, and opens nothing.
    """
    world.call("POST", "/v1/spaces", as_user="host", json={}, headers=KEY)

    other = world.call(
        "POST", "/v1/spaces", as_user="host", json={"title": "Tea"}, headers=KEY
    )

    assert (other.status_code, code_of(other)) == (422, "idempotency-key-reused")
    assert len(world.database.spaces) == 1


def test_keys_are_ones_own_and_expire(world: World) -> None:
    """
    Another person's same key, and one's own a day later, open another Space.
    """
    world.call("POST", "/v1/spaces", as_user="host", json={}, headers=KEY)
    world.call("POST", "/v1/spaces", as_user="ana", json={}, headers=KEY)
    world.clock.advance(24 * 3600)
    world.call("POST", "/v1/spaces", as_user="host", json={}, headers=KEY)

    assert len(world.database.spaces) == 3


def test_hosting_needs_an_open_account(world: World) -> None:
    """
    Without a profile, or with a protected one, no Space is opened or started.
    """
    nobody = world.call("POST", "/v1/spaces", as_user="nobody", json={})
    world.database.put_space(a_space(SpaceState.SCHEDULED))
    world.database.put_profile(a_profile("host", protected=True))
    opened = world.call("POST", "/v1/spaces", as_user="host", json={})
    started = world.call("POST", f"/v1/spaces/{SPACE_ID}/start", as_user="host")

    assert (nobody.status_code, code_of(nobody)) == (409, "profile-required")
    assert (opened.status_code, code_of(opened)) == (403, "protected-account")
    assert (started.status_code, code_of(started)) == (403, "protected-account")


def test_a_space_is_public(world: World) -> None:
    """
    Anybody sees a Space without signing in, with an ETag and RFC 3339 times.
    """
    stored = world.database.put_space(a_space())

    response = world.call("GET", f"/v1/spaces/{SPACE_ID}")

    body = response.get_json()
    assert response.headers["ETag"] == f'"{stored.revision}"'
    assert body["started_at"] == "2030-05-04T12:00:00.000Z"
    assert body["host"] == {"uid": HOST, "handle": "host", "display_name": "Host"}
    assert body["url"] == f"https://parley.example/s/{SPACE_ID}"


@pytest.mark.parametrize("title", ["", " ", "\u200b\u3164", " \u2800\ufe0f"])
def test_a_title_that_nobody_can_see_is_none(world: World, title: str) -> None:
    """
    Opened with one, a Space has no title; changed to one, it has none any longer.
    """
    world.database.put_space(a_space(title="Tea"))

    opened = world.call("POST", "/v1/spaces", as_user="host", json={"title": title})
    edited = world.call(
        "PATCH", f"/v1/spaces/{SPACE_ID}", as_user=HOST, json={"title": title}
    )

    assert (opened.status_code, opened.get_json()["title"]) == (201, None)
    assert (edited.status_code, edited.get_json()["title"]) == (200, None)


def test_live_spaces_come_in_pages_newest_first(world: World) -> None:
    """
    Pages follow on each other without gaps or repeats, and only live Spaces are in.
    """
    ids = [f"{n}Space1Space1"[:13].ljust(13, "x") for n in range(2, 9)]
    for n, space_id in enumerate(ids):
        started = NOW + timedelta(minutes=n // 2)  # pairs start at the same instant
        space = a_space(id=SpaceId(space_id), started_at=started)
        world.database.put_space(space)
    world.database.put_space(a_space(SpaceState.ENDED))

    seen: list[str] = []
    token = ""
    while True:
        query = f"?page_size=3&page_token={token}" if token else "?page_size=3"
        page = world.call("GET", f"/v1/spaces{query}").get_json()
        seen += [space["id"] for space in page["spaces"]]
        token = page["next_page_token"]
        if not token:
            break

    assert seen == sorted(ids, reverse=True)


def test_a_lost_task_queue_does_not_stop_a_start(world: World) -> None:
    """
    A start is acknowledged once it is stored; its launch stays in the outbox.
    """
    world.database.put_space(a_space(SpaceState.SCHEDULED))
    world.effects.down = True

    response = world.call("POST", f"/v1/spaces/{SPACE_ID}/start", as_user="host")

    assert response.status_code == 200
    assert list(world.database.outbox) == [f"launch-{SPACE_ID}-1"]


def test_a_contended_start_launches_once(world: World) -> None:
    """
    Effects run after the commit, so that a retried transaction repeats none.
    """
    world.database.put_space(a_space(SpaceState.SCHEDULED))

    for _ in range(2):
        world.call("POST", f"/v1/spaces/{SPACE_ID}/start", as_user="host")

    assert world.effects.names == [f"launch-{SPACE_ID}-1"]
    assert world.database.outbox == {}


@pytest.mark.parametrize(
    ("state", "path", "status", "code"),
    [
        (SpaceState.ENDED, "start", 409, "illegal-transition"),
        (SpaceState.CANCELLED, "start", 409, "illegal-transition"),
        (SpaceState.SCHEDULED, "end", 409, "illegal-transition"),
    ],
)
def test_what_a_state_does_not_allow(
    world: World, state: SpaceState, path: str, status: int, code: str
) -> None:
    """
    A wrong moment is 409, and the problem names the state.
    """
    world.database.put_space(a_space(state))

    response = world.call("POST", f"/v1/spaces/{SPACE_ID}/{path}", as_user="host")

    assert (response.status_code, code_of(response)) == (status, code)
    assert response.get_json()["state"] == state


def test_only_the_host_starts_and_ends(world: World) -> None:
    """
    Anybody else is 403.
    """
    world.database.put_space(a_space())

    for path in ("start", "end"):
        response = world.call("POST", f"/v1/spaces/{SPACE_ID}/{path}", as_user="ana")
        assert (response.status_code, code_of(response)) == (403, "host-only")
