"""Joining and leaving over HTTP: grants, and who learns what."""

import pytest

from spaces.domain.space import SpeakerPolicy
from spaces.domain.states import SpaceState
from spaces_contract.grants import GRANT_LIFETIME_S
from spaces_contract.ids import USER_ID_PATTERN, SpaceId, UserId
from spaces_contract.roles import PeerKind, Role
from tests.applications import PUBLIC_URL
from tests.builders import HOST, NOW, SPACE_ID, a_participant, a_space
from tests.listening_world import LIVE_URL
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}"
ANA = UserId("ana")


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space in which everybody may speak."""
    world.database.put_space(a_space(speaker_policy=SpeakerPolicy.EVERYONE))
    return world


def test_a_listener_gets_a_grant_to_listen(live: World) -> None:
    """
    By default one listens: a grant for WHEP alone, and no place to send to.
    """
    body = live.call("POST", f"{PATH}/join", as_user="ana").get_json()
    grant = live.signer.read_grant(body["grant"])

    assert (body["role"], body["uid"], body["whip_url"]) == ("listener", "ana", None)
    assert body["whep_url"] == f"{PUBLIC_URL}{PATH}/whep"
    assert body["room_url"] == f"{LIVE_URL}/live/{SPACE_ID}/1/room.json"
    assert body["ice_servers"][0]["urls"] == ["stun:stun.example.net"]
    assert grant.kinds == (PeerKind.WHEP,)
    assert (grant.user_id, grant.epoch, grant.role) == ("ana", 1, Role.LISTENER)
    assert grant.expires_at_s == NOW.timestamp() + GRANT_LIFETIME_S
    assert body["grant_expires_at"] == "2030-05-04T12:02:00.000Z"


def test_a_speaker_gets_a_seat_and_a_grant_to_talk(live: World) -> None:
    """
    Who may speak and wishes to is on stage, for both kinds of session.
    """
    body = live.call(
        "POST", f"{PATH}/join", as_user="ana", json={"role": "speaker"}
    ).get_json()

    assert body["space"]["speaker_ids"] == ["ana"]
    assert body["whip_url"] == f"{PUBLIC_URL}{PATH}/whip"
    assert live.signer.read_grant(body["grant"]).kinds == tuple(PeerKind)


def test_listeners_do_not_write_the_space(live: World) -> None:
    """
    A crowd joins and leaves without one write to the Space's document.
    """
    before = live.database.spaces[SPACE_ID]

    for _ in range(2):
        live.call("POST", f"{PATH}/join", as_user="ana")
        live.call("POST", f"{PATH}/join", as_user="bo", json={"anonymous": True})
        live.call("POST", f"{PATH}/leave", as_user="ana")

    assert live.database.spaces[SPACE_ID] is before


def test_nobody_learns_who_listens_anonymously(live: World) -> None:
    """
    No document, no uid in answer or grant, and another name in each Space.
    """
    bodies = [
        live.call(
            "POST", f"{PATH}/join", as_user="ana", json={"anonymous": True}
        ).get_json()
        for _ in range(2)
    ]
    grants = [live.signer.read_grant(body["grant"]) for body in bodies]

    assert (SPACE_ID, ANA) not in live.database.members
    assert all(grant.anonymous for grant in grants)
    assert all(grant.user_id.startswith("anon-") for grant in grants)
    elsewhere = live.signer.pseudonym(SpaceId("2" * 13), ANA)
    assert grants[0].user_id != elsewhere
    assert [body["uid"] for body in bodies] == [grant.user_id for grant in grants]


def test_one_person_is_one_anonymous_listener(live: World) -> None:
    """
    Whoever joins again replaces their own session: nobody can fill a room alone.
    """
    first, again, other = (
        live.call("POST", f"{PATH}/join", as_user=uid, json={"anonymous": True})
        for uid in ("ana", "ana", "bo")
    )

    assert first.get_json()["uid"] == again.get_json()["uid"]
    assert other.get_json()["uid"] != first.get_json()["uid"]
    assert USER_ID_PATTERN.fullmatch(first.get_json()["uid"])


def test_a_removal_names_the_anonymous_session_too(live: World) -> None:
    """
    Someone who hid after they had come openly is removed from there as well; let
    back, they are nowhere removed.
    """
    live.call("POST", f"{PATH}/join", as_user="ana")
    hidden = live.call(
        "POST", f"{PATH}/join", as_user="ana", json={"anonymous": True}
    ).get_json()

    def remove(removed: bool) -> UserId | None:
        person = f"{PATH}/participants/ana"
        change = {"removed": removed}
        live.call("PATCH", person, as_user=HOST, json=change)
        return live.database.members[SPACE_ID, ANA].anonymous_id

    assert remove(True) == hidden["uid"]
    assert remove(False) is None


@pytest.mark.parametrize("state", [SpaceState.SCHEDULED, SpaceState.ENDED])
def test_only_live_spaces_are_joined(world: World, state: SpaceState) -> None:
    """
    Before and after it is 409, and the problem names the state.
    """
    world.database.put_space(a_space(state))

    response = world.call("POST", f"{PATH}/join", as_user="ana")

    assert (response.status_code, code_of(response)) == (409, "not-live")
    assert response.get_json()["state"] == state


def test_the_blocked_and_the_removed_stay_out(live: World) -> None:
    """
    Each is 403 with a type of its own; without a profile it is 409.
    """
    live.database.blocks.add((HOST, ANA))
    live.database.put_member(SPACE_ID, a_participant("bo", removed=True))

    answers = [
        live.call("POST", f"{PATH}/join", as_user=user)
        for user in ("ana", "bo", "nobody")
    ]

    assert [(each.status_code, code_of(each)) for each in answers] == [
        (403, "blocked"),
        (403, "removed"),
        (409, "profile-required"),
    ]


@pytest.mark.parametrize(
    ("joined", "body", "code"),
    [
        (True, {}, "host-only"),
        (False, {}, "participant-not-found"),  # blocks stay private
        (True, {"anonymous": True}, "participant-not-found"),
    ],
)
def test_whom_the_host_blocks_no_co_host_lets_back(
    live: World, joined: bool, body: dict[str, bool], code: str
) -> None:
    """
    The tokens that they have are of no use again; the host changes their own mind.
    """
    live.database.put_space(a_space(host_ids=(HOST, UserId("bo"))))
    person, back = f"{PATH}/participants/ana", {"removed": False}
    if joined:
        live.call("POST", f"{PATH}/join", as_user="ana", json=body)
    live.call("PUT", "/v1/me/blocks/ana", as_user=HOST)

    refused = live.call("PATCH", person, as_user="bo", json=back)
    assert code_of(refused) == code
    assert live.database.members[SPACE_ID, ANA].removed
    live.call("DELETE", "/v1/me/blocks/ana", as_user=HOST)
    assert live.call("PATCH", person, as_user=HOST, json=back).status_code == 200
    assert not live.database.members[SPACE_ID, ANA].removed


def test_a_joiner_is_warned_of_whom_they_blocked(live: World) -> None:
    """
    `blocked_on_stage` tells that someone whom they blocked is on stage.
    """
    unaware = live.call("POST", f"{PATH}/join", as_user="ana").get_json()
    live.database.blocks.add((ANA, HOST))
    warned = live.call("POST", f"{PATH}/join", as_user="ana").get_json()

    assert (unaware["blocked_on_stage"], warned["blocked_on_stage"]) == (False, True)


def test_me_tells_what_one_is(live: World) -> None:
    """
    `me` follows joining, being promoted, muted and removed.
    """

    def me() -> tuple[object, ...]:
        body = live.call("GET", f"{PATH}/me", as_user="ana").get_json()
        return body["role"], body["on_stage"], body["muted"], body["removed"]

    def edit(**change: object) -> None:
        live.call("PATCH", f"{PATH}/participants/ana", as_user="host", json=change)

    seen = [me()]
    live.call("POST", f"{PATH}/join", as_user="ana")
    seen.append(me())
    edit(role="speaker")
    seen.append(me())
    edit(removed=True)
    seen.append(me())

    assert seen == [
        ("listener", False, False, False),
        ("listener", False, False, False),
        ("speaker", True, True, False),
        ("listener", False, False, True),
    ]


def test_nobody_is_in_a_space_that_never_was(live: World) -> None:
    """
    A Space that is empty has an empty list; one that does not exist has none.
    """
    empty = live.call("GET", f"{PATH}/participants", as_user="ana")
    path = f"/v1/spaces/{'2' * 13}/participants"
    missing = live.call("GET", path, as_user="ana")

    assert (empty.status_code, empty.get_json()["participants"]) == (200, [])
    assert (missing.status_code, code_of(missing)) == (404, "space-not-found")


def test_participants_are_those_who_have_not_left(live: World) -> None:
    """
    The list has people in the order in which they came, in pages.
    """
    for user in ("ana", "bo"):
        live.clock.advance(1)
        live.call("POST", f"{PATH}/join", as_user=user)
    live.database.put_member(SPACE_ID, a_participant("gone", left_at=NOW))

    first = live.call("GET", f"{PATH}/participants?page_size=1", as_user="bo")
    token = first.get_json()["next_page_token"]
    second = live.call(
        "GET", f"{PATH}/participants?page_size=1&page_token={token}", as_user="bo"
    ).get_json()

    assert [p["uid"] for p in first.get_json()["participants"]] == ["ana"]
    assert [p["uid"] for p in second["participants"]] == ["bo"]
    assert second["next_page_token"] is None


def test_a_stale_edit_of_a_participant_is_refused(live: World) -> None:
    """
    If-Match guards the participant's own document.
    """
    live.call("POST", f"{PATH}/join", as_user="ana")
    target = f"{PATH}/participants/ana"
    edited = live.call("PATCH", target, as_user="host", json={"role": "speaker"})
    fresh = {"If-Match": edited.headers["ETag"]}

    done = live.call(
        "PATCH", target, as_user="ana", json={"muted": False}, headers=fresh
    )
    stale = live.call(
        "PATCH", target, as_user="ana", json={"muted": True}, headers=fresh
    )

    assert (done.status_code, done.get_json()["muted"]) == (200, False)
    assert (stale.status_code, code_of(stale)) == (412, "stale-revision")


def test_leaving_is_harmless_twice(live: World) -> None:
    """
    Leaving answers 204 each time, and gives up the seat.
    """
    live.call("POST", f"{PATH}/join", as_user="ana", json={"role": "speaker"})

    answers = [
        live.call("POST", f"{PATH}/leave", as_user="ana").status_code for _ in range(2)
    ]

    assert answers == [204, 204]
    assert live.database.spaces[SPACE_ID].speaker_ids == ()
