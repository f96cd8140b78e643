"""Creating, reading, listing and deleting tasks through the real client."""

import datetime as dt
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud.tasks_v2 import HttpMethod, Task

from tests.conformance.tasks.harness import (
    LOCATION,
    Client,
    Target,
    http_task,
    make_queue,
)

NOWHERE = "http://127.0.0.1:9/never"
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(hours=12)


def in_future(**delta: float) -> dt.datetime:
    """Return a time ahead."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(**delta)


def test_an_unnamed_task_gets_a_name_in_its_queue(client: Client, queue: str) -> None:
    """
    The service names the task, and answers with what it will do.
    """
    task = client.create_task(
        parent=queue, task=http_task(NOWHERE, schedule_time=LATER)
    )

    assert task.name.startswith(f"{queue}/tasks/")
    assert task.http_request.http_method is HttpMethod.POST
    assert task.schedule_time == LATER
    assert task.dispatch_deadline == dt.timedelta(minutes=10)
    assert task.view is Task.View.BASIC
    assert task.create_time is not None
    assert task.dispatch_count == 0


def test_a_task_without_a_time_is_due_at_once(client: Client, queue: str) -> None:
    """
    schedule_time defaults to now, and a past one means now.
    """
    client.pause_queue(name=queue)
    before = in_future()

    unset = client.create_task(parent=queue, task=http_task(NOWHERE))
    past = client.create_task(
        parent=queue, task=http_task(NOWHERE, schedule_time=in_future(days=-3))
    )

    for task in (unset, past):
        assert before <= task.schedule_time <= in_future()


def test_the_body_is_shown_in_the_full_view_alone(client: Client, queue: str) -> None:
    """
    BASIC, the default of every call, leaves the body out.
    """
    wanted = http_task(NOWHERE, http_request={"body": b"secret"}, schedule_time=LATER)
    name = client.create_task(parent=queue, task=wanted).name

    basic = client.get_task(name=name)
    full = client.get_task(request={"name": name, "response_view": Task.View.FULL})

    assert basic.http_request.body == b""
    assert full.http_request.body == b"secret"
    assert full.view is Task.View.FULL


def test_output_fields_are_the_services_own(client: Client, queue: str) -> None:
    """
    A client cannot make a task that claims to have been tried.
    """
    wanted = http_task(NOWHERE, schedule_time=LATER, dispatch_count=7, response_count=7)

    task = client.create_task(parent=queue, task=wanted)

    assert (task.dispatch_count, task.response_count) == (0, 0)


def test_thirty_days_ahead_is_the_limit(client: Client, queue: str) -> None:
    """
    Production refuses what is further away, in these words.
    """
    client.create_task(
        parent=queue, task=http_task(NOWHERE, schedule_time=in_future(days=29.9))
    )

    with pytest.raises(InvalidArgument, match="no more than 720h in the future"):
        client.create_task(
            parent=queue, task=http_task(NOWHERE, schedule_time=in_future(days=30.1))
        )


@pytest.mark.parametrize(
    ("task", "complaint"),
    [
        ({"schedule_time": LATER}, "payload_type"),
        ({"http_request": {"url": ""}}, "url is required"),
        (http_task("ftp://example.com/"), "must start with"),
        (http_task("http:///no-host"), "must start with"),
        (http_task("http://h/" + "x" * 2100), "must start with"),
        (
            {"http_request": {"url": NOWHERE, "http_method": "GET", "body": b"x"}},
            "body may only",
        ),
        ({"http_request": {"url": NOWHERE, "headers": {"a b": "c"}}}, "valid header"),
        ({"http_request": {"url": NOWHERE, "headers": {"a": "x\r\nb: c"}}}, "header"),
        ({"http_request": {"url": NOWHERE, "headers": {"a": "x" * 90_000}}}, "80 KB"),
        ({"http_request": {"url": NOWHERE, "oidc_token": {"audience": "x"}}}, "email"),
        (http_task(NOWHERE, dispatch_deadline=dt.timedelta(seconds=14)), "between 15s"),
        (http_task(NOWHERE, dispatch_deadline=dt.timedelta(minutes=31)), "between 15s"),
        ({"http_request": {"url": NOWHERE, "body": b"x" * (1 << 20)}}, "too large"),
    ],
)
def test_a_task_that_cannot_work_is_refused(
    client: Client, queue: str, task: dict[str, Any], complaint: str
) -> None:
    """
    INVALID_ARGUMENT says what is wrong, and nothing is created.
    """
    with pytest.raises(InvalidArgument, match=complaint):
        client.create_task(parent=queue, task=task)

    assert list(client.list_tasks(parent=queue)) == []


@pytest.mark.parametrize(
    "task",
    [
        {"app_engine_http_request": {"relative_uri": "/x"}},
        {
            "http_request": {
                "url": NOWHERE,
                "oauth_token": {"service_account_email": "a@b"},
            }
        },
    ],
)
def test_targets_in_googles_cloud_are_said_to_be_missing(
    client: Client, queue: str, task: dict[str, Any]
) -> None:
    """
    What only production can do is UNIMPLEMENTED, not silently something else.
    """
    with pytest.raises(MethodNotImplemented):
        client.create_task(parent=queue, task=task)


def test_a_queue_that_is_not_there_takes_no_tasks(client: Client) -> None:
    """
    Production's status is FAILED_PRECONDITION, not NOT_FOUND.
    """
    with pytest.raises(FailedPrecondition, match="Queue does not exist"):
        client.create_task(parent=f"{LOCATION}/queues/missing", task=http_task(NOWHERE))


@pytest.mark.parametrize("parent", ["", "queues/q", f"{LOCATION}/queues/a_b"])
def test_a_malformed_parent_is_refused(client: Client, parent: str) -> None:
    """
    Resource names are checked before anything is looked up.
    """
    with pytest.raises(InvalidArgument):
        client.create_task(
            request={"parent": parent, "task": http_task(NOWHERE)},
            metadata=(("x-goog-request-params", "parent=x"),),
        )


def test_a_name_of_another_queue_is_refused(client: Client, queue: str) -> None:
    """
    The queue in a task's name is the queue that it is created in.
    """
    other = make_queue(client)

    for name in (f"{other}/tasks/a", f"{queue}/tasks/a b", "a"):
        with pytest.raises(InvalidArgument):
            client.create_task(parent=queue, task={"name": name, **http_task(NOWHERE)})


def test_a_name_in_use_cannot_be_used_again(client: Client, queue: str) -> None:
    """
    Two creates with one name make one task.
    """
    task = {"name": f"{queue}/tasks/once", **http_task(NOWHERE, schedule_time=LATER)}
    client.create_task(parent=queue, task=task)

    with pytest.raises(AlreadyExists, match="already exists"):
        client.create_task(parent=queue, task=task)

    assert len(list(client.list_tasks(parent=queue))) == 1


def test_a_name_stays_taken_after_the_task_was_deleted(
    client: Client, queue: str
) -> None:
    """
    A tombstone keeps the name, and reads as a task that was there.
    """
    name = f"{queue}/tasks/deleted"
    client.create_task(
        parent=queue, task={"name": name, **http_task(NOWHERE, schedule_time=LATER)}
    )

    client.delete_task(name=name)

    with pytest.raises(AlreadyExists, match="existed too recently"):
        client.create_task(parent=queue, task={"name": name, **http_task(NOWHERE)})
    with pytest.raises(NotFound, match="existed recently"):
        client.get_task(name=name)
    with pytest.raises(NotFound):
        client.delete_task(name=name)


def test_a_name_stays_taken_after_the_task_was_done(
    client: Client, queue: str, target: Target
) -> None:
    """
    A completed task leaves a tombstone too: that is what makes names idempotent.
    """
    task = {"name": f"{queue}/tasks/done", **http_task(f"{target.url}/done")}
    client.create_task(parent=queue, task=task)
    target.wait_for("/done")

    with pytest.raises(AlreadyExists):
        client.create_task(parent=queue, task=task)


def test_what_was_never_there_is_not_found(client: Client, queue: str) -> None:
    """
    Reading, deleting and running unknown tasks is NOT_FOUND; odd names are invalid.
    """
    for call in (client.get_task, client.delete_task, client.run_task):
        with pytest.raises(NotFound):
            call(name=f"{queue}/tasks/unknown")
        with pytest.raises(InvalidArgument):
            call(name=f"{queue}/tasks/not ok")


def test_lists_come_in_pages(client: Client, queue: str) -> None:
    """
    Pages hold what was asked for, and together every task once.
    """
    names = [
        client.create_task(
            parent=queue, task=http_task(NOWHERE, schedule_time=LATER)
        ).name
        for _ in range(7)
    ]

    pager = client.list_tasks(request={"parent": queue, "page_size": 3})
    pages = [[task.name for task in page.tasks] for page in pager.pages]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [name for page in pages for name in page] == names


def test_lists_refuse_bad_pages(client: Client, queue: str) -> None:
    """
    A page token that the service did not give is INVALID_ARGUMENT.
    """
    for bad in ({"page_token": "x"}, {"page_size": -1}):
        with pytest.raises(InvalidArgument):
            client.list_tasks(request={"parent": queue, **bad})


def test_a_deadline_beyond_thirty_seconds_is_refused(
    client: Client, queue: str
) -> None:
    """
    Production refuses calls that say they would wait longer; so does ours.
    """
    with pytest.raises(InvalidArgument, match="30s in the future"):
        client.get_queue(name=queue, timeout=60)
