"""Listeners and keys of HLS over the control API, with signed forwards alone."""

from typing import Any

import httpx
import pytest

from media_worker.control.hls import HlsApi
from media_worker.room.ports import SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.hls import FETCH_KEY, LISTEN
from spaces_contract.ids import UserId
from spaces_contract.roles import Role
from tests.control_api import CHECK, RememberingSessions, a_forward, bearer, client_of


class OneKey:
    """HLS with key 7; Mal was removed."""

    def __init__(self) -> None:
        self.listening: list[str] = []

    async def listen(self, user_id: UserId) -> None:
        if user_id == "mal":
            raise SessionRefused(ControlError.REMOVED, "a host removed them")
        self.listening.append(user_id)

    def key_for(self, user_id: UserId, number: int) -> bytes:
        if number != 7:
            raise SessionRefused(ControlError.HLS_KEY_NOT_FOUND, "no such key")
        return b"sixteen bytes !!"


@pytest.fixture
def hls() -> OneKey:
    """Return what stands behind the API."""
    return OneKey()


@pytest.fixture
def client(hls: OneKey) -> httpx.AsyncClient:
    """Return a client of an API for epoch 3 of a Space."""
    return client_of(RememberingSessions(), HlsApi(hls, CHECK).routes())


def signed(method: str, uid: str = "lea", **changes: Any) -> dict[str, str]:
    """Return the header of a good forward, with some claims changed."""
    claims = a_forward(b"", method=method, kind=None, sub=uid, role=Role.LISTENER)
    return bearer(claims | changes)


async def test_a_listener_is_announced(client: httpx.AsyncClient, hls: OneKey) -> None:
    """
    204 once there is something to play, for the person whom the forward names.
    """
    answer = await client.post("/hls/listeners", headers=signed(LISTEN))

    assert (answer.status_code, answer.content) == (204, b"")
    assert hls.listening == ["lea"]


async def test_a_key_is_told_to_nobody_between(client: httpx.AsyncClient) -> None:
    """
    Its sixteen bytes, which no cache may keep on the way to the functions.
    """
    headers = signed(FETCH_KEY, session_id="7")

    answer = await client.get("/hls/keys/7", headers=headers)

    assert answer.content == b"sixteen bytes !!"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("number", "method", "claims", "status", "code"),
    [
        ("8", FETCH_KEY, {"session_id": "8"}, 404, ControlError.HLS_KEY_NOT_FOUND),
        ("7x", FETCH_KEY, {"session_id": "7x"}, 404, ControlError.HLS_KEY_NOT_FOUND),
        ("9" * 40, FETCH_KEY, {"session_id": "9" * 40}, 404, "hls-key-not-found"),
        ("7", FETCH_KEY, {"session_id": "6"}, 401, ControlError.INVALID_FORWARD),
        ("7", LISTEN, {"session_id": "7"}, 401, ControlError.INVALID_FORWARD),
        ("7", FETCH_KEY, {"session_id": "7", "epoch": 2}, 409, "stale-grant"),
    ],
)
async def test_no_other_key_is_told(
    client: httpx.AsyncClient,
    number: str,
    method: str,
    claims: dict[str, Any],
    status: int,
    code: str,
) -> None:
    """
    A forward is for one key of this epoch; numbers that are none are not found.
    """
    headers = signed(method, **claims)

    answer = await client.get(f"/hls/keys/{number}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "uid", "status", "code"),
    [
        (LISTEN, "mal", 403, ControlError.REMOVED),
        (FETCH_KEY, "lea", 401, ControlError.INVALID_FORWARD),
    ],
)
async def test_not_everybody_is_let_in(
    client: httpx.AsyncClient, method: str, uid: str, status: int, code: str
) -> None:
    """
    Whoever was removed is refused, and what the functions did not sign for this.
    """
    answer = await client.post("/hls/listeners", headers=signed(method, uid))

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/hls/listeners"), ("GET", "/hls/keys/7")]
)
async def test_unsigned_calls_are_refused(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """
    Without a forward nobody is told anything.
    """
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-forward")
