"""No secret reaches a log, wherever in a request or in the environment it stands."""

import logging
import re

import pytest

from spaces.config import Config
from spaces.environment import ConfigError
from spaces.http.app_check import HEADER
from spaces.http.json_log import request_formatter
from spaces.http.operations import Access
from tests.builders import SPACE_ID, a_runtime, a_space
from tests.unit.functions.test_config import LOCAL
from tests.world import World

SECRET = "hunter2hunter2hunter2"
WRONG_SECRETS = {
    "PARLEY_ADMIN_KEYS": SECRET,
    "PARLEY_WEBHOOKS": f'[{{"url": "https://x.example", "secret": "{SECRET}"}}]',
    "PARLEY_TURN_SECRET": SECRET,
}


def written(caplog: pytest.LogCaptureFixture) -> str:
    """Return all lines as they would be written, exceptions included."""
    formatter = request_formatter()
    return "\n".join(formatter.format(record) for record in caplog.records)


@pytest.mark.parametrize("access", Access)
def test_no_call_logs_what_it_was_shown(
    world: World, caplog: pytest.LogCaptureFixture, access: Access
) -> None:
    """
    Tokens in headers, cookies, queries, paths and bodies, of calls of each kind, good
    or refused; at the most talkative level.
    """
    caplog.set_level(logging.DEBUG)
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    headers = {
        "Authorization": f"Bearer {SECRET}",
        "Cookie": f"t={SECRET}",
        HEADER: SECRET,
        "X-Request-Id": "abcdef-123",
    }
    called = [each for each in world.operations if each.access is access]

    for operation in called:
        path = re.sub(r"{(\w+)}", SPACE_ID, operation.path)
        world.call(
            operation.method,
            f"{path}?t={SECRET}&x={SECRET}",
            headers=headers,
            json={"token": SECRET, "title": SECRET},
        )

    text = written(caplog)
    assert text.count('"request"') == len(called) > 0
    assert SECRET not in text


def test_a_fault_tells_the_log_and_no_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What goes wrong inside is logged with its place, and not with the request.
    """
    world.id_tokens.error = RuntimeError("a fault of ours")

    world.call("GET", f"/v1/me?t={SECRET}", headers={"Authorization": SECRET})
    world.call("GET", "/v1/me", headers={"Authorization": f"Bearer {SECRET}"})

    text = written(caplog)
    assert "a fault of ours" in text
    assert SECRET not in text


@pytest.mark.parametrize("name", WRONG_SECRETS)
def test_a_complaint_does_not_show_the_secret(name: str) -> None:
    """
    A wrong secret is named by its variable.
    """
    turn = {"PARLEY_TURN_URLS": '["turn:t"]', "PARLEY_TURN_SECRET": "s" * 32}

    with pytest.raises(ConfigError) as error:
        Config.from_env(LOCAL | turn | {name: WRONG_SECRETS[name]})

    assert name in str(error.value)
    assert SECRET not in str(error.value)


def test_settings_do_not_show_themselves_in_problems(world: World) -> None:
    """
    No answer to a stranger holds a path, a module or a setting of ours.
    """
    world.id_tokens.error = RuntimeError(f"/srv/functions {SECRET}")

    answer = world.call("GET", "/v1/me", as_user="ana")

    assert answer.status_code == 500
    assert SECRET not in answer.get_data(as_text=True)
    assert "srv" not in answer.get_data(as_text=True)
