"""`/v1/me`: one's own account."""

import re

import pytest

from spaces.http.schemas import ProfileBody
from tests.world import World, code_of

ANA = {"handle": "ana_new", "display_name": "Ana"}


def test_a_profile_is_made_and_read_back(world: World) -> None:
    """
    PUT makes the account of whoever calls; GET answers the same, with its ETag.
    """
    before = world.call("GET", "/v1/me", as_user="newcomer")
    made = world.call("PUT", "/v1/me", as_user="newcomer", json=ANA)
    read = world.call("GET", "/v1/me", as_user="newcomer")

    assert (before.status_code, code_of(before)) == (404, "profile-not-found")
    assert made.get_json() == read.get_json()
    assert made.headers["ETag"] == read.headers["ETag"]
    assert read.get_json()["uid"] == "newcomer"
    assert read.get_json()["protected"] is False


def test_a_handle_is_one_persons_whatever_its_case(world: World) -> None:
    """
    A handle that differs only in case is taken.
    """
    response = world.call(
        "PUT", "/v1/me", as_user="bo", json={"handle": "ANA", "display_name": "Bo"}
    )

    assert (response.status_code, code_of(response)) == (409, "handle-taken")


def test_edits_of_a_stale_profile_are_refused(world: World) -> None:
    """
    If-Match with an old ETag is 412; with the right one, or `*`, it is done.
    """
    stale = world.call("GET", "/v1/me", as_user="ana").headers["ETag"]
    fresh = world.call("PUT", "/v1/me", as_user="ana", json=ANA).headers["ETag"]

    def put(etag: str) -> int:
        headers = {"If-Match": etag}
        body = {**ANA, "display_name": etag[:5]}
        return world.call(
            "PUT", "/v1/me", as_user="ana", json=body, headers=headers
        ).status_code

    assert put(stale) == 412
    assert put(fresh) == 200
    assert put("*") == 200
    assert put("W/x") == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"handle": "", "display_name": "Ana"},
        {"handle": "a" * 16, "display_name": "Ana"},
        {"handle": "a-b", "display_name": "Ana"},
        {"handle": "ana\n", "display_name": "Ana"},
        {"handle": "__ana__", "display_name": "Ana"},
        {"handle": "ana", "display_name": "  "},
        {"handle": "ana", "display_name": "x" * 51},
        {"handle": "ana", "display_name": "Ana", "protected": "yes"},
    ],
)
def test_profiles_have_bounds(world: World, body: dict[str, object]) -> None:
    """
    Handles are 1 to 15 letters, digits and underscores, and not `__.*__`, which no
    document can be called; names 1 to 50 in one line.
    """
    response = world.call("PUT", "/v1/me", as_user="ana", json=body)

    assert (response.status_code, code_of(response)) == (422, "invalid-field")


@pytest.mark.parametrize(
    "name",
    [
        "\u200b",
        " \u00ad\u2060 ",
        "\u3164",
        "\u115f\u1160\uffa0",
        "\u2800",
        "\ufe0f",
        "an\u2028a",
        "\u202eana",
        "ana\u2066",
    ],
)
def test_a_name_is_seen_and_reads_as_it_is_spelled(world: World, name: str) -> None:
    """
    Nobody goes nameless by letters that show nothing, or by turning what follows.
    """
    body = {"handle": "ana", "display_name": name}
    response = world.call("PUT", "/v1/me", as_user="ana", json=body)
    schema = ProfileBody.model_json_schema()["properties"]["display_name"]

    assert (response.status_code, code_of(response)) == (422, "invalid-field")
    assert not re.search(schema["pattern"], name)


@pytest.mark.parametrize(
    "name", ["Зоя", "👩‍💻", "नमस्ते", "\u200f\u0623\u0646\u0627", "❤️"]
)
def test_names_are_of_any_script(world: World, name: str) -> None:
    """
    Joiners, marks and selectors are part of letters that are seen.
    """
    body = {"handle": "ana", "display_name": name}
    response = world.call("PUT", "/v1/me", as_user="ana", json=body)

    assert response.get_json()["display_name"] == name
