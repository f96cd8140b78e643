"""Invites and accepted requests reach one person's phones: once, while it is true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from spaces.domain.announcement import URGENCY, AnnouncementKind
from spaces.domain.notice import NOTICE_VERSION
from spaces.domain.space import SpeakerPolicy
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from tests.announcing_fakes import a_device
from tests.applications import PUBLIC_URL
from tests.builders import HOST, NOW, SPACE_ID, a_profile, a_space
from tests.simulated_queue import SimulatedQueue
from tests.world import World

PATH = f"/v1/spaces/{SPACE_ID}"
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space; ana and bo have phones, ana has joined."""
    world.database.put_space(a_space())
    for user in (HOST, "ana"):
        world.call("POST", f"{PATH}/join", as_user=user)
    for user in ("ana", "bo"):
        world.devices.put(a_device(user))
    return world


def invite(world: World, user: str, role: str) -> TestResponse:
    """Have the host invite one person."""
    body = {"user_ids": [user], "role": role}
    return world.call("POST", f"{PATH}/invites", as_user=HOST, json=body)


def delivered(world: World) -> list[tuple[str, str]]:
    """Deliver all tasks, each twice; return kind and title of what was sent."""
    SimulatedQueue(world).run_until(world.clock() + A_MINUTE, twice=True)
    return [(push.kind, push.title) for push in world.pushes.sent]


@pytest.mark.parametrize(
    ("role", "kind", "title"),
    [
        ("speaker", "invited_to_speak", "Host invites you to speak"),
        ("co_host", "invited_to_co_host", "Host asks you to co-host"),
        ("listener", "invited_to_listen", "Host invites you to listen"),
    ],
)
def test_an_invite_is_pushed_once_with_the_spaces_link(
    live: World, role: str, kind: str, title: str
) -> None:
    """
    Also where it is sent twice and every task comes twice; nobody else is told.
    """
    assert invite(live, "bo", role).status_code == 200
    assert invite(live, "bo", role).status_code == 200

    assert delivered(live) == [(kind, title)]
    assert live.pushes.sent[0].device.user_id == "bo"
    assert live.pushes.sent[0].link == f"{PUBLIC_URL}/s/{SPACE_ID}"


def test_a_better_invite_takes_the_place_of_the_first(live: World) -> None:
    """
    On the screen there is one notification, the later one.
    """
    invite(live, "bo", "speaker")
    delivered(live)
    live.clock.advance(1)
    invite(live, "bo", "co_host")
    delivered(live)

    (screen,) = live.pushes.screens.values()
    assert [push.kind for push in screen.values()] == ["invited_to_co_host"]


@pytest.mark.parametrize("answer", ["accept", "decline", "revoke", "end"])
def test_what_was_settled_before_the_push_is_not_pushed(
    live: World, answer: str
) -> None:
    """
    A task that comes late finds no invite that is still open.
    """
    invite(live, "bo", "speaker")
    match answer:
        case "revoke":
            live.call("DELETE", f"{PATH}/invites/bo", as_user=HOST)
        case "end":
            live.call("POST", f"{PATH}/end", as_user=HOST)
        case _:
            live.call("POST", f"{PATH}/invites/bo/{answer}", as_user="bo")

    assert delivered(live) == []


def test_an_unanswered_queue_means_no_acknowledgement(live: World) -> None:
    """
    The call is a 503 then; sent again, invite and push are there, once.
    """
    live.effects.down = True
    refused = invite(live, "bo", "speaker")
    live.effects.down = False
    invite(live, "bo", "speaker")

    assert refused.status_code == 503
    assert [kind for kind, _ in delivered(live)] == ["invited_to_speak"]


def test_an_accepted_request_is_pushed(live: World) -> None:
    """
    Whoever put the phone away learns that they are on stage; accepting again, or
    stepping down before the task comes, tells nothing more.
    """
    live.call("POST", f"{PATH}/speak-requests", as_user="ana")
    for _ in range(2):
        live.call("POST", f"{PATH}/speak-requests/ana/accept", as_user=HOST)

    assert delivered(live) == [("on_stage", "You are on stage")]


def test_who_has_left_the_stage_is_not_called_there(live: World) -> None:
    """
    The seat is looked at again when the push is due.
    """
    live.call("POST", f"{PATH}/speak-requests", as_user="ana")
    live.call("POST", f"{PATH}/speak-requests/ana/accept", as_user=HOST)
    live.call("POST", f"{PATH}/leave", as_user="ana")

    assert delivered(live) == []


