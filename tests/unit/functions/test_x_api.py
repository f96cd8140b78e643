"""`/2/spaces`, read by tweepy as it is published, and X's errors."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import tweepy  # type: ignore[import-untyped]  # it has none
from requests.adapters import BaseAdapter

from spaces.domain.public_numbers import number_of
from spaces.domain.states import SpaceState
from spaces_contract.ids import SpaceId, UserId
from tests.builders import HOST, NOW, SPACE_ID, a_space
from tests.world import World

LATER = SpaceId("2Later2Later2")
FIELDS = ["title", "creator_id", "host_ids", "speaker_ids", "started_at", "topic_ids"]


class InProcess(BaseAdapter):
    """Takes requests to X's host to the application instead."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def send(
        self, request: requests.PreparedRequest, *_: Any, **__: Any
    ) -> requests.Response:
        url = urlsplit(request.url or "")
        answer = self._world.call(
            request.method or "GET",
            f"{url.path}?{url.query}",
            headers=dict(request.headers),
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response._content = answer.data
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Have nothing to close."""


@pytest.fixture
def x(world: World) -> tweepy.Client:
    """Return tweepy's own client, in a world with a live and a scheduled Space."""
    ana = UserId("ana")
    world.database.put_space(a_space(speaker_ids=(ana,), participant_count=7))
    start = NOW + timedelta(days=1)
    world.database.put_space(
        a_space(
            SpaceState.SCHEDULED, id=LATER, title="Tea at five", scheduled_start=start
        )
    )
    client = tweepy.Client(bearer_token="anything")
    client.session.mount("https://api.twitter.com", InProcess(world))
    return client


def test_one_space_with_its_people(x: tweepy.Client) -> None:
    """
    get_space: fields, and users and topics by expansion.
    """
    answer = x.get_space(
        SPACE_ID,
        space_fields=[*FIELDS, "participant_count"],
        expansions=["creator_id", "speaker_ids", "topic_ids"],
        user_fields=["created_at", "protected", "public_metrics"],
    )

    space, users = answer.data, answer.includes["users"]
    assert (space.id, space.state, space.title) == (SPACE_ID, "live", "Tea and bridges")
    assert space.started_at == NOW
    assert space.participant_count == 7
    assert space.creator_id == number_of(HOST)
    assert space.speaker_ids == [str(number_of(UserId("ana")))]
    assert [user.username for user in users] == ["host", "ana"]
    assert [user.id for user in users] == [number_of(HOST), number_of(UserId("ana"))]
    assert users[0].created_at == NOW
    assert users[0].protected is False
    topics = answer.includes["topics"]
    assert [topic["name"] for topic in topics] == ["tea"]
    assert space.topic_ids == [topics[0]["id"]]


def test_what_was_not_asked_for_does_not_come(x: tweepy.Client) -> None:
    """
    Without fields there are id and state alone, and no includes.
    """
    answer = x.get_space(SPACE_ID)

    assert answer.data.data == {"id": SPACE_ID, "state": "live"}
    assert (answer.includes, answer.errors, answer.meta) == ({}, [], {})


def test_several_and_some_missing(x: tweepy.Client) -> None:
    """
    get_spaces by ids answers those that there are, and an error for each other one.
    """
    answer = x.get_spaces(ids=[LATER, "1Nobody1Nobod", "x", SPACE_ID])
    none = x.get_space("1Nobody1Nobod")

    assert [space.id for space in answer.data] == [LATER, SPACE_ID]
    assert [error["value"] for error in answer.errors] == ["1Nobody1Nobod", "x"]
    assert answer.errors[0]["title"] == "Not Found Error"
    assert answer.errors[0]["resource_type"] == "space"
    assert answer.errors[0]["parameter"] == "ids"
    assert none.data is None
    assert none.errors[0]["detail"] == "Could not find space with id: [1Nobody1Nobod]."


def test_by_creators(x: tweepy.Client, world: World) -> None:
    """
    get_spaces by user ids, which are numbers as X's, with live ones first.
    """
    answer = x.get_spaces(
        user_ids=[number_of(HOST), 7],
        space_fields="scheduled_start",
        expansions="host_ids",
    )
    none = x.get_spaces(user_ids=[7])

    assert [(space.id, space.state) for space in answer.data] == [
        (SPACE_ID, "live"),
        (LATER, "scheduled"),
    ]
    assert answer.data[1].scheduled_start == NOW + timedelta(days=1)
    assert answer.meta == {"result_count": 2}
    assert [user.username for user in answer.includes["users"]] == ["host"]
    assert (none.data, none.meta) == (None, {"result_count": 0})


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"query": "TEA"}, [SPACE_ID, LATER]),
        ({"query": "tea", "state": "all", "max_results": 1}, [SPACE_ID]),
        ({"query": "tea", "state": "scheduled"}, [LATER]),
        ({"query": "bridges", "state": "live"}, [SPACE_ID]),
    ],
)
def test_search(
    x: tweepy.Client, params: Mapping[str, Any], found: list[SpaceId]
) -> None:
    """
    search_spaces by words and state, with X's count of results.
    """
    answer = x.search_spaces(**params, space_fields=["title"])

    assert [space.id for space in answer.data] == found
    assert answer.meta == {"result_count": len(found)}


def test_nothing_found(x: tweepy.Client) -> None:
    """
    A search without results has no data, and says 0.
    """
    for query in ("coffee", "?"):
        answer = x.search_spaces(query)
        assert (answer.data, answer.meta) == (None, {"result_count": 0})


def test_somebody_who_is_gone(x: tweepy.Client, world: World) -> None:
    """
    A person without an account is an error beside the Space, not instead of it.
    """
    del world.database.profiles[UserId("ana")]

    answer = x.get_space(SPACE_ID, expansions=["speaker_ids"])

    assert answer.data.id == SPACE_ID
    assert answer.includes == {}
    assert answer.errors[0]["resource_type"] == "user"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/2/spaces/1?space.fields=colour", "space.fields"),
        ("/2/spaces/1?expansions=", "expansions"),
        ("/2/spaces/1?colour=red", "colour"),
        ("/2/spaces/-1", "id"),
        ("/2/spaces", "ids"),
        (f"/2/spaces?ids={','.join(['a'] * 101)}", "ids"),
        ("/2/spaces/by/creator_ids?user_ids=ana", "user_ids"),
        ("/2/spaces/search?query=", "query"),
        ("/2/spaces/search?query=a&max_results=101", "max_results"),
        ("/2/spaces/search?query=a&state=ended", "state"),
    ],
)
def test_invalid_requests(world: World, path: str, parameter: str) -> None:
    """
    What cannot be understood is 400 in X's form, and names the parameter.
    """
    answer = world.call("GET", path)

    body = answer.get_json()
    assert answer.status_code == 400
    assert body["title"] == "Invalid Request"
    assert list(body["errors"][0]["parameters"]) == [parameter]


def test_tweepy_tells_what_was_wrong(x: tweepy.Client) -> None:
    """
    tweepy raises BadRequest with our explanation.
    """
    with pytest.raises(tweepy.BadRequest, match=r"space\.fields"):
        x.get_space(SPACE_ID, space_fields=["colour"])
