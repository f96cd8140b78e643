"""What people are shown: the feed, lists and search, by the doubles."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from spaces.domain.space import Space
from spaces.domain.states import SpaceState
from spaces_contract.ids import SpaceId, UserId
from tests.builders import NOW, a_profile, a_space
from tests.world import World, code_of


def spaces_of(world: World, path: str, as_user: str | None = None) -> list[str]:
    """Return the titles on all pages of a list."""
    return [title for page in pages_of(world, path, as_user) for title in page]


def pages_of(world: World, path: str, as_user: str | None) -> Iterator[list[str]]:
    """Yield the titles of each page."""
    token: str | None = ""
    while token is not None:
        url = f"{path}&page_token={token}" if token else path
        answer = world.call("GET", url, as_user=as_user)
        assert answer.status_code == 200, answer.text
        body = answer.get_json()
        yield [space["title"] for space in body["spaces"]]
        token = body["next_page_token"]


def put(world: World, title: str, host: str, **fields: Any) -> Space:
    """Store a Space of `host`; live, unless said otherwise."""
    number = len(world.database.spaces)
    space_id = SpaceId(f"{number:03}SpaceSpace".replace("0", "z")[:13].ljust(13, "x"))
    uid = UserId(host)
    return world.database.put_space(
        a_space(
            **{"id": space_id, "title": title, "creator_id": uid, "host_ids": (uid,)}
            | fields
        )
    )


def waiting(ahead: timedelta) -> dict[str, Any]:
    """Return the fields of a Space scheduled so far ahead."""
    return {"state": SpaceState.SCHEDULED, "scheduled_start": NOW + ahead}


@pytest.fixture
def town(world: World) -> World:
    """Ana follows bo and cleo, has blocked dan, and is blocked by eve."""
    world.database.following |= {(UserId("ana"), UserId(u)) for u in ("bo", "cleo")}
    pairs = (("ana", "dan"), ("eve", "ana"))
    world.database.blocks |= {(UserId(one), UserId(two)) for one, two in pairs}
    put(world, "small", "gus", participant_count=2)
    put(world, "large", "fay", participant_count=9)
    put(world, "of dan", "dan", participant_count=7)
    put(world, "of eve", "eve", participant_count=8)
    put(world, "cleo speaks", "fay", speaker_ids=(UserId("cleo"),))
    put(world, "of bo", "bo", started_at=NOW - timedelta(hours=1))
    put(world, "later", "gus", **waiting(timedelta(days=2)))
    put(world, "soon", "gus", **waiting(timedelta(hours=1)))
    put(world, "late", "gus", **waiting(-timedelta(minutes=29)))
    put(world, "forgotten", "gus", **waiting(-timedelta(minutes=31)))
    put(world, "planned by dan", "dan", **waiting(timedelta(hours=2)))
    put(world, "open, no time", "gus", state=SpaceState.SCHEDULED)
    put(world, "over", "bo", state=SpaceState.ENDED)
    return world


FEED = ["of bo", "cleo speaks", "large", "small", "late", "soon", "later"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_the_feed_in_order(town: World, page_size: int) -> None:
    """
    Live first: followed hosts, followed speakers, then by audience; then what waits.
    Nobody who is kept apart by a block is in it, whatever the size of the pages.
    """
    path = f"/v1/spaces?feed=following&page_size={page_size}"
    pages = list(pages_of(town, path, "ana"))

    assert [title for page in pages for title in page] == FEED
    assert all(len(page) <= page_size for page in pages)
    assert spaces_of(town, f"{path}&state=live", "ana") == FEED[:4]
    assert spaces_of(town, f"{path}&state=scheduled", "ana") == FEED[4:]


def test_the_feed_of_somebody_who_follows_thousands(town: World) -> None:
    """
    Few live Spaces are looked at whole; of many, those of followed people are asked
    for, so that each of them is found and the cost follows the lesser number.
    """
    crowd = {(UserId("ana"), UserId(f"u{n}")) for n in range(4_998)}
    town.database.following |= crowd
    finder = town.discovery.spaces
    path = "/v1/spaces?feed=following&state=live&page_size=2"

    def reads() -> int:
        before = finder.reads  # type: ignore[attr-defined]  # of the double
        town.call("GET", path, as_user="ana")
        return int(finder.reads - before)  # type: ignore[attr-defined]  # likewise

    few = reads()
    for n in range(400):
        put(town, f"crowd {n}", f"x{n}", participant_count=50)
    many = reads()

    assert few <= 10
    assert 167 < many <= 2 * 167 + 10
    assert next(pages_of(town, path, "ana")) == ["of bo", "cleo speaks"]


@pytest.mark.parametrize(
    ("followed", "live", "others", "reads"),
    [
        (5_000, 2, 164, 166),
        (5_000, 2, 400, 335),
        (5_000, 400, 0, 568),
        (60, 1, 1, 2),
        (60, 2, 5, 5),
    ],
)
def test_what_it_costs_to_find_the_followed(
    world: World, followed: int, live: int, others: int, reads: int
) -> None:
    """
    All live Spaces where they are few; else the queries, twice, and the followed who
    are live.
    """
    ana = {UserId(f"u{n}") for n in range(followed)}
    for n in range(live + others):
        put(world, f"number {n}", f"u{n}" if n < live else f"x{n}")
    finder = world.discovery.spaces

    page = world.discovery._of_followed(ana)

    assert {each.creator_id for each in page} & ana == {
        UserId(f"u{n}") for n in range(live)
    }
    assert finder.reads == reads  # type: ignore[attr-defined]  # of the double


def test_the_feed_needs_somebody(town: World) -> None:
    """
    Without a token there is no feed, but lists; a bad token is refused, not ignored.
    """
    nobody = town.call("GET", "/v1/spaces?feed=following")
    bad = {"Authorization": "Bearer forged"}
    forged = town.call("GET", "/v1/spaces", headers=bad)

    assert (nobody.status_code, code_of(nobody)) == (401, "id-token-missing")
    assert (forged.status_code, code_of(forged)) == (401, "invalid-id-token")
    assert spaces_of(town, "/v1/spaces?page_size=2")[-1] == "of bo"
    assert spaces_of(town, "/v1/spaces?state=scheduled&page_size=2") == [
        "late",
        "soon",
        "planned by dan",
        "later",
    ]


def test_ones_own_scheduled_spaces(town: World) -> None:
    """
    A host finds what they have scheduled, the next one first, and nobody else's.
    """
    path = "/v1/me/spaces?page_size=2"

    assert spaces_of(town, path, "gus") == ["late", "soon", "later"]
    assert spaces_of(town, path, "ana") == []


def test_a_token_is_good_for_its_list(town: World) -> None:
    """
    A token of one list is refused by another.
    """
    first = town.call("GET", "/v1/spaces?state=scheduled&page_size=1").get_json()
    url = f"/v1/spaces?state=live&page_token={first['next_page_token']}"

    assert code_of(town.call("GET", url)) == "invalid-page-token"
    assert town.call("GET", "/v1/spaces?page_token=").status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "OPTIONS"])
def test_search_is_no_space(town: World, method: str) -> None:
    """
    A method of a Space is none of the search beside it, and is not said to be.
    """
    answer = town.call(method, "/v1/spaces/search", as_user="ana", json={})

    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    allowed = {each.strip() for each in answer.headers["Allow"].split(",")}
    assert allowed == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("query=bo", ["of bo"]),
        ("query=CLEO+sp", ["cleo speaks"]),
        ("query=of&page_size=2", ["of eve", "of dan", "of bo"]),
        ("query=la&state=scheduled", ["late", "later"]),
        ("query=la&state=live", ["large"]),
        ("query=la", ["large", "late", "later"]),
        ("query=large+small", []),
        ("query=%21", []),
    ],
)
def test_search(town: World, query: str, found: list[str]) -> None:
    """
    Live ones first, started last first, then scheduled ones; over is not found.
    """
    assert spaces_of(town, f"/v1/spaces/search?{query}") == found


def test_search_keeps_blocks(town: World) -> None:
    """
    Whoever is signed in does not find Spaces of hosts they are kept apart from.
    """
    assert spaces_of(town, "/v1/spaces/search?query=of", "ana") == ["of bo"]


def test_people_are_listed_in_pages(world: World) -> None:
    """
    Whom one follows and blocks, and who follows, the latest first, with their names.
    """
    for name in ("dan", "eve"):
        world.database.put_profile(a_profile(name))
    for name in ("bo", "dan", "eve"):
        world.clock.advance(1)
        world.call("PUT", f"/v1/me/following/{name}", as_user="ana")
        world.call("PUT", f"/v1/me/following/{name}", as_user="host")
    world.call("PUT", "/v1/me/blocks/eve", as_user="ana")

    def people(path: str, user: str) -> list[str]:
        found, token = [], ""
        while token is not None:
            page = world.call("GET", f"{path}{token}", as_user=user).get_json()
            found += [each["handle"] for each in page["people"]]
            after = page["next_page_token"]
            token = after and f"&page_token={after}"
        return found

    assert people("/v1/me/following?page_size=1", "ana") == ["dan", "bo"]
    assert people("/v1/me/blocks?page_size=1", "ana") == ["eve"]
    assert people("/v1/me/followers?page_size=1", "bo") == ["host", "ana"]
    count = world.call("GET", "/v1/me/followers", as_user="bo").get_json()["count"]
    assert count == 2


def test_people_are_found_to_be_invited(world: World) -> None:
    """
    By the beginning of a handle, with or without @; not oneself, nor across a block.
    """
    for name in ("Anton", "anouk", "andy", "bob"):
        world.database.put_profile(a_profile(name))
    world.database.blocks.add((UserId("andy"), UserId("ana")))

    def found(query: str) -> list[str]:
        path = f"/v1/users/search?query={query}"
        people = world.call("GET", path, as_user="ana").get_json()["people"]
        return [each["handle"] for each in people]

    assert found("an") == ["anouk", "Anton"]
    assert found("%40BO") == ["bo", "bob"]
    refused = world.call("GET", "/v1/users/search?query=a-b", as_user="ana")
    assert code_of(refused) == "invalid-field"


def test_nobody_follows_more_than_5000(world: World) -> None:
    """
    The list of followed people has an end; following one of them again is harmless.
    """
    world.database.following |= {(UserId("ana"), UserId(f"u{n}")) for n in range(4_999)}

    last = world.call("PUT", "/v1/me/following/bo", as_user="ana")
    again = world.call("PUT", "/v1/me/following/bo", as_user="ana")
    more = world.call("PUT", "/v1/me/following/host", as_user="ana")

    assert (last.status_code, again.status_code) == (204, 204)
    assert code_of(more) == "list-full"
