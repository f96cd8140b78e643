"""WHIP and WHEP as RFC 9725 and players have them."""

from typing import Any

import pytest

from spaces.domain.states import SpaceState
from spaces.http.rate_limits import DEFAULT_LIMITS, Scope
from spaces.service.errors import WorkerRefused, WorkerUnreachable
from spaces_contract.control import CONTROL_STATUS, ControlError
from spaces_contract.roles import Role
from spaces_contract.runtime import WorkerState
from tests.applications import PUBLIC_URL
from tests.builders import AN_OFFER, SPACE_ID, a_grant, a_runtime, a_space
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}"
SESSION = f"{PATH}/media/session-0123456789"


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space, whose worker is ready."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    return world


def test_an_offer_is_answered_with_a_resource(live: World) -> None:
    """
    201, SDP, an absolute Location, and a Link for each ICE server.
    """
    response = live.post_sdp(f"{PATH}/whip", a_grant(role=Role.SPEAKER), AN_OFFER)

    assert (response.status_code, response.mimetype) == (201, "application/sdp")
    assert response.headers["Location"] == PUBLIC_URL + SESSION
    assert response.headers.getlist("Link") == [
        '<stun:stun.example.net>; rel="ice-server"',
        '<turn:turn.example.net>; rel="ice-server"; username="ana"; '
        'credential="secret"; credential-type="password"',
    ]


@pytest.mark.parametrize(
    ("runtime", "code"),
    [
        (None, "worker-starting"),
        (a_runtime(WorkerState.LAUNCHING), "worker-starting"),
        (a_runtime(WorkerState.STOPPED), "worker-starting"),
        (a_runtime(epoch=0), "worker-starting"),
        (a_runtime(control_url=None), "worker-starting"),
        (a_runtime(WorkerState.DRAINING), "worker-stopping"),
    ],
)
def test_a_worker_that_is_not_ready_is_waited_for(
    live: World, runtime: object, code: str
) -> None:
    """
    503 with Retry-After, until the epoch's worker has claimed it.
    """
    live.database.runtimes.clear()
    if runtime is not None:
        live.database.runtimes[SPACE_ID] = runtime  # type: ignore[assignment]

    response = live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert (response.status_code, code_of(response)) == (503, code)
    assert response.headers["Retry-After"] == "1"


def test_a_worker_that_starts_is_asked_again_sooner_than_in_a_second(
    live: World,
) -> None:
    """
    Beside Retry-After, which knows whole seconds only, stands how soon to try first.
    """
    live.database.runtimes.clear()

    response = live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert response.get_json()["retry_after_ms"] == 200


def test_one_grant_opens_no_sessions_without_number(live: World) -> None:
    """
    Each offer is work for the thread that mixes: five a second from one person, as many
    as a client sends while a worker starts.
    """
    live.limits[Scope.OPEN] = DEFAULT_LIMITS[Scope.OPEN]
    answers = [
        live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER).status_code
        for _ in range(100)
    ]
    live.clock.advance(1)
    again = live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER).status_code

    assert answers == [201] * 30 + [429] * 70
    assert again == 201


def test_an_unreachable_worker_is_503(live: World) -> None:
    """
    A worker that does not answer is told as such, with Retry-After.
    """
    live.workers.error = WorkerUnreachable()

    response = live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert (response.status_code, code_of(response)) == (503, "worker-unreachable")
    assert "Retry-After" in response.headers


@pytest.mark.parametrize("reason", ControlError)
def test_the_workers_reason_is_passed_on(live: World, reason: ControlError) -> None:
    """
    Each reason of the contract reaches the client as the problem's type and status.
    """
    live.workers.error = WorkerRefused(reason, "because")

    response = live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert response.status_code == CONTROL_STATUS[reason]
    assert code_of(response) == reason.value


def test_no_media_without_a_live_space(live: World) -> None:
    """
    A grant outlives its Space, and then opens nothing.
    """
    live.database.put_space(a_space(SpaceState.ENDED))

    response = live.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert (response.status_code, code_of(response)) == (409, "not-live")


def delete(world: World, **fields: Any) -> int:
    """DELETE the session with such a grant; return the status."""
    token = world.signer.sign_grant(a_grant(**fields))
    headers = {"Authorization": f"Bearer {token}"}
    return world.call("DELETE", SESSION, headers=headers).status_code


def test_an_expired_grant_still_closes(live: World) -> None:
    """
    DELETE takes the grant that opened the session, however old; no foreign Space's.
    """
    assert delete(live, expires_at_s=1) == 204
    assert delete(live, space_id="9Other9Other9") == 403
    assert live.workers.closed == ["session-0123456789"]


def test_what_is_gone_is_closed(live: World) -> None:
    """
    Sessions of another epoch, or of a Space that is over, need no closing.
    """
    other_epoch = delete(live, epoch=7)
    live.database.put_space(a_space(SpaceState.ENDED))
    over = delete(live)

    assert (other_epoch, over) == (204, 204)
    assert live.workers.closed == []


def test_a_session_that_never_was_is_404(live: World) -> None:
    """
    The worker's word, and what cannot be a session's id.
    """
    live.workers.error = WorkerRefused(ControlError.SESSION_NOT_FOUND, "no")

    assert delete(live) == 404
    headers = {"Authorization": f"Bearer {live.signer.sign_grant(a_grant())}"}
    response = live.call("DELETE", f"{PATH}/media/x", headers=headers)
    assert (response.status_code, code_of(response)) == (404, "session-not-found")


def test_a_session_that_another_device_took_is_409(live: World) -> None:
    """
    The worker's `session-replaced` reaches the client as it is.
    """
    live.workers.error = WorkerRefused(ControlError.SESSION_REPLACED, "elsewhere")

    headers = {"Authorization": f"Bearer {live.signer.sign_grant(a_grant())}"}
    path = f"{PATH}/media/{'s' * 24}"
    response = live.call("DELETE", path, headers=headers)

    assert (response.status_code, code_of(response)) == (409, "session-replaced")


def test_trickle_and_ice_restart_are_405(live: World) -> None:
    """
    RFC 9725 4.3: PATCH of a server without them is 405 with Allow.
    """
    response = live.call(
        "PATCH",
        SESSION,
        data=b"a=ice-ufrag:x\r\n",
        content_type="application/trickle-ice-sdpfrag",
    )

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"DELETE", "OPTIONS"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_endpoint_takes_post_only(live: World, method: str) -> None:
    """
    RFC 9725 4: other methods on a WHIP endpoint are 405.
    """
    assert live.call(method, f"{PATH}/whip").status_code == 405


def test_options_tell_what_may_be_posted(live: World) -> None:
    """
    RFC 9725 4.2: OPTIONS answers Accept-Post, without any token.
    """
    response = live.call("OPTIONS", f"{PATH}/whip")

    assert response.status_code == 200
    assert response.headers["Accept-Post"] == "application/sdp"
