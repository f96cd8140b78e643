"""What strangers and broken clients send: a status and a type of its own each."""

from typing import Any

import pytest

from spaces_contract.ids import HANDLE_PATTERN, USER_ID_PATTERN
from spaces_contract.media import MAX_SDP_BYTES
from spaces_contract.roles import PeerKind, Role
from tests.builders import AN_OFFER, HOST, SPACE_ID, a_grant, a_runtime, a_space
from tests.world import World, a_private_key, code_of

PATH = f"/v1/spaces/{SPACE_ID}"


@pytest.fixture
def live(world: World) -> World:
    """Return a world with a live Space, whose worker is ready."""
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    return world


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed-json"),
        (b"{", 400, "malformed-json"),
        (b'{"title": "\xff"}', 400, "malformed-json"),
        (b'{"title": "\\ud800"}', 400, "malformed-json"),
        (b"[" * 60_000, 400, "malformed-json"),
        (b"[]", 422, "invalid-field"),
        (b"null", 422, "invalid-field"),
        (b'{"title": 1}', 422, "invalid-field"),
        (b'{"title": true}', 422, "invalid-field"),
        (b'{"title": "a\\nb"}', 422, "invalid-field"),
        (b'{"title": "a\\u0000b"}', 422, "invalid-field"),
        (b'{"title": "%s"}' % (b"x" * 71), 422, "invalid-field"),
        (b'{"topics": "tea"}', 422, "invalid-field"),
        (b'{"topics": ["a", "b", "c", "d"]}', 422, "invalid-field"),
        (b'{"topics": [" "]}', 422, "invalid-field"),
        (b'{"lang": "English"}', 422, "invalid-field"),
        (b'{"speaker_policy": "nobody"}', 422, "invalid-field"),
        (b'{"colour": "red"}', 422, "unknown-field"),
        (b'{"state": "live"}', 422, "unknown-field"),
        (b'{"title": "%s"}' % (b"x" * 65_536), 413, "body-too-large"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else None,
)
def test_json_that_cannot_be_accepted(
    world: World, body: bytes, status: int, code: str
) -> None:
    """
    Malformed, wrong, unknown and huge bodies are told apart, and nothing is stored.
    """
    response = world.call(
        "POST",
        "/v1/spaces",
        as_user="host",
        data=body,
        content_type="application/json",
    )

    assert (response.status_code, code_of(response)) == (status, code)
    assert world.database.spaces == {}


def test_every_wrong_field_is_pointed_at(world: World) -> None:
    """
    `errors` has an RFC 6901 pointer for each field that is wrong.
    """
    response = world.call(
        "POST", "/v1/spaces", as_user="host", json={"title": 1, "topics": ["a", 2]}
    )

    pointers = [error["pointer"] for error in response.get_json()["errors"]]
    assert pointers == ["/title", "/topics/1"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/sdp", None])
def test_json_must_be_called_json(world: World, content_type: str | None) -> None:
    """
    A body of another type is 415, so that no form of a foreign page can send one.
    """
    response = world.call(
        "POST", "/v1/spaces", as_user="host", data=b"{}", content_type=content_type
    )

    assert response.status_code == 415
    assert code_of(response) == "unsupported-media-type"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "id-token-missing"),
        ("Basic YTpi", "id-token-missing"),
        ("Bearer", "id-token-missing"),
        ("Bearer  ", "id-token-missing"),
        ("Bearer forged", "invalid-id-token"),
    ],
)
def test_who_does_not_say_who_they_are(
    world: World, header: str | None, code: str
) -> None:
    """
    A missing and a foreign ID token are both 401, each with its type.
    """
    headers = {} if header is None else {"Authorization": header}

    response = world.call("POST", "/v1/spaces", headers=headers, json={})

    assert (response.status_code, code_of(response)) == (401, code)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("sdp", "status", "code"),
    [
        (b"", 400, "sdp-empty"),
        (b" \r\n ", 400, "sdp-empty"),
        (b"v" * (MAX_SDP_BYTES + 1), 413, "sdp-too-large"),
        (b"v" * 70_000, 413, "sdp-too-large"),
    ],
    ids=["empty", "blank", "large", "huge"],
)
def test_sdp_that_no_worker_needs_to_see(
    live: World, sdp: bytes, status: int, code: str
) -> None:
    """
    Empty and huge offers are refused before they are forwarded.
    """
    response = live.post_sdp(f"{PATH}/whep", a_grant(), sdp)

    assert (response.status_code, code_of(response)) == (status, code)
    assert live.workers.forwards == []


def test_sdp_must_be_called_sdp(live: World) -> None:
    """
    An offer of another content type is 415.
    """
    token = live.signer.sign_grant(a_grant())

    response = live.call(
        "POST",
        f"{PATH}/whep",
        data=AN_OFFER,
        content_type="text/plain",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert (response.status_code, code_of(response)) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"space_id": "9Other9Other9"}, 403, "grant-for-other-space"),
        ({"epoch": 7}, 409, "stale-grant"),
        ({"expires_at_s": 1}, 401, "grant-expired"),
        ({"kinds": (PeerKind.WHIP,)}, 403, "grant-forbids"),
    ],
)
def test_grants_that_are_for_something_else(
    live: World, fields: dict[str, Any], status: int, code: str
) -> None:
    """
    A grant of another Space, epoch, time or kind is refused by its own type.
    """
    response = live.post_sdp(f"{PATH}/whep", a_grant(**fields), AN_OFFER)

    assert (response.status_code, code_of(response)) == (status, code)


