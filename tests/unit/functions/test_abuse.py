"""What one person, or a crowd, can do to others with calls that are allowed."""

import pytest

from spaces.http import rate_limits
from spaces.http.errors import RateLimited
from spaces.http.rate_limits import DEFAULT_LIMITS, RateLimiter, Scope
from spaces_contract.ids import UserId
from tests.builders import HOST, SPACE_ID, a_profile, a_space
from tests.world import World, code_of

HOUR_S = 3600
CROWD = 120


@pytest.fixture
def limited(world: World) -> World:
    """Return a deployment with production's limits, and a live Space."""
    world.limits.update(DEFAULT_LIMITS)
    world.database.put_space(a_space())
    return world


def invite(world: World, space_id: str, *uids: str) -> int:
    """Return the status of the host's inviting people."""
    answer = world.call(
        "POST",
        f"/v1/spaces/{space_id}/invites",
        as_user=HOST,
        json={"user_ids": list(uids), "role": "listener"},
    )
    return answer.status_code


def test_nobody_is_pestered(limited: World) -> None:
    """
    However often the host invites the same person, from however many Spaces, and
    whatever they answer: five pushes at once, then one in ten minutes.
    """
    statuses = []
    for n in range(20):
        space_id = f"2Space2Spac{n:02}".replace("0", "o")
        limited.database.put_space(a_space(id=space_id))
        statuses.append(invite(limited, space_id, "ana"))
        limited.clock.advance(1)
    pushes = [name for name in limited.effects.names if "invite" in name]
    limited.clock.advance(600)

    assert statuses == [200] * 5 + [429] * 15
    assert len(pushes) == 5
    assert invite(limited, SPACE_ID, "ana") == 200
    assert invite(limited, SPACE_ID, "ana") == 429
    assert invite(limited, SPACE_ID, "bo") == 200


def test_a_flood_of_addresses_makes_nobody_forget_who_is_pestered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    What is counted by address, which whoever has a network has many of, pushes out
    nothing that is counted by person.
    """
    monkeypatch.setattr(rate_limits, "MAX_BUCKETS", 3)
    limiter = RateLimiter(DEFAULT_LIMITS, lambda: 0.0)
    for _ in range(5):
        limiter.invite(UserId("eve"), UserId("ana"))

    for n in range(10):
        limiter.address(f"2001:db8:{n}::")

    with pytest.raises(RateLimited):
        limiter.invite(UserId("eve"), UserId("ana"))


def test_only_spaces_are_counted_by_space(limited: World) -> None:
    """
    What cannot be a Space's id is not kept, however long.
    """
    path = f"/v1/spaces/{'x' * 2000}/speak-requests"
    statuses = {
        limited.call("POST", path, as_user="ana").status_code for _ in range(25)
    }

    assert statuses == {404}


def test_invites_to_strangers_are_bounded(limited: World) -> None:
    """
    Ten in a call, as fast as it goes, from ever new Spaces: 100 people, then one in
    five seconds.
    """
    reached = 0
    for n in range(40):
        space_id = f"3Space3Spac{n:02}".replace("0", "o")
        limited.database.put_space(a_space(id=space_id))
        uids = [f"stranger{n}x{k}" for k in range(10)]
        for uid in uids:
            limited.database.put_profile(a_profile(uid))
        if invite(limited, space_id, *uids) == 200:
            reached += 10

    assert reached == 100


def test_a_flood_of_requests_to_speak_is_one_request(limited: World) -> None:
    """
    Whoever asks a thousand times is in the list once, and is stopped.
    """
    path = f"/v1/spaces/{SPACE_ID}"
    limited.call("POST", f"{path}/join", as_user="ana")

    statuses = [
        limited.call("POST", f"{path}/speak-requests", as_user="ana").status_code
        for _ in range(50)
    ]
    listed = limited.call("GET", f"{path}/speak-requests", as_user=HOST).get_json()

    assert statuses[-1] == 429
    assert sum(status < 300 for status in statuses) <= DEFAULT_LIMITS[Scope.SPACE].burst
    assert len(listed["speak_requests"]) == 1


def test_a_crowd_that_asks_is_listed_by_the_page(limited: World) -> None:
    """
    A hundred hands are no answer too large for the host's phone.
    """
    path = f"/v1/spaces/{SPACE_ID}"
    for n in range(CROWD):
        limited.database.put_profile(a_profile(f"fan{n}"))
        limited.call("POST", f"{path}/join", as_user=f"fan{n}")
        limited.call("POST", f"{path}/speak-requests", as_user=f"fan{n}")

    listed = limited.call("GET", f"{path}/speak-requests", as_user=HOST).get_json()

    assert len(listed["speak_requests"]) <= 100
    assert listed["next_page_token"]


def test_a_flood_of_joins_writes_nothing_to_the_space(limited: World) -> None:
    """
    A crowd that comes and goes leaves the Space's own document alone, which takes one
    write a second; and one person cannot be a crowd.
    """
    path = f"/v1/spaces/{SPACE_ID}/join"
    before = limited.database.spaces[a_space().id]
    for n in range(CROWD):
        limited.database.put_profile(a_profile(f"fan{n}"))
        assert limited.call("POST", path, as_user=f"fan{n}").status_code == 200

    alone = [limited.call("POST", path, as_user="ana") for _ in range(200)]

    assert limited.database.spaces[a_space().id] == before
    assert alone[-1].status_code == 429
    assert code_of(alone[-1]) == "rate-limited"
    allowed = [each for each in alone if each.status_code == 200]
    assert len(allowed) <= DEFAULT_LIMITS[Scope.USER].burst


def test_spaces_are_not_opened_by_the_hundred(limited: World) -> None:
    """
    One person opens thirty at once, and then one in two seconds.
    """
    made = [
        limited.call(
            "POST", "/v1/spaces", as_user=HOST, json={"title": "x"}
        ).status_code
        for _ in range(60)
    ]

    assert made.count(201) == DEFAULT_LIMITS[Scope.CREATE].burst
    assert made[-1] == 429


def test_workers_are_not_launched_by_the_hundred(limited: World) -> None:
    """
    A Space that starts is a machine's work until it ends: whoever opens Spaces as fast
    as they may, starts thirty at once, and then one in half a minute.
    """
    started = []
    for _ in range(100):
        made = limited.call("POST", "/v1/spaces", as_user=HOST, json={}).get_json()
        path = f"/v1/spaces/{made['id']}/start"
        started.append(limited.call("POST", path, as_user=HOST).status_code)
        limited.clock.advance(2)

    assert started.count(200) == 30 + 6
    assert started[-1] == 429


def test_reports_do_not_bury_the_desk(limited: World) -> None:
    """
    One person's reports of one Space are bounded, however they are worded.
    """
    path = f"/v1/spaces/{SPACE_ID}/reports"
    sent = [
        limited.call(
            "POST", path, as_user="ana", json={"reason": "spam", "text": str(n)}
        )
        for n in range(60)
    ]

    assert sum(each.status_code == 201 for each in sent) <= 20
    assert sent[-1].status_code == 429
