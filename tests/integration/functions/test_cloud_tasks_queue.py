"""Effects on the embedded Cloud Tasks, by the real client."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.tasks_v2 import CloudTasksClient

from spaces.adapters.clock import random_space_id
from spaces.adapters.cloud_tasks import CloudTasks, open_tasks_client
from spaces.adapters.effect_queue import OutboxEffectQueue, TaskTarget
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.outbox import FirestoreOutbox, outbox_doc, outbox_path
from spaces.domain.effects import CheckWorker, LaunchWorker
from spaces.domain.errors import DependencyUnavailable
from tests.builders import NOW
from tests.integration.functions.conftest import started, stopped

QUEUE = "projects/demo-parley/locations/local/queues/parley"
# Nobody listens there: what is due is tried, refused and kept.
TARGET = TaskTarget(
    queue=QUEUE,
    url="http://127.0.0.1:9",
    service_account="tasks@demo-parley.iam.gserviceaccount.com",
    audience="http://127.0.0.1:9/tasks",
)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudTasksClient]:
    """Yield a client of an embedded Cloud Tasks."""
    server, address = started("tasks", tmp_path_factory.mktemp("tasks"))
    with open_tasks_client(address) as client:
        yield client
    stopped(server)


def a_queue(tasks: CloudTasksClient, client: BoundedClient) -> OutboxEffectQueue:
    """Return a queue of these tasks and the outbox."""
    creator = CloudTasks(tasks, TARGET)
    return OutboxEffectQueue(lambda: creator, FirestoreOutbox(client))


def test_a_look_is_enqueued_once_under_its_name(
    tasks: CloudTasksClient, client: BoundedClient
) -> None:
    """
    The task has name, time, URL, body and token as agreed; a second put is no error.
    """
    queue = a_queue(tasks, client)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    look = CheckWorker(random_space_id(), 3, 7, at)

    queue.put(look)
    queue.put(look)
    name = f"{QUEUE}/tasks/{look.name}"
    task = tasks.get_task(request={"name": name, "response_view": "FULL"})

    assert task.schedule_time == at
    assert task.http_request.url == "http://127.0.0.1:9/tasks/watchdog"
    assert task.http_request.body == (
        f'{{"space_id": "{look.space_id}", "epoch": 3, "n": 7}}'.encode()
    )
    token = task.http_request.oidc_token
    assert token.service_account_email == TARGET.service_account
    assert token.audience == TARGET.audience


def test_a_release_forgets_what_was_stored(
    tasks: CloudTasksClient, client: BoundedClient
) -> None:
    """
    A stored launch is a leftover until it is released, also when it is released twice.
    """
    queue = a_queue(tasks, client)
    launch = LaunchWorker(random_space_id(), 1)
    client.document(outbox_path(launch)).set(outbox_doc(launch, NOW))
    later = NOW + timedelta(seconds=1)

    stored = queue.leftovers(before=later, limit=100)
    queue.release(launch)
    queue.release(launch)

    assert launch in stored
    assert launch not in queue.leftovers(before=later, limit=100)


def test_a_queue_that_is_gone_keeps_the_stored_effect(client: BoundedClient) -> None:
    """
    Without Cloud Tasks `put` fails and `release` does not; the outbox keeps it.
    """
    launch = LaunchWorker(random_space_id(), 1)
    client.document(outbox_path(launch)).set(outbox_doc(launch, NOW))

    with open_tasks_client("127.0.0.1:9") as nobody:
        queue = a_queue(nobody, client)
        with pytest.raises(DependencyUnavailable):
            queue.put(launch)
        queue.release(launch)

    assert launch in queue.leftovers(before=NOW + timedelta(seconds=1), limit=100)