def test_a_listeners_invite_is_no_seat(world: World) -> None:
    """
    Accepted, it leaves the Space as it was; it takes no better invite away.
    """
    space = a_space(SpaceState.SCHEDULED, scheduled_start=NOW + timedelta(days=1))
    before = world.database.put_space(space)
    invite(world, "bo", "listener")
    accepted = world.call("POST", f"{PATH}/invites/bo/accept", as_user="bo")
    after = world.database.spaces[SPACE_ID]
    world.database.profiles[UserId("cy")] = a_profile("cy")
    invite(world, "cy", "speaker")
    kept = invite(world, "cy", "listener").get_json()["invites"][0]

    assert accepted.get_json()["state"] == "accepted"
    assert after == before
    assert kept["role"] == "speaker"


def test_every_kind_of_push_has_an_urgency() -> None:
    """
    Or sending it would fail for good.
    """
    assert set(URGENCY) == set(AnnouncementKind)


def _recorded(world: World) -> None:
    body = {"requested": True}
    world.call("PUT", f"{PATH}/recording", as_user=HOST, json=body)


def _asked(world: World) -> int:
    return [kind for kind, _ in delivered(world)].count("recording_asked")


def _joins(world: World) -> TestResponse:
    body = {"role": "speaker", "recording_notice": NOTICE_VERSION}
    return world.call("POST", f"{PATH}/join", as_user="ana", json=body)


def _is_promoted(world: World) -> TestResponse:
    body = {"role": "speaker"}
    return world.call("PATCH", f"{PATH}/participants/ana", as_user=HOST, json=body)


def _is_let_speak(world: World) -> TestResponse:
    world.call("POST", f"{PATH}/speak-requests", as_user="ana")
    path = f"{PATH}/speak-requests/ana/accept"
    return world.call("POST", path, as_user=HOST)


def _accepts(world: World) -> TestResponse:
    invite(world, "ana", "speaker")
    return world.call("POST", f"{PATH}/invites/ana/accept", as_user="ana")


@pytest.mark.parametrize(
    "takes_a_seat", [_joins, _is_promoted, _is_let_speak, _accepts]
)
@pytest.mark.parametrize("recorded", [True, False])
def test_who_comes_on_stage_is_asked_whether_to_be_recorded(
    live: World,
    takes_a_seat: Callable[[World], TestResponse],
    recorded: bool,
) -> None:
    """
    Once, however they come, and however often; where nothing is recorded, not at all.
    """
    live.database.put_space(replace(a_space(), speaker_policy=SpeakerPolicy.EVERYONE))
    if recorded:
        _recorded(live)
    before = _asked(live)
    assert before == 0

    assert takes_a_seat(live).status_code == 200
    assert _asked(live) == recorded

    live.call(
        "PATCH", f"{PATH}/participants/ana", as_user=HOST, json={"role": "listener"}
    )
    assert _is_promoted(live).status_code == 200
    assert _asked(live) == recorded


def test_who_was_asked_at_the_start_is_not_asked_on_return(live: World) -> None:
    """
    On stage when the recording was requested, demoted and promoted again: one push.
    """
    _is_promoted(live)
    _recorded(live)
    assert _asked(live) == 1
    live.call(
        "PATCH", f"{PATH}/participants/ana", as_user=HOST, json={"role": "listener"}
    )
    _is_promoted(live)

    assert _asked(live) == 1


def test_a_join_that_could_not_ask_asks_when_it_is_repeated(live: World) -> None:
    """
    The seat is theirs by then; the task queue was silent the first time.
    """
    live.database.put_space(replace(a_space(), speaker_policy=SpeakerPolicy.EVERYONE))
    _recorded(live)
    assert _asked(live) == 0
    live.effects.tasks.clear()  # whom the start asked is asked
    live.effects.down = True
    refused = _joins(live).status_code
    live.effects.down = False

    assert (refused, _joins(live).status_code) == (503, 200)
    assert _asked(live) == 1


def test_a_listener_is_not_asked(live: World) -> None:
    """
    Whoever joins to listen sees the notice; nobody asks for their voice.
    """
    _recorded(live)
    body = {"recording_notice": NOTICE_VERSION}
    live.call("POST", f"{PATH}/join", as_user="ana", json=body)

    assert _asked(live) == 0