def test_a_listener_may_not_talk(live: World) -> None:
    """
    WHIP with a listener's grant is 403.
    """
    response = live.post_sdp(f"{PATH}/whip", a_grant(), AN_OFFER)

    assert (response.status_code, code_of(response)) == (403, "grant-forbids")


def test_grants_that_nobody_gave(live: World) -> None:
    """
    Foreign signatures, other tokens of ours, and nonsense are invalid grants.
    """
    foreign = type(live.signer)(a_private_key()).sign_grant(a_grant())
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ."

    for token in (foreign, unsigned, "x", "ü", "a.b.c", "x" * 5000):
        response = live.post_sdp(f"{PATH}/whep", token, AN_OFFER)
        assert (response.status_code, code_of(response)) == (401, "invalid-grant")
    missing = live.call(
        "POST", f"{PATH}/whep", data=AN_OFFER, content_type="application/sdp"
    )
    assert (missing.status_code, code_of(missing)) == (401, "grant-missing")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/spaces/short", "space-not-found"),
        ("GET", "/v1/spaces/1Nobody1Nobod", "space-not-found"),
        ("GET", "/v1/spaces/..%2f..%2fetc", "not-found"),
        ("GET", "/v1/nothing", "not-found"),
        ("PATCH", f"{PATH}/participants/a b", "participant-not-found"),
    ],
)
def test_paths_that_lead_nowhere(
    live: World, method: str, path: str, code: str
) -> None:
    """
    What is not there is a 404 problem, whatever the path looks like.
    """
    response = live.call(method, path, as_user="host", json={"muted": True})

    assert (response.status_code, code_of(response)) == (404, code)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("page_size=0", 422, "invalid-field"),
        ("page_size=101", 422, "invalid-field"),
        ("page_size=many", 422, "invalid-field"),
        ("state=ended", 422, "invalid-field"),
        ("colour=red", 422, "unknown-field"),
        ("page_token=abc", 400, "invalid-page-token"),
        ("page_token=%FF", 400, "invalid-page-token"),
        ("page_token=WyJzcGFjZXMiLDEsMl0", 400, "invalid-page-token"),
    ],
)
def test_queries_that_cannot_be_accepted(
    world: World, query: str, status: int, code: str
) -> None:
    """
    Page sizes, unknown parameters and made-up page tokens are refused.
    """
    response = world.call("GET", f"/v1/spaces?{query}")

    assert (response.status_code, code_of(response)) == (status, code)


@pytest.mark.parametrize(
    "body",
    [{}, {"role": "host"}, {"role": None}, {"muted": "yes"}, {"removed": 1}],
)
def test_edits_of_participants_that_mean_nothing(
    live: World, body: dict[str, Any]
) -> None:
    """
    An edit names at least one field, and only what can be given.
    """
    response = live.call("PATCH", f"{PATH}/participants/ana", as_user=HOST, json=body)

    assert (response.status_code, code_of(response)) == (422, "invalid-field")


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
def test_idempotency_keys_that_cannot_be_kept(world: World, key: str) -> None:
    """
    A key is 1 to 255 visible characters.
    """
    response = world.call(
        "POST",
        "/v1/spaces",
        as_user="host",
        json={},
        headers={"Idempotency-Key": key},
    )

    assert (response.status_code, code_of(response)) == (400, "invalid-header")


def test_a_wrong_method_says_which_are_right(world: World) -> None:
    """
    405 is a problem as well, and has Allow.
    """
    response = world.call("DELETE", "/v1/spaces")

    assert (response.status_code, code_of(response)) == (405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_a_fault_of_ours_tells_nothing(world: World) -> None:
    """
    An error that nobody expected is a plain 500 problem, without its text.
    """
    world.id_tokens.error = RuntimeError("secret")

    response = world.call("GET", "/v1/me", as_user="ana")

    assert (response.status_code, code_of(response)) == (500, "internal-error")
    assert "secret" not in response.text


def test_roles_are_not_for_wishing(live: World) -> None:
    """
    Nobody joins as host by asking.
    """
    response = live.call(
        "POST", f"{PATH}/join", as_user="ana", json={"role": Role.HOST.value}
    )

    assert (response.status_code, code_of(response)) == (422, "invalid-field")


@pytest.mark.parametrize("uid", ["__x__", "____", "a%20b", "x" * 129])
def test_a_path_that_names_nobody(live: World, uid: str) -> None:
    """
    What cannot be a uid, `__.*__` of Firestore's own included, is 404.
    """
    response = live.call(
        "PATCH", f"{PATH}/participants/{uid}", as_user=HOST, json={"muted": True}
    )

    assert (response.status_code, code_of(response)) == (404, "participant-not-found")


def test_reserved_names_are_told_apart() -> None:
    """
    Underscores are refused only where Firestore refuses them.
    """
    for allowed in ("_", "__", "___", "__ana", "ana__", "_a_", "a__b"):
        assert USER_ID_PATTERN.fullmatch(allowed)
        assert HANDLE_PATTERN.fullmatch(allowed)
    for reserved in ("____", "_____", "__ana__"):
        assert not USER_ID_PATTERN.fullmatch(reserved)
        assert not HANDLE_PATTERN.fullmatch(reserved)
