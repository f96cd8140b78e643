"""Floods from one address, whoever it says it is."""

import pytest
from werkzeug.test import Client

from spaces.config import Config
from spaces.domain.token_bucket import RateLimit
from spaces.environment import ConfigError
from spaces.http.app import api_app
from spaces.http.client_address import limiter
from spaces.http.rate_limits import RateLimiter, Scope
from spaces.http.routes import Section
from tests.applications import ORIGINS, PUBLIC_URL
from tests.unit.functions.test_config import LOCAL
from tests.world import World

BURST = 5


def a_client(world: World, *, proxies: int) -> Client:
    """Return a caller of a deployment behind some proxies of ours."""
    limits = {Scope.ADDRESS: RateLimit(burst=BURST, per_s=0.001)}
    return Client(
        api_app(
            [Section("/", lambda: world.operations)],
            id_tokens=world.id_tokens,
            cors_origins=ORIGINS,
            public_url=PUBLIC_URL,
            first=limiter(RateLimiter(limits, lambda: 0.0).address, proxies),
        )
    )


def statuses(client: Client, path: str, *forwarded: str) -> list[int]:
    """Return what requests with these X-Forwarded-For are answered."""
    return [
        client.get(
            path,
            headers={"X-Forwarded-For": each, "Authorization": "Bearer nonsense"},
        ).status_code
        for each in forwarded
    ]


@pytest.mark.parametrize("path", ["/v1/me", "/v1/spaces?state=live", "/nothing"])
def test_a_flood_from_one_address_is_refused(world: World, path: str) -> None:
    """
    Signed in or not, found or not: what is one too many is 429, before its token is
    looked at; another address is not touched.
    """
    client = a_client(world, proxies=1)

    flood = statuses(client, path, *["203.0.113.7"] * (BURST + 2))

    assert 429 not in flood[:BURST]
    assert flood[BURST:] == [429, 429]
    assert statuses(client, path, "203.0.113.8") != [429]


@pytest.mark.parametrize(
    ("proxies", "flood"),
    [
        # Only what our own proxy wrote, at the end, counts.
        (1, [f"198.51.100.{n}, 203.0.113.7" for n in range(BURST + 1)]),
        (2, [f"198.51.100.{n}, 203.0.113.7, 10.0.0.{n}" for n in range(BURST + 1)]),
        # A phone changes its IPv6 address at will, and not its network.
        (1, [f"2001:db8:1:2::{n}" for n in range(1, BURST + 2)]),
    ],
)
def test_what_a_client_claims_helps_it_nothing(
    world: World, proxies: int, flood: list[str]
) -> None:
    """
    Forged headers, and addresses of one network, are one client.
    """
    assert statuses(a_client(world, proxies=proxies), "/v1/me", *flood)[-1] == 429


@pytest.mark.parametrize(
    ("proxies", "forwarded"),
    [(0, "203.0.113.7"), (2, "203.0.113.7"), (1, "unknown"), (1, "")],
)
def test_an_address_that_is_not_known_is_not_counted(
    world: World, proxies: int, forwarded: str
) -> None:
    """
    Rather none is refused than everybody behind one proxy.
    """
    answers = statuses(
        a_client(world, proxies=proxies), "/v1/me", *[forwarded] * (BURST + 2)
    )

    assert 429 not in answers


def test_ipv4_within_ipv6_is_as_many_clients_as_it_names(world: World) -> None:
    """
    A proxy that listens on both writes it so, and they share no network for that.
    """
    everybody = [f"::ffff:203.0.113.{n}" for n in range(1, BURST + 3)]

    assert 429 not in statuses(a_client(world, proxies=1), "/v1/me", *everybody)


def test_the_number_of_proxies_is_read() -> None:
    """
    None by default; a number, and a small one.
    """
    assert Config.from_env(LOCAL).proxies == 0
    assert Config.from_env(LOCAL | {"PARLEY_TRUSTED_PROXIES": "2"}).proxies == 2
    for wrong in ("-1", "6", "true", '"2"', "1.5"):
        with pytest.raises(ConfigError, match="PARLEY_TRUSTED_PROXIES"):
            Config.from_env(LOCAL | {"PARLEY_TRUSTED_PROXIES": wrong})
