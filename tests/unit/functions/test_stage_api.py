"""Requests, invites, edits and reports as clients see them."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from tests.applications import PUBLIC_URL
from tests.builders import HOST, SPACE_ID, a_profile, a_space
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}"


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space that ana and bo have joined."""
    world.database.put_space(a_space())
    for user in (HOST, "ana", "bo"):
        world.call("POST", f"{PATH}/join", as_user=user)
    return world


def post(world: World, what: str, user: str, **body: Any) -> TestResponse:
    """POST to the Space as `user`."""
    kwargs = {"json": body} if body else {}
    return world.call("POST", f"{PATH}/{what}", as_user=user, **kwargs)


def test_a_hand_goes_up_and_its_owner_comes_on_stage(live: World) -> None:
    """
    Ask, be listed to the hosts, be accepted; `me` tells how it stands throughout.
    """
    asked = post(live, "speak-requests", "ana")
    listed = live.call("GET", f"{PATH}/speak-requests", as_user=HOST).get_json()
    waiting = live.call("GET", f"{PATH}/me", as_user="ana").get_json()
    accepted = post(live, "speak-requests/ana/accept", HOST)
    me = live.call("GET", f"{PATH}/me", as_user="ana").get_json()

    assert asked.status_code == 201
    assert asked.headers["Location"] == f"{PUBLIC_URL}{PATH}/speak-requests/ana"
    assert [entry["uid"] for entry in listed["speak_requests"]] == ["ana"]
    assert waiting["speak_request"] == "pending"
    assert accepted.get_json()["state"] == "accepted"
    assert (me["role"], me["muted"], me["speak_request"]) == (
        "speaker",
        True,
        "accepted",
    )


def test_requests_are_listed_in_pages_and_to_hosts_only(live: World) -> None:
    """
    Who asked first comes first, page by page; a listener sees no list.
    """
    for user in ("bo", "ana"):
        live.clock.advance(1)
        post(live, "speak-requests", user)

    def page(token: str) -> dict[str, Any]:
        query = f"?page_size=1{token}"
        path = f"{PATH}/speak-requests{query}"
        found: dict[str, Any] = live.call("GET", path, as_user=HOST).get_json()
        return found

    first = page("")
    second = page(f"&page_token={first['next_page_token']}")
    refused = live.call("GET", f"{PATH}/speak-requests", as_user="ana")

    uids = [
        entry["uid"] for each in (first, second) for entry in each["speak_requests"]
    ]
    assert uids == ["bo", "ana"]
    assert second["next_page_token"] is None
    assert (refused.status_code, code_of(refused)) == (403, "moderator-only")


def test_an_answered_request_says_what_became_of_it(live: World) -> None:
    """
    The slower of two answers is a 409 whose `state` is the winner's.
    """
    post(live, "speak-requests", "ana")
    post(live, "speak-requests/ana/decline", HOST)

    late = post(live, "speak-requests/ana/accept", HOST)

    assert (late.status_code, code_of(late)) == (409, "speak-request-closed")
    assert late.get_json()["state"] == "declined"


def test_an_invite_reaches_the_inbox_with_the_spaces_link(live: World) -> None:
    """
    The invited finds role, inviter, Space and link; accepting brings them on stage.
    """
    sent = post(live, "invites", HOST, user_ids=["ana", "bo"], role="speaker")
    inbox = live.call("GET", "/v1/me/inbox", as_user="ana").get_json()
    accepted = post(live, "invites/ana/accept", "ana")
    space = live.call("GET", PATH).get_json()

    assert [invite["state"] for invite in sent.get_json()["invites"]] == ["pending"] * 2
    (message,) = inbox["messages"]
    assert message["url"] == f"{PUBLIC_URL}/s/{SPACE_ID}"
    assert (message["role"], message["state"]) == ("speaker", "pending")
    assert message["invited_by"]["uid"] == HOST
    assert accepted.get_json()["state"] == "accepted"
    assert (space["speaker_ids"], space["invited_user_ids"]) == (["ana"], ["bo"])


