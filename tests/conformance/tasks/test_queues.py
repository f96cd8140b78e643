"""Queues: their life, their settings, and pausing, resuming and purging."""

import datetime as dt
import time
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud.tasks_v2 import Queue

from tests.conformance.tasks.harness import (
    LOCATION,
    Client,
    Target,
    http_task,
    make_queue,
)


def test_the_stacks_own_queue_is_there(client: Client) -> None:
    """
    Nobody has to create the queue that the functions use.
    """
    queue = client.get_queue(name=f"{LOCATION}/queues/parley")

    assert queue.state is Queue.State.RUNNING
    assert queue.retry_config.max_attempts == -1


def test_a_queue_has_productions_defaults(client: Client) -> None:
    """
    What is not set is what Google documents.
    """
    name = f"{LOCATION}/queues/defaults-{time.time_ns()}"
    queue = client.create_queue(parent=LOCATION, queue={"name": name})

    assert queue.rate_limits.max_dispatches_per_second == 500
    assert queue.rate_limits.max_burst_size == 100
    assert queue.rate_limits.max_concurrent_dispatches == 1000
    assert queue.retry_config.max_attempts == 100
    assert queue.retry_config.min_backoff == dt.timedelta(seconds=0.1)
    assert queue.retry_config.max_backoff == dt.timedelta(hours=1)
    assert queue.retry_config.max_doublings == 16
    assert client.get_queue(name=name) == queue


@pytest.mark.parametrize(
    "settings",
    [
        {"rate_limits": {"max_dispatches_per_second": 501}},
        {"rate_limits": {"max_dispatches_per_second": -1}},
        {"rate_limits": {"max_concurrent_dispatches": 5001}},
        {"retry_config": {"max_attempts": -2}},
        {"retry_config": {"max_doublings": -1}},
        {"retry_config": {"min_backoff": "2s", "max_backoff": "1s"}},
    ],
)
def test_settings_out_of_range_are_refused(
    client: Client, settings: dict[str, Any]
) -> None:
    """
    INVALID_ARGUMENT, and no queue is made.
    """
    name = f"{LOCATION}/queues/bad-{time.time_ns()}"

    with pytest.raises(InvalidArgument):
        client.create_queue(parent=LOCATION, queue={"name": name, **settings})
    with pytest.raises(NotFound):
        client.get_queue(name=name)


def test_queue_level_targets_are_said_to_be_missing(client: Client) -> None:
    """
    http_target is UNIMPLEMENTED here, not ignored.
    """
    target = {"uri_override": {"host": "example.com"}}

    with pytest.raises(MethodNotImplemented):
        make_queue(client, http_target=target)


def test_a_queue_is_created_once(client: Client, queue: str) -> None:
    """
    The second create is ALREADY_EXISTS; odd names and parents are invalid.
    """
    with pytest.raises(AlreadyExists):
        client.create_queue(parent=LOCATION, queue={"name": queue})
    for parent, name in (
        (LOCATION, f"{LOCATION}/queues/under_score"),
        ("projects/other/locations/local", f"{LOCATION}/queues/q"),
        ("nonsense", f"{LOCATION}/queues/q"),
    ):
        with pytest.raises(InvalidArgument):
            client.create_queue(parent=parent, queue={"name": name})


def test_queues_are_listed_in_pages(client: Client, queue: str) -> None:
    """
    Every queue of the location once; another location has none.
    """
    made = {queue, *(make_queue(client) for _ in range(3))}

    pager = client.list_queues(request={"parent": LOCATION, "page_size": 2})
    names = [found.name for found in pager]

    assert made <= set(names)
    assert len(names) == len(set(names))
    assert list(client.list_queues(parent="projects/demo-parley/locations/other")) == []


def test_an_update_changes_what_its_mask_names(client: Client, queue: str) -> None:
    """
    Fields beside the mask stay; output fields cannot be named.
    """
    changes = {
        "name": queue,
        "rate_limits": {"max_dispatches_per_second": 7, "max_concurrent_dispatches": 9},
    }
    updated = client.update_queue(
        queue=changes,
        update_mask={"paths": ["rate_limits.max_dispatches_per_second"]},
    )

    assert updated.rate_limits.max_dispatches_per_second == 7
    assert updated.rate_limits.max_concurrent_dispatches == 1000
    assert updated.retry_config.min_backoff == dt.timedelta(seconds=0.05)
    for path in ("state", "rate_limits.max_burst_size", "rate_limits.nonsense"):
        with pytest.raises(InvalidArgument):
            client.update_queue(queue=changes, update_mask={"paths": [path]})


def test_an_update_creates_what_is_not_there(client: Client) -> None:
    """
    As production does.
    """
    name = f"{LOCATION}/queues/upserted-{time.time_ns()}"

    client.update_queue(queue={"name": name})

    assert client.get_queue(name=name).name == name


def test_a_paused_queue_holds_its_tasks(
    client: Client, queue: str, target: Target
) -> None:
    """
    Paused, it takes tasks and sends none; resumed, it sends them at once.
    """
    assert client.pause_queue(name=queue).state is Queue.State.PAUSED
    client.create_task(parent=queue, task=http_task(f"{target.url}/p"))
    time.sleep(0.2)
    held = len(target.received)

    assert client.resume_queue(name=queue).state is Queue.State.RUNNING

    target.wait_for("/p")
    assert held == 0


def test_a_purge_drops_every_task(client: Client, queue: str, target: Target) -> None:
    """
    Nothing of before is sent; tasks created afterwards are.
    """
    client.pause_queue(name=queue)
    for number in range(3):
        task = {"name": f"{queue}/tasks/n{number}", **http_task(f"{target.url}/old")}
        client.create_task(parent=queue, task=task)

    purged = client.purge_queue(name=queue)

    assert purged.purge_time is not None
    assert list(client.list_tasks(parent=queue)) == []
    client.resume_queue(name=queue)
    client.create_task(parent=queue, task=http_task(f"{target.url}/new"))
    target.wait_for("/new")
    assert target.at("/old") == []


def test_a_deleted_queue_takes_its_tasks_along(
    client: Client, queue: str, target: Target
) -> None:
    """
    Its tasks are never sent, and its name stays taken for a week.
    """
    client.pause_queue(name=queue)
    client.create_task(parent=queue, task=http_task(f"{target.url}/d"))

    client.delete_queue(name=queue)

    with pytest.raises(NotFound):
        client.get_queue(name=queue)
    with pytest.raises(FailedPrecondition, match="existed too recently"):
        client.create_queue(parent=LOCATION, queue={"name": queue})
    with pytest.raises(FailedPrecondition):
        client.create_task(parent=queue, task=http_task(f"{target.url}/d"))
    time.sleep(0.2)
    assert target.received == []


def test_unknown_queues_are_not_found(client: Client) -> None:
    """
    Every call on a queue that is not there says so.
    """
    name = f"{LOCATION}/queues/unknown"
    for call in (
        client.get_queue,
        client.delete_queue,
        client.purge_queue,
        client.pause_queue,
        client.resume_queue,
    ):
        with pytest.raises(NotFound):
            call(name=name)
    with pytest.raises(NotFound):
        client.list_tasks(parent=name)
