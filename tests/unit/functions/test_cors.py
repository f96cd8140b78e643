"""Which pages may call, and what they may see."""

import pytest

from spaces.http.app import api_app
from spaces.http.routes import Section
from tests.applications import PUBLIC_URL
from tests.fakes import FakeIdTokens
from tests.world import World

OURS = {"Origin": "https://app.example"}
THEIRS = {"Origin": "https://evil.example"}


def test_a_preflight_allows_what_the_path_takes(world: World) -> None:
    """
    OPTIONS of a configured origin names methods and headers, and how long it holds.
    """
    headers = OURS | {"Access-Control-Request-Method": "POST"}

    response = world.call("OPTIONS", "/v1/spaces", headers=headers)

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    methods = response.headers["Access-Control-Allow-Methods"].split(", ")
    assert set(methods) >= {"GET", "POST"}
    allowed = response.headers["Access-Control-Allow-Headers"]
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "If-Match"):
        assert name in allowed
    assert response.headers["Access-Control-Max-Age"] == "7200"


def test_answers_expose_what_clients_need(world: World) -> None:
    """
    Location, Link and ETag can be read across origins, of errors too.
    """
    for path in ("/v1/spaces", "/v1/nothing"):
        response = world.call("GET", path, headers=OURS)
        exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Location", "Link", "ETag"} <= set(exposed)
        assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_pages_see_nothing(world: World, method: str) -> None:
    """
    An origin that is not configured gets no CORS header at all.
    """
    response = world.call(method, "/v1/spaces", headers=THEIRS)

    assert not [name for name, _ in response.headers if name.startswith("Access-")]


def test_any_origin_where_configured(world: World) -> None:
    """
    With `*` every page may call, and the answer may be cached for all.
    """
    app = api_app(
        [Section("/", lambda: world.operations)],
        id_tokens=FakeIdTokens(),
        cors_origins=frozenset({"*"}),
        public_url=PUBLIC_URL,
    )

    response = app.test_client().get("/v1/spaces", headers=THEIRS)

    assert response.headers["Access-Control-Allow-Origin"] == "*"