def test_an_inbox_knows_that_an_invite_is_too_late(live: World) -> None:
    """
    When the Space is over its invites are expired, and cannot be accepted.
    """
    post(live, "invites", HOST, user_ids=["ana"])
    post(live, "end", HOST)

    inbox = live.call("GET", "/v1/me/inbox", as_user="ana").get_json()
    late = post(live, "invites/ana/accept", "ana")

    assert inbox["messages"][0]["state"] == "expired"
    assert (late.status_code, code_of(late)) == (409, "invite-closed")
    assert late.get_json()["state"] == "expired"


@pytest.mark.parametrize(
    "body",
    [
        {"user_ids": []},
        {"user_ids": ["a b"]},
        {"user_ids": ["__x__"]},
        {"user_ids": ["x"] * 11},
        {"user_ids": ["ana"], "role": "host"},
    ],
)
def test_invites_that_mean_nothing(live: World, body: dict[str, Any]) -> None:
    """
    Lists are bounded, uids are uids, and nobody is invited to be host.
    """
    refused = post(live, "invites", HOST, **body)

    assert (refused.status_code, code_of(refused)) == (422, "invalid-field")


def test_blocked_people_are_not_invited(live: World) -> None:
    """
    A block in either direction refuses, and does not say whose block it is.
    """
    live.database.put_profile(a_profile("cleo"))
    cleo = UserId("cleo")
    for block in ((HOST, cleo), (cleo, HOST)):
        live.database.blocks = {block}
        refused = post(live, "invites", HOST, user_ids=["cleo"])
        assert (refused.status_code, code_of(refused)) == (403, "cannot-invite")


def test_mute_all_leaves_the_hosts_microphone(live: World) -> None:
    """
    Every speaker is muted; the host goes on talking.
    """
    post(live, "speak-requests", "ana")
    post(live, "speak-requests/ana/accept", HOST)
    unmute = {"muted": False}
    live.call("PATCH", f"{PATH}/participants/ana", as_user="ana", json=unmute)

    answer = post(live, "mute-all", HOST)

    people = live.call("GET", f"{PATH}/participants", as_user=HOST).get_json()
    muted = {each["uid"]: each["muted"] for each in people["participants"]}
    assert answer.status_code == 204
    assert muted["ana"]
    assert not muted[HOST]


def test_a_live_space_is_reworded_at_its_revision(live: World) -> None:
    """
    What is named changes, null removes, the rest stays; a stale ETag is 412.
    """
    etag = live.call("GET", PATH).headers["ETag"]
    change = {"title": None, "speaker_policy": "everyone"}

    def patch() -> TestResponse:
        return live.call(
            "PATCH", PATH, as_user=HOST, json=change, headers={"If-Match": etag}
        )

    edited, stale = patch(), patch()

    body = edited.get_json()
    assert (body["title"], body["speaker_policy"]) == (None, "everyone")
    assert body["topics"] == ["tea"]
    assert (stale.status_code, code_of(stale)) == (412, "stale-revision")


@pytest.mark.parametrize(
    ("state", "user", "status"),
    [
        (SpaceState.SCHEDULED, HOST, 204),
        (SpaceState.CANCELLED, HOST, 204),
        (SpaceState.SCHEDULED, "ana", 403),
        (SpaceState.LIVE, HOST, 409),
        (SpaceState.ENDED, HOST, 409),
    ],
)
def test_only_what_has_not_started_is_cancelled(
    world: World, state: SpaceState, user: str, status: int
) -> None:
    """
    The host calls a scheduled Space off, once or twice; a live one is ended instead.
    """
    world.database.put_space(a_space(state))

    answer = world.call("DELETE", PATH, as_user=user)

    assert answer.status_code == status
    if status == 204:
        assert world.call("GET", PATH).get_json()["state"] == "cancelled"


def test_a_report_is_kept_once_for_its_key(live: World) -> None:
    """
    The same Idempotency-Key is one complaint; without one each is its own.
    """
    body = {"reason": "abuse", "user_id": "bo", "comment": "He shouts."}
    key = {"Idempotency-Key": "r1"}
    path = f"{PATH}/reports"

    for headers in (key, key, {}):
        made = live.call("POST", path, as_user="ana", json=body, headers=headers)
        assert made.status_code == 201

    assert len(live.reports.reports) == 2
    assert {report.user_id for report in live.reports.reports.values()} == {"bo"}
