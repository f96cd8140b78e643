"""One line for each request, and no secret in any."""

import json
import logging

import pytest

from spaces.http.json_log import request_facts, request_formatter
from tests.builders import AN_OFFER, SPACE_ID, a_grant, a_runtime, a_space
from tests.world import World

PATH = f"/v1/spaces/{SPACE_ID}"


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the canonical lines."""
    return [record for record in caplog.records if record.message == "request"]


def test_a_request_is_one_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """
    Method, route, status, time, person, Space and problem are in it.
    """
    caplog.set_level(logging.INFO)
    headers = {"X-Request-Id": "abcdef-123"}

    response = world.call("POST", f"{PATH}/start", as_user="ana", headers=headers)

    (line,) = lines(caplog)
    facts = line.__dict__
    assert response.headers["X-Request-Id"] == "abcdef-123"
    assert facts["route"] == "/v1/spaces/{space_id}/start"
    assert (facts["method"], facts["status"]) == ("POST", 404)
    assert (facts["uid"], facts["space_id"]) == ("ana", SPACE_ID)
    assert facts["problem"] == "space-not-found"
    assert facts["duration_ms"] >= 0
    assert request_facts.get() is None


def test_a_method_that_is_made_up_is_not_repeated(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    world.call("hunter2", "/v1/spaces")

    (line,) = lines(caplog)
    assert (line.__dict__["method"], line.__dict__["status"]) == ("_OTHER", 405)


def test_a_tasks_line_says_what_it_was_about(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A task's Space and epoch are in its line, though not in its path.
    """
    caplog.set_level(logging.INFO)

    world.task("watchdog", {"space_id": SPACE_ID, "epoch": 3, "n": 1})

    (line,) = lines(caplog)
    assert (line.__dict__["space_id"], line.__dict__["epoch"]) == (SPACE_ID, 3)


@pytest.mark.parametrize(
    "given", ["", "short", "a b c d e f", "x" * 65, "a\u00fcabcdefg"]
)
def test_request_ids_are_not_trusted(world: World, given: str) -> None:
    """
    What cannot be an id is replaced, so that nobody writes into our log.
    """
    response = world.call("GET", "/v1/nothing", headers={"X-Request-Id": given})

    assert response.headers["X-Request-Id"] != given
    assert len(response.headers["X-Request-Id"]) == 16


def test_no_token_and_no_sdp_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Neither ID tokens nor grants nor offers stand in any line.
    """
    caplog.set_level(logging.DEBUG)
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    token = world.signer.sign_grant(a_grant())

    joined = world.call("POST", f"{PATH}/join", as_user="ana")
    world.post_sdp(f"{PATH}/whep", token, AN_OFFER)
    world.call("GET", f"/v1/{token}")

    formatter = request_formatter()
    text = "".join(formatter.format(record) for record in caplog.records)
    assert len(lines(caplog)) == 3
    for secret in (token, joined.get_json()["grant"], "uid:ana", "opus/48000"):
        assert secret not in text


def test_a_line_is_json_in_cloud_loggings_words() -> None:
    """
    `severity`, `message`, all extras, the request's facts, and the exception.
    """
    token = request_facts.set({"request_id": "r1"})
    record = logging.makeLogRecord(
        {"levelname": "WARNING", "msg": "worker lost", "space_id": "s", "name": "n"}
    )

    entry = json.loads(request_formatter().format(record))

    request_facts.reset(token)
    assert entry["severity"] == "WARNING"
    assert entry["message"] == "worker lost"
    assert (entry["space_id"], entry["request_id"]) == ("s", "r1")
