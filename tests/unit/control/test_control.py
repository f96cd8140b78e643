"""The control API refuses everything that the functions did not sign."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from spaces_contract.control import CONTROL_STATUS, SESSION_ID_HEADER, ControlError
from spaces_contract.ids import UserId
from spaces_contract.media import MAX_SDP_BYTES
from spaces_contract.reactions import REACT, Reaction, to_body
from spaces_contract.roles import PeerKind
from spaces_contract.trace_context import HEADER, TraceContext
from tests.control_api import (
    SESSION,
    RememberingSessions,
    a_forward,
    bearer,
    client_of,
)
from tests.tracing import remembered_spans


@pytest.fixture
def sessions() -> RememberingSessions:
    """Return what stands behind the API."""
    return RememberingSessions()


@pytest.fixture
def client(sessions: RememberingSessions) -> httpx.AsyncClient:
    """Return a client of its API."""
    return client_of(sessions)


async def test_a_signed_offer_opens_a_session(
    client: httpx.AsyncClient, sessions: RememberingSessions
) -> None:
    """
    201 with the answer and the session's id; the room learns user, kind and grant.
    """
    response = await client.post(
        "/sessions", content=b"v=0", headers=bearer(a_forward(b"v=0"))
    )

    assert response.status_code == 201
    assert response.text == "v=0 answer"
    assert response.headers["content-type"].startswith("application/sdp")
    assert response.headers[SESSION_ID_HEADER] == SESSION
    assert sessions.opened == [("v=0", "ana", PeerKind.WHIP, "grant-1")]


WRONG: dict[str, Callable[[], dict[str, str]]] = {
    "no header": lambda: {},
    "not bearer": lambda: {"Authorization": "Basic YTpi"},
    "no token": lambda: {"Authorization": "Bearer garbage"},
    "foreign key": lambda: bearer(a_forward(b"v=0"), Ed25519PrivateKey.generate()),
    "symmetric": lambda: bearer(a_forward(b"v=0"), "x" * 32, "HS256"),
    "unsigned": lambda: bearer(a_forward(b"v=0"), None, "none"),
    "expired": lambda: bearer(a_forward(b"v=0", exp=int(time.time()) - 10)),
    "no expiry": lambda: bearer(a_forward(b"v=0", exp=None)),
    "not yet": lambda: bearer(a_forward(b"v=0", iat=int(time.time()) + 60)),
    "a grant": lambda: bearer(a_forward(b"v=0", aud="parley-media")),
    "other issuer": lambda: bearer(a_forward(b"v=0", iss="else")),
    "other Space": lambda: bearer(a_forward(b"v=0", space_id="2nKxoPQrsTUvw")),
    "other body": lambda: bearer(a_forward(b"v=1")),
    "for DELETE": lambda: bearer(a_forward(b"v=0", method="DELETE", kind=None)),
    "no kind": lambda: bearer(a_forward(b"v=0", kind=None)),
    "bad kind": lambda: bearer(a_forward(b"v=0", kind="rtmp")),
    "bad role": lambda: bearer(a_forward(b"v=0", role="king")),
    "epoch as text": lambda: bearer(a_forward(b"v=0", epoch="3")),
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
async def test_what_functions_did_not_sign_is_refused(
    client: httpx.AsyncClient,
    sessions: RememberingSessions,
    headers: Callable[[], dict[str, str]],
) -> None:
    """
    401 with `invalid-forward`; nothing is opened.
    """
    response = await client.post("/sessions", content=b"v=0", headers=headers())

    assert response.status_code == 401
    assert response.json()["code"] == ControlError.INVALID_FORWARD
    assert sessions.opened == []


async def test_another_epoch_is_stale(client: httpx.AsyncClient) -> None:
    """
    409 `stale-grant`: the client has to join again.
    """
    headers = bearer(a_forward(b"v=0", epoch=2))

    response = await client.post("/sessions", content=b"v=0", headers=headers)

    assert response.status_code == 409
    assert response.json()["code"] == ControlError.STALE_EPOCH


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ControlError.SDP_EMPTY),
        (b" \r\n", ControlError.SDP_EMPTY),
        (b"v" * (MAX_SDP_BYTES + 1), ControlError.SDP_TOO_LARGE),
        (b"\xff\xfe", ControlError.SDP_MALFORMED),
        (b"video", ControlError.SDP_NO_AUDIO),
    ],
)
async def test_bad_offers_have_codes_of_their_own(
    client: httpx.AsyncClient, body: bytes, code: ControlError
) -> None:
    """
    Each has the status of the contract and JSON with code and detail.
    """
    response = await client.post(
        "/sessions", content=body, headers=bearer(a_forward(body))
    )

    assert response.status_code == CONTROL_STATUS[code]
    assert response.json().keys() == {"code", "detail"}
    assert response.json()["code"] == code


def delete_headers(session_id: str = SESSION, **changes: Any) -> dict[str, str]:
    """Return the header of a signed DELETE."""
    changes = {"method": "DELETE", "kind": None, "session_id": session_id} | changes
    return bearer(a_forward(b"", **changes))


async def test_delete_closes_for_its_user_and_grant(
    client: httpx.AsyncClient, sessions: RememberingSessions
) -> None:
    """
    204, and the room is told who asked.
    """
    response = await client.delete(f"/sessions/{SESSION}", headers=delete_headers())

    assert response.status_code == 204
    assert sessions.closed == [(SESSION, "ana", "grant-1")]


async def test_delete_is_bound_to_one_session(client: httpx.AsyncClient) -> None:
    """
    A forward for one session does not close another.
    """
    response = await client.delete("/sessions/other", headers=delete_headers())

    assert response.status_code == 401


async def test_deleting_an_unknown_session_is_not_found(
    client: httpx.AsyncClient,
) -> None:
    """
    404 `session-not-found`.
    """
    response = await client.delete("/sessions/other", headers=delete_headers("other"))

    assert response.status_code == 404
    assert response.json()["code"] == ControlError.SESSION_NOT_FOUND


async def test_health_readiness_and_metrics(client: httpx.AsyncClient) -> None:
    """
    All three answer without a token: the address is private.
    """
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    assert "parley_worker_up 1" in (await client.get("/metrics")).text


async def test_signed_reactions_reach_the_room(
    client: httpx.AsyncClient, sessions: RememberingSessions
) -> None:
    """
    A batch comes through once; a forward that opens a session carries none, and one
    for reactions opens none.
    """
    batch = [Reaction(uid=UserId("ana"), emoji="🔥", count=2)]
    body = to_body(batch)
    claims = a_forward(body, method=REACT, kind=None)

    taken = await client.post("/reactions", content=body, headers=bearer(claims))
    wrong = [
        await client.post("/reactions", content=body, headers=bearer(a_forward(body))),
        await client.post("/sessions", content=body, headers=bearer(claims)),
    ]

    assert taken.status_code == 204
    assert [answer.status_code for answer in wrong] == [401, 401]
    assert sessions.reactions == batch
    assert sessions.opened == []


async def test_what_is_no_batch_is_refused(
    client: httpx.AsyncClient, sessions: RememberingSessions
) -> None:
    """
    Also where it is signed.
    """
    body = b'{"reactions": [{"uid": "ana"}]}'
    claims = a_forward(body, method=REACT, kind=None)

    answer = await client.post("/reactions", content=body, headers=bearer(claims))

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-forward")
    assert sessions.reactions == []


async def test_a_session_is_part_of_its_callers_trace(
    client: httpx.AsyncClient,
) -> None:
    """
    What is asked for is a span, named by its route; a refusal is no fault of ours.
    """
    caller = TraceContext("a" * 32, "b" * 16, sampled=True)
    headers = {HEADER: caller.traceparent}

    with remembered_spans() as traced:
        taken = bearer(a_forward(b"v=0"))
        await client.post("/sessions", content=b"v=0", headers=headers | taken)
        await client.delete(f"/sessions/{SESSION}", headers=headers)

    opened, closed = traced.spans
    assert (opened.title, opened.parent) == ("POST /sessions", caller)
    assert opened.facts["http.response.status_code"] == 201
    assert closed.title == "DELETE /sessions/{session_id}"
    assert closed.facts["parley.problem"] == ControlError.INVALID_FORWARD
    assert (opened.error, closed.error) == (None, None)
    assert SESSION not in str([opened.facts, closed.facts])
