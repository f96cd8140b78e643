"""What the control API lets relays do, and nobody else."""

import json
import time
from typing import Any

import httpx
import pytest

from media_worker.control.feeds import FeedApi
from spaces_contract.control import CONTROL_STATUS, ControlError
from spaces_contract.relays import FEED, FEED_LIFETIME_S, RelayReport
from tests.control_api import CHECK, RememberingSessions, a_forward, bearer, client_of

REPORT = RelayReport(control_url="http://10.0.0.8:9000", listeners=7, capacity=100)


class RememberingFeeds:
    """Opens every feed and takes every report."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, int]] = []
        self.reports: list[tuple[int, RelayReport]] = []

    async def open_feed(self, offer_sdp: str, index: int) -> str:
        self.opened.append((offer_sdp, index))
        return "v=0 answer"

    def relay_reported(self, index: int, report: RelayReport) -> None:
        self.reports.append((index, report))


@pytest.fixture
def feeds() -> RememberingFeeds:
    """Return what stands behind the API."""
    return RememberingFeeds()


@pytest.fixture
def client(feeds: RememberingFeeds) -> httpx.AsyncClient:
    """Return a client of an API for epoch 3 of a Space."""
    return client_of(RememberingSessions(), FeedApi(feeds, CHECK).routes())


def a_feed(**changes: Any) -> dict[str, Any]:
    """Return the claims of the relay 2's forward, with some changed."""
    claims = a_forward(b"", method=FEED, session_id="2", kind=None)
    return claims | {"exp": int(time.time()) + FEED_LIFETIME_S} | changes


async def test_one_token_is_good_for_offers_and_reports(
    client: httpx.AsyncClient, feeds: RememberingFeeds
) -> None:
    """
    Whatever their bodies are: a relay makes them by itself, and often.
    """
    headers = bearer(a_feed())

    for offer in (b"v=0 first", b"v=0 second"):
        opened = await client.post("/feeds/2", content=offer, headers=headers)
        assert (opened.status_code, opened.text) == (201, "v=0 answer")
    told = await client.put("/feeds/2", content=REPORT.to_json(), headers=headers)

    assert told.status_code == 204
    assert feeds.opened == [("v=0 first", 2), ("v=0 second", 2)]
    assert feeds.reports == [(2, REPORT)]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (a_feed(session_id="3"), ControlError.INVALID_FORWARD),
        (a_feed(method="POST", kind="whep"), ControlError.INVALID_FORWARD),
        (a_feed(space_id="2nKxoPQrsTUvw"), ControlError.INVALID_FORWARD),
        (a_feed(exp=1), ControlError.INVALID_FORWARD),
        (a_feed(epoch=4), ControlError.STALE_EPOCH),
    ],
    ids=["relay", "method", "space", "expired", "epoch"],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_another_token_is_not(
    client: httpx.AsyncClient,
    feeds: RememberingFeeds,
    method: str,
    claims: dict[str, Any],
    code: ControlError,
) -> None:
    """
    It is for one relay of one Space in one epoch.
    """
    response = await client.request(
        method, "/feeds/2", content=REPORT.to_json(), headers=bearer(claims)
    )

    assert (response.status_code, response.json()["code"]) == (
        CONTROL_STATUS[code],
        code,
    )
    assert (feeds.opened, feeds.reports) == ([], [])


async def test_a_relay_can_open_no_session_for_anybody(
    client: httpx.AsyncClient,
) -> None:
    """
    Its token is no forward of a client's request.
    """
    response = await client.post(
        "/sessions", content=b"v=0", headers=bearer(a_feed(kind="whep"))
    )

    assert response.json()["code"] == ControlError.INVALID_FORWARD


@pytest.mark.parametrize(
    "change",
    [
        {"listeners": -1},
        {"listeners": "7"},
        {"capacity": 10**9},
        {"control_url": "file:///etc/passwd"},
        {"control_url": None},
    ],
)
async def test_a_report_is_checked(
    client: httpx.AsyncClient, feeds: RememberingFeeds, change: dict[str, Any]
) -> None:
    """
    Its numbers go to functions and to everybody's page.
    """
    body = json.dumps(REPORT.to_fields() | change).encode()

    response = await client.put("/feeds/2", content=body, headers=bearer(a_feed()))

    assert response.json()["code"] == ControlError.INVALID_FORWARD
    assert feeds.reports == []
