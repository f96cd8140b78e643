"""Headers by which browsers make no more of an answer than it is."""

import pytest

from spaces.http.security_headers import DEFAULTS
from tests.world import World

SIGNED_IN = {"Authorization": "Bearer uid:ana"}


@pytest.mark.parametrize("path", ["/v1/me", "/v1/nothing", "/2/spaces/x"])
def test_each_answer_is_only_what_it_says(world: World, path: str) -> None:
    """
    No sniffing, no frames, no scripts, no referrer; problems included.
    """
    answer = world.call("GET", path, as_user="ana")

    assert dict(answer.headers).items() >= DEFAULTS.items()


def test_what_is_somebodys_stays_out_of_caches(world: World) -> None:
    """
    An answer to a token is stored nowhere; a public one says itself for how long.
    """
    mine = world.call("GET", "/v1/me", as_user="ana")
    public = world.call("GET", "/docs")

    assert mine.headers["Cache-Control"] == "no-store"
    assert public.headers["Cache-Control"] == "public, max-age=300"


def test_pages_keep_their_own_policy(world: World) -> None:
    """
    The document for people is shown with its own style.
    """
    policy = world.call("GET", "/docs").headers["Content-Security-Policy"]

    assert "style-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy
