"""What a handler receives, when, and how often."""

import contextlib
import datetime as dt
import itertools
import time
from pathlib import Path

import jwt
import pytest
from google.api_core.exceptions import NotFound
from google.auth import jwt as google_jwt

from tests.conformance.tasks.harness import (
    Client,
    Target,
    create,
    http_task,
    make_queue,
    until,
    waiting,
)


def test_method_headers_and_body_arrive_as_given(
    client: Client, queue: str, target: Target
) -> None:
    """
    The request is the task's own, byte by byte.
    """
    create(
        client,
        queue,
        f"{target.url}/put?x=1&y=%2F",
        http_request={
            "http_method": "PUT",
            "headers": {"Content-Type": "text/plain", "X-Mine": "a, b"},
            "body": b"\x00\xffbytes",
        },
    )
    target.wait_for("/put?x=1&y=%2F")

    received = target.received[0]
    assert received.method == "PUT"
    assert received.body == b"\x00\xffbytes"
    assert received.headers["Content-Type"] == "text/plain"
    assert received.headers["X-Mine"] == "a, b"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PATCH"])
def test_every_method_is_sent(
    client: Client, queue: str, target: Target, method: str
) -> None:
    """
    Tasks are not POST alone.
    """
    create(client, queue, f"{target.url}/m", http_request={"http_method": method})
    target.wait_for("/m")

    assert target.received[0].method == method


def test_the_service_says_what_it_delivers(
    client: Client, queue: str, target: Target
) -> None:
    """
    The X-CloudTasks headers name queue, task, time and the counts so far.
    """
    name = f"{queue}/tasks/first"
    client.create_task(
        parent=queue, task={"name": name, **http_task(f"{target.url}/h")}
    )
    target.wait_for("/h")

    headers = target.received[0].headers
    assert headers["X-CloudTasks-QueueName"] == queue.rpartition("/")[2]
    assert headers["X-CloudTasks-TaskName"] == "first"
    assert headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert headers["X-CloudTasks-TaskExecutionCount"] == "0"
    assert float(headers["X-CloudTasks-TaskETA"]) == pytest.approx(time.time(), abs=60)
    assert headers["User-Agent"] == "Google-Cloud-Tasks"
    assert "X-CloudTasks-TaskPreviousResponse" not in headers
    assert "X-CloudTasks-TaskRetryReason" not in headers


def test_a_task_cannot_speak_for_the_service(
    client: Client, queue: str, target: Target
) -> None:
    """
    X-CloudTasks-*, Host, User-Agent and lengths that a task sets are dropped.
    """
    forged = {
        "x-cloudtasks-taskname": "forged",
        "X-Google-Internal": "1",
        "X-AppEngine-QueueName": "forged",
        "User-Agent": "forged",
        "Host": "forged.example",
        "content-length": "999",
    }
    create(client, queue, f"{target.url}/f", http_request={"headers": forged})
    target.wait_for("/f")

    assert "forged" not in str(target.received[0].headers)
    assert "X-Google-Internal" not in target.received[0].headers


def test_a_task_waits_for_its_time(client: Client, queue: str, target: Target) -> None:
    """
    It is not sent before schedule_time.
    """
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.6)
    create(client, queue, f"{target.url}/at", schedule_time=at)
    target.wait_for("/at")

    assert target.received[0].at_s >= at.timestamp()


def test_an_earlier_task_overtakes_a_later_one(client: Client, target: Target) -> None:
    """
    The order of dispatch is that of the times, not of creation.
    """
    queue = make_queue(client, rate_limits={"max_concurrent_dispatches": 1})
    client.pause_queue(name=queue)
    now = dt.datetime.now(dt.UTC)
    for number, delay_s in ((1, 1.2), (2, 1.0), (3, 1.1)):
        at = now + dt.timedelta(seconds=delay_s)
        create(client, queue, f"{target.url}/{number}", schedule_time=at)
    time.sleep(1.3)
    client.resume_queue(name=queue)
    until(lambda: len(target.received) == 3)

    assert [request.path for request in target.received] == ["/2", "/3", "/1"]


def test_a_failure_is_tried_again_and_told(
    client: Client, queue: str, target: Target
) -> None:
    """
    The second attempt carries the counts and the reason of the first's failure.
    """
    target.statuses["/flaky"] = [500, 404, 204]
    task = create(client, queue, f"{target.url}/flaky")
    target.wait_for("/flaky", 3)

    second, third = (request.headers for request in target.at("/flaky")[1:])
    assert second["X-CloudTasks-TaskRetryCount"] == "1"
    assert second["X-CloudTasks-TaskExecutionCount"] == "1"
    assert second["X-CloudTasks-TaskPreviousResponse"] == "500"
    assert second["X-CloudTasks-TaskRetryReason"].endswith("HTTP status code 500")
    assert third["X-CloudTasks-TaskRetryCount"] == "2"
    assert third["X-CloudTasks-TaskPreviousResponse"] == "404"
    until(lambda: waiting(client, queue) == 0)
    with pytest.raises(NotFound, match="existed recently"):
        client.get_task(name=task.name)


@pytest.mark.parametrize("status", [301, 400, 403, 409, 429, 503])
def test_only_2xx_is_success(
    client: Client, queue: str, target: Target, status: int
) -> None:
    """
    Any other answer, redirects included, is tried again.
    """
    target.statuses["/s"] = [status, 200]
    create(client, queue, f"{target.url}/s")
    target.wait_for("/s", 2)

    until(lambda: waiting(client, queue) == 0)


def test_attempts_are_recorded_in_the_task(client: Client, target: Target) -> None:
    """
    first_attempt and last_attempt say when, and how it ended.
    """
    queue = make_queue(client, min_backoff_s=30, retry_config={"max_attempts": 5})
    target.statuses["/bad"] = [503]
    name = create(client, queue, f"{target.url}/bad").name
    until(lambda: client.get_task(name=name).response_count == 1)

    task = client.get_task(name=name)
    assert task.dispatch_count == 1
    assert task.first_attempt.dispatch_time == task.last_attempt.dispatch_time
    assert task.last_attempt.response_status.code == 14
    assert task.last_attempt.response_time >= task.last_attempt.dispatch_time
    wait = task.schedule_time - task.last_attempt.response_time
    assert 29 < wait.total_seconds() <= 30.5


def test_a_target_that_is_away_is_tried_again(client: Client, target: Target) -> None:
    """
    No answer at all counts as an attempt without a response.
    """
    queue = make_queue(client, min_backoff_s=30)
    name = create(client, queue, "http://127.0.0.1:9/away").name
    until(lambda: client.get_task(name=name).last_attempt.response_status.code != 0)

    task = client.get_task(name=name)
    assert (task.dispatch_count, task.response_count) == (1, 0)
    assert task.last_attempt.response_status.code == 14


def test_back_off_doubles_and_is_bounded(client: Client, target: Target) -> None:
    """
    At least 0.1, 0.2, 0.4, 0.4 s between attempts, for a maximum of 0.4 s.
    """
    queue = make_queue(
        client,
        min_backoff_s=0.1,
        retry_config={"max_backoff": dt.timedelta(seconds=0.4), "max_attempts": 5},
    )
    target.statuses["/b"] = [500]
    create(client, queue, f"{target.url}/b")
    target.wait_for("/b", 5)

    times = [request.at_s for request in target.at("/b")]
    gaps = [late - early for early, late in itertools.pairwise(times)]
    for gap, least in zip(gaps, (0.1, 0.2, 0.4, 0.4), strict=True):
        assert gap >= least - 0.005


def test_attempts_end_at_their_maximum(client: Client, target: Target) -> None:
    """
    max_attempts counts the first one too; then the task is gone.
    """
    queue = make_queue(client, min_backoff_s=0.01, retry_config={"max_attempts": 3})
    target.statuses["/3"] = [500]
    create(client, queue, f"{target.url}/3")
    until(lambda: waiting(client, queue) == 0)
    time.sleep(0.2)

    assert len(target.at("/3")) == 3


def test_a_tasks_own_retry_config_counts_before_the_queues(
    client: Client, queue: str, target: Target
) -> None:
    """
    Task.retry_config overrides Queue.retry_config.
    """
    target.statuses["/own"] = [500]
    create(client, queue, f"{target.url}/own", retry_config={"max_attempts": 1})
    until(lambda: waiting(client, queue) == 0)

    assert len(target.at("/own")) == 1


def test_retry_after_is_respected(client: Client, queue: str, target: Target) -> None:
    """
    A handler that says 503 with Retry-After is left alone for so long.
    """
    target.extra_headers["Retry-After"] = "1"
    target.statuses["/busy"] = [503, 200]
    create(client, queue, f"{target.url}/busy")
    target.wait_for("/busy", 2)

    first, second = target.at("/busy")
    assert second.at_s - first.at_s >= 0.99


def test_concurrency_is_bounded(client: Client, target: Target) -> None:
    """
    Never more attempts at once than the queue allows, and no fewer.
    """
    queue = make_queue(client, rate_limits={"max_concurrent_dispatches": 2})
    target.delay_s = 0.3
    for _ in range(6):
        create(client, queue, f"{target.url}/c")
    target.wait_for("/c", 6)

    assert target.most_in_progress == 2


def test_the_rate_is_bounded(client: Client, target: Target) -> None:
    """
    After its burst of 2, a queue of 10 a second takes at least 0.8 s for 8 more.
    """
    queue = make_queue(client, rate_limits={"max_dispatches_per_second": 10})
    client.pause_queue(name=queue)
    for _ in range(10):
        create(client, queue, f"{target.url}/r")
    began_s = time.time()  # the first may come late, on a busy machine
    client.resume_queue(name=queue)
    target.wait_for("/r", 10)

    assert max(request.at_s for request in target.at("/r")) - began_s >= 0.7


def test_a_slow_task_does_not_delay_others(
    client: Client, queue: str, target: Target
) -> None:
    """
    Tasks are dispatched next to each other.
    """
    target.delay_s = 1
    for number in range(10):
        create(client, queue, f"{target.url}/{number}")
    until(lambda: len(target.received) == 10)

    assert target.most_in_progress > 1


def test_a_task_can_be_run_before_its_time(
    client: Client, queue: str, target: Target
) -> None:
    """
    RunTask dispatches at once, even in a paused queue, and keeps failures waiting.
    """
    at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    name = create(client, queue, f"{target.url}/now", schedule_time=at).name
    client.pause_queue(name=queue)

    running = client.run_task(name=name)

    target.wait_for("/now")
    assert running.schedule_time < at
    assert running.dispatch_count == 1
    until(lambda: waiting(client, queue) == 0)


def test_a_task_deleted_in_time_is_never_sent(
    client: Client, queue: str, target: Target
) -> None:
    """
    DeleteTask before schedule_time means no dispatch.
    """
    for ahead_s in (0.5, 2, 8):  # a busy machine takes its time
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead_s)
        url = f"{target.url}/in-{ahead_s}"
        name = create(client, queue, url, schedule_time=at).name
        with contextlib.suppress(NotFound):  # it has been sent
            client.delete_task(name=name)
        if dt.datetime.now(dt.UTC) < at:
            break
    time.sleep(max(0.0, at.timestamp() + 0.2 - time.time()))

    assert target.at(f"/in-{ahead_s}") == []


def test_a_task_deleted_while_it_fails_is_not_tried_again(
    client: Client, queue: str, target: Target
) -> None:
    """
    DeleteTask during an attempt lets that one end, and none follows.
    """
    target.open.clear()
    target.statuses["/x"] = [500]
    name = create(client, queue, f"{target.url}/x").name
    target.wait_for("/x")
    client.delete_task(name=name)
    target.open.set()
    time.sleep(0.3)  # six times its back-off

    assert len(target.at("/x")) == 1


def test_the_oidc_token_is_signed_and_says_for_whom(
    client: Client, queue: str, target: Target, shared_data: Path
) -> None:
    """
    PyJWT and google-auth verify it against the issuer's certificate.
    """
    email = "tasks@demo-parley.iam.gserviceaccount.com"
    oidc = {"service_account_email": email, "audience": "https://parley/tasks"}
    create(client, queue, f"{target.url}/o", http_request={"oidc_token": oidc})
    target.wait_for("/o")
    token = target.received[0].headers["Authorization"].removeprefix("Bearer ")
    certificate = (shared_data / "keys" / "oidc.cert.pem").read_text()

    kid = jwt.get_unverified_header(token)["kid"]
    claims = google_jwt.decode(  # type: ignore[no-untyped-call]  # google's
        token, certs={kid: certificate}, audience="https://parley/tasks"
    )

    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert claims["iss"] == "parley-local"
    assert claims["email"] == email
    assert claims["email_verified"] is True
    assert claims["sub"].isdecimal()
    assert 3500 < claims["exp"] - time.time() <= 3600


def test_the_audience_defaults_to_the_url(
    client: Client, queue: str, target: Target
) -> None:
    """
    As in production; and without oidc_token no Authorization is sent.
    """
    url = f"{target.url}/aud"
    oidc = {"service_account_email": "a@b.example"}
    create(client, queue, url, http_request={"oidc_token": oidc})
    create(client, queue, f"{target.url}/plain")
    target.wait_for("/aud")
    target.wait_for("/plain")

    token = target.at("/aud")[0].headers["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == url
    assert "Authorization" not in target.at("/plain")[0].headers
