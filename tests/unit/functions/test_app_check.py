"""App Check: what only apps call, only our apps may."""

import re
from typing import Any

import pytest
from werkzeug.test import Client

from spaces.config import Config
from spaces.environment import ConfigError
from spaces.http import app_check
from spaces.http.app import api_app
from spaces.http.operations import Access, Operation
from spaces.http.routes import Section
from tests.applications import ORIGINS, PUBLIC_URL
from tests.builders import SPACE_ID
from tests.unit.functions.test_config import LOCAL
from tests.world import World

REFUSED = "app-check-required"
OURS = "of our app"
SIGNED_IN = {"Authorization": "Bearer uid:ana"}


class FakeAppCheck:
    """`AppCheck` for which one token is that of our app."""

    def proves(self, token: str) -> bool:
        return token == OURS


def a_client(world: World, *, enforced: bool = True) -> Client:
    """Return a caller of a deployment that asks for App Check, or does not."""
    checks = FakeAppCheck() if enforced else None
    return Client(
        api_app(
            [Section("/", lambda: world.operations)],
            id_tokens=world.id_tokens,
            cors_origins=ORIGINS,
            public_url=PUBLIC_URL,
            guards=(app_check.guard(checks),),
        )
    )


def answer_to(client: Client, operation: Operation, headers: dict[str, str]) -> Any:
    """Return the last word of the problem that a call gets; None without one."""
    path = re.sub(r"{(\w+)}", SPACE_ID, operation.path)
    response = client.open(path, method=operation.method, headers=headers)
    body = response.get_json(silent=True)
    kind = body.get("type", "") if isinstance(body, dict) else ""
    return kind.rsplit("/", 1)[-1] or None


def test_each_call_of_a_person_needs_an_app(world: World) -> None:
    """
    Without a token, or with one of another app, every call with an ID token is
    refused; with ours, none is.
    """
    client = a_client(world)
    called = [o for o in world.operations if o.access is Access.ID_TOKEN]

    for operation in called:
        for token in ({}, {app_check.HEADER: ""}, {app_check.HEADER: "theirs"}):
            assert answer_to(client, operation, SIGNED_IN | token) == REFUSED
        ours = SIGNED_IN | {app_check.HEADER: OURS}
        assert answer_to(client, operation, ours) != REFUSED
    assert len(called) > 30


def test_players_readers_and_operators_need_none(world: World) -> None:
    """
    A standard player, a link preview and a server cannot send App Check tokens.
    """
    client = a_client(world)

    for operation in world.operations:
        if operation.access is not Access.ID_TOKEN:
            assert answer_to(client, operation, {}) != REFUSED
        if operation.access not in (Access.ID_TOKEN, Access.OPTIONAL):
            assert answer_to(client, operation, SIGNED_IN) != REFUSED


def test_who_signs_in_where_nobody_must_has_an_app(world: World) -> None:
    """
    A call that shows more to people takes people's tokens from our apps alone.
    """
    client = a_client(world)
    optional = [o for o in world.operations if o.access is Access.OPTIONAL]

    for operation in optional:
        assert answer_to(client, operation, {}) != REFUSED
        assert answer_to(client, operation, SIGNED_IN) == REFUSED
    assert optional


def test_nothing_is_asked_where_it_is_not_configured(world: World) -> None:
    """
    A deployment without `PARLEY_APP_CHECK` is open to every program.
    """
    client = a_client(world, enforced=False)

    assert client.get("/v1/me", headers=SIGNED_IN).status_code == 200


def test_pages_elsewhere_may_send_it(world: World) -> None:
    """
    A browser's preflight needs no token, and allows the header.
    """
    preflight = a_client(world).open(
        "/v1/me", method="OPTIONS", headers={"Origin": next(iter(ORIGINS))}
    )

    allowed = preflight.headers["Access-Control-Allow-Headers"]
    assert app_check.HEADER in allowed


def test_app_ids_are_read() -> None:
    """
    A JSON list of Firebase app ids; none means that nothing is asked.
    """
    ids = '["1:1234567890:ios:abc123", "1:1234567890:web:def456"]'

    assert Config.from_env(LOCAL).app_check_ids == frozenset()
    assert len(Config.from_env(LOCAL | {"PARLEY_APP_CHECK": ids}).app_check_ids) == 2
    for wrong in ('"1:1:ios:a"', '["example.app"]', "[1]", "true"):
        with pytest.raises(ConfigError, match="PARLEY_APP_CHECK must be JSON"):
            Config.from_env(LOCAL | {"PARLEY_APP_CHECK": wrong})
