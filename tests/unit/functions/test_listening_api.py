"""Hearing by HLS: who gets a token, a playlist and keys, and from whom."""

import re
from datetime import timedelta
from typing import Any

import jwt
import pytest
from werkzeug.test import TestResponse

from spaces.domain.states import SpaceState
from spaces.domain.token_bucket import RateLimit
from spaces.http.rate_limits import Scope
from spaces.service.errors import WorkerRefused
from spaces_contract.control import ControlError
from spaces_contract.grants import LISTEN_LIFETIME_S, Forward, ListenToken
from spaces_contract.hls import FETCH_KEY, KEY_PERIOD_S, LISTEN
from spaces_contract.ids import UserId
from spaces_contract.roles import Role
from spaces_contract.runtime import WorkerState
from tests import listening_world
from tests.applications import PUBLIC_URL
from tests.builders import (
    HOST,
    NOW,
    SPACE_ID,
    a_grant,
    a_participant,
    a_profile,
    a_runtime,
    a_space,
)
from tests.listening_world import KEYS_URL, LIVE_URL
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}"
ANA = UserId("ana")
KEY = f"{PATH}/keys/1/7"


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space, whose worker is ready."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    return world


def token_of(world: World, user: str = "ana", **body: Any) -> str:
    """Return a listen token of `user`."""
    answer = world.call("POST", f"{PATH}/listen-token", as_user=user, json=body)
    return str(answer.get_json()["token"])


def fetch(world: World, path: str, token: str | None, cookie: str = "") -> TestResponse:
    """GET as a player does, with the token in the query, in the cookie, or in both."""
    query = f"?t={token}" if token is not None else ""
    headers = {"Cookie": f"__session={cookie}"} if cookie else {}
    client = world.api.test_client(use_cookies=False)
    return client.get(path + query, headers=headers)


def forwarded(world: World) -> Forward:
    """Return what the worker was last asked, as it reads it."""
    token = world.workers.forwards[-1]
    return Forward.from_claims(jwt.decode(token, options={"verify_signature": False}))


def test_whoever_may_join_may_listen(live: World) -> None:
    """
    A token of ten minutes, in the answer and in the one cookie that Hosting passes.
    """
    answer = live.call("POST", f"{PATH}/listen-token", as_user="ana")
    body = answer.get_json()

    assert live.signer.read_listen_token(body["token"]).listener_id == "ana"
    assert body["hls_url"] == f"{PUBLIC_URL}{PATH}/listen.m3u8?t={body['token']}"
    assert body["expires_at"] == "2030-05-04T12:10:00.000Z"
    assert body["key_period_s"] == KEY_PERIOD_S
    assert {*answer.headers["Set-Cookie"].split("; ")} >= {
        f"__session={body['token']}",
        f"Max-Age={LISTEN_LIFETIME_S}",
        f"Path={PATH}/",
        *("Secure", "HttpOnly", "SameSite=Lax"),
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_cdn_of_the_same_name_gets_its_signature_as_a_cookie(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    For this Space's keys alone, for five minutes; under another name nothing is set.
    """
    monkeypatch.setattr(listening_world, "KEYS_URL", PUBLIC_URL)
    here = World()
    for user_id in (HOST, "ana"):
        here.database.put_profile(a_profile(user_id))
    here.database.put_space(a_space())
    cookies = [
        world.call("POST", f"{PATH}/listen-token", as_user="ana").headers.getlist(
            "Set-Cookie"
        )
        for world in (live, here)
    ]

    assert [len(each) for each in cookies] == [1, 2]
    value, *rest = cookies[1][1].split("; ")
    assert re.fullmatch(r"parley_keys=[\w-]{22}\.[0-9]{10}", value)
    assert {*rest} >= {
        "Max-Age=300",
        f"Path=/live-keys/{SPACE_ID}/",
        *("Secure", "HttpOnly", "SameSite=Lax"),
    }


def test_listening_leaves_no_trace(live: World) -> None:
    """
    Neither document nor count is written for an HLS listener.
    """
    before = dict(live.database.members), live.database.spaces[SPACE_ID]

    token = token_of(live)
    fetch(live, f"{PATH}/listen.m3u8", token)
    fetch(live, KEY, token)

    assert (live.database.members, live.database.spaces[SPACE_ID]) == before


def test_the_blocked_and_the_removed_get_no_token(live: World) -> None:
    """
    The checks are those of a join.
    """
    live.database.blocks.add((HOST, ANA))
    live.database.put_member(SPACE_ID, a_participant("bo", removed=True))

    answers = [
        live.call("POST", f"{PATH}/listen-token", as_user=user)
        for user in ("ana", "bo", "nobody")
    ]
    live.database.put_space(a_space(SpaceState.ENDED))
    answers.append(live.call("POST", f"{PATH}/listen-token", as_user="cleo"))

    codes = [code_of(answer) for answer in answers]
    assert codes == ["blocked", "removed", "profile-required", "not-live"]


def test_an_anonymous_listener_stays_one(live: World) -> None:
    """
    The token names a pseudonym, the same that a join gives, and so does the worker's.
    """
    joined = live.call(
        "POST", f"{PATH}/join", as_user="ana", json={"anonymous": True}
    ).get_json()

    token = token_of(live, anonymous=True)
    fetch(live, KEY, token)

    assert live.signer.read_listen_token(token).listener_id == joined["uid"]
    assert (forwarded(live).user_id, forwarded(live).anonymous) == (joined["uid"], True)


def test_a_listener_has_a_playlist_of_their_own(live: World) -> None:
    """
    It leads to the shared one on the live edge and defines where keys are; the worker
    has been told before.
    """
    token = token_of(live)

    answer = fetch(live, f"{PATH}/listen.m3u8", token)

    assert answer.content_type == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "private, no-store"
    lines = answer.text.splitlines()
    assert lines[:2] == ["#EXTM3U", "#EXT-X-VERSION:8"]
    defined = dict(re.findall(r'EXT-X-DEFINE:NAME="(\w)",VALUE="(.*)"', answer.text))
    assert defined == {"k": f"{PUBLIC_URL}{PATH}/keys", "t": f"t={token}"}
    assert 'CODECS="mp4a.40.2"' in lines[-2]
    assert lines[-1] == f"{LIVE_URL}/live/{SPACE_ID}/audio.m3u8"
    assert (forwarded(live).method, forwarded(live).epoch) == (LISTEN, 1)


@pytest.mark.parametrize(("listeners", "by_cdn"), [(9_999, False), (10_000, True)])
def test_a_very_large_audience_has_its_keys_from_the_cdn(
    live: World, listeners: int, by_cdn: bool
) -> None:
    """
    From 10,000 HLS listeners on, playlists name the CDN's keys and its signature.
    """
    live.database.runtimes[SPACE_ID] = a_runtime(hls_listener_count=listeners)
    token = token_of(live)

    text = fetch(live, f"{PATH}/listen.m3u8", token).text

    defined = dict(re.findall(r'EXT-X-DEFINE:NAME="(\w)",VALUE="(.*)"', text))
    assert (defined["k"] == f"{KEYS_URL}/live-keys/{SPACE_ID}") is by_cdn
    assert (token in defined["t"]) is not by_cdn
    if by_cdn:
        assert re.fullmatch(r"md5=[\w-]{22}&expires=\d+", defined["t"])


def test_a_key_comes_from_the_worker_for_its_period(live: World) -> None:
    """
    The worker is asked each time; the answer is private and lives as long as the key.
    """
    answer = fetch(live, KEY, token_of(live))

    assert answer.data == (7).to_bytes(16)
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    asked = forwarded(live)
    assert (asked.method, asked.user_id, asked.session_id) == (FETCH_KEY, "ana", "7")


def test_the_fresher_of_two_tokens_counts(live: World) -> None:
    """
    A player goes on asking with the token that it began with; the cookie renews it.
    """
    old = token_of(live)
    live.clock.advance(LISTEN_LIFETIME_S - 60)
    fresh = token_of(live)
    live.clock.advance(61)

    assert code_of(fetch(live, KEY, old)) == "listen-token-expired"
    assert fetch(live, KEY, old, fresh).status_code == 200
    assert fetch(live, KEY, None, fresh).status_code == 200
    assert fetch(live, KEY, fresh, "nonsense").status_code == 200


def test_other_tokens_open_nothing(live: World) -> None:
    """
    Another Space's token, a grant, nonsense and none at all are 401.
    """
    other = ListenToken(
        token_id="1",
        space_id="9Other9Other9",
        listener_id="ana",
        anonymous=False,
        issued_at_s=0,
        expires_at_s=int((NOW + timedelta(days=1)).timestamp()),
    )
    tokens = (
        live.signer.sign_listen_token(other),
        live.signer.sign_grant(a_grant()),
        "nonsense",
    )

    codes = [code_of(fetch(live, KEY, token)) for token in tokens]

    assert codes == ["invalid-listen-token"] * 3
    assert code_of(fetch(live, KEY, None)) == "listen-token-missing"
    assert live.workers.forwards == []


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 10])
def test_what_can_be_no_key_is_404(live: World, number: str) -> None:
    """
    And so is a key of an epoch that does not run.
    """
    token = token_of(live)

    shapeless = fetch(live, f"{PATH}/keys/1/{number}", token)
    foreign = fetch(live, f"{PATH}/keys/2/7", token)

    assert code_of(shapeless) == code_of(foreign) == "hls-key-not-found"
    assert live.workers.forwards == []


def test_a_removed_listener_gets_no_further_key(live: World) -> None:
    """
    The worker knows, and its word is passed on; a new token there is not either.
    """
    token = token_of(live)
    live.database.put_member(SPACE_ID, a_participant(removed=True))
    live.workers.error = WorkerRefused(ControlError.REMOVED, "removed")

    assert code_of(fetch(live, KEY, token)) == "removed"
    renewed = live.call("POST", f"{PATH}/listen-token", as_user="ana")
    assert code_of(renewed) == "removed"


def test_what_is_not_there_yet_is_waited_for(live: World) -> None:
    """
    503 with Retry-After: no worker, one that starts, one that has no segment yet.
    """
    token = token_of(live)
    live.workers.error = WorkerRefused(ControlError.HLS_STARTING, "soon")
    starting = fetch(live, f"{PATH}/listen.m3u8", token)
    live.database.runtimes[SPACE_ID] = a_runtime(WorkerState.LAUNCHING)
    launching = fetch(live, f"{PATH}/listen.m3u8", token)
    no_key = fetch(live, KEY, token)

    answers = (starting, launching, no_key)
    assert [code_of(answer) for answer in answers] == [
        "hls-starting",
        "worker-starting",
        "worker-starting",
    ]
    assert all(answer.headers["Retry-After"] == "1" for answer in answers)


def test_a_full_worker_leaves_hls(live: World) -> None:
    """
    Beyond what the worker takes, listeners get no WHEP URL; the stage always does.
    """

    def join(user: str) -> tuple[bool, bool]:
        body = live.call("POST", f"{PATH}/join", as_user=user).get_json()
        return body["whep_url"] is not None, body["hls_url"] is not None

    with_room = join("ana")
    live.clock.advance(5)
    live.database.runtimes[SPACE_ID] = a_runtime(
        listener_count=30, hls_listener_count=10, capacity=20
    )
    full = join("bo")

    assert (with_room, full, join(HOST)) == ((True, True), (False, True), (True, False))


def test_a_join_looks_at_the_worker_once_in_five_seconds(live: World) -> None:
    """
    What was seen is good for as long as a worker's count is.
    """

    def whep() -> bool:
        body = live.call("POST", f"{PATH}/join", as_user="ana").get_json()
        return body["whep_url"] is not None

    seen = [whep()]
    live.database.runtimes[SPACE_ID] = a_runtime(listener_count=20, capacity=20)
    seen.append(whep())
    live.clock.advance(5)
    seen.append(whep())

    assert seen == [True, True, False]


def test_players_do_not_ask_too_often(live: World) -> None:
    """
    One listener's keys and playlists are limited; another's are not touched.
    """
    live.limits[Scope.LISTEN] = RateLimit(burst=3, per_s=1)
    ana, bo = token_of(live), token_of(live, "bo")

    statuses = {fetch(live, KEY, ana).status_code for _ in range(4)}

    assert statuses == {200, 429}
    assert fetch(live, KEY, bo).status_code == 200


def test_another_origins_player_may_read_keys(live: World) -> None:
    """
    CORS holds for playlists and keys too.
    """
    origin = "https://app.example"
    answer = live.call("GET", f"{KEY}?t={token_of(live)}", headers={"Origin": origin})

    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert forwarded(live).role is Role.LISTENER
