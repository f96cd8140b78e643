"""Effects as named Cloud Tasks, with Firestore's outbox behind them."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import grpc
from google.api_core import exceptions, retry
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import (
    CloudTasksGrpcTransport,
)
from google.protobuf import duration_pb2

from ..domain.effects import CheckWorker, Effect, LaunchWorker
from ..domain.errors import DependencyUnavailable
from .firestore.outbox import FirestoreOutbox

RPC_TIMEOUT_S: Final = 2.0
RETRY_FOR_S: Final = 2.0
DISPATCH_DEADLINE_S: Final = 30  # the longest that a handler may take

logger = logging.getLogger(__name__)

_bounded_retry = retry.Retry(
    predicate=retry.if_exception_type(exceptions.ServiceUnavailable),
    initial=0.1,
    maximum=0.5,
    timeout=RETRY_FOR_S,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTarget:
    """
    The queue, and how it reaches the functions.

    Args:
        queue: `projects/…/locations/…/queues/…`.
        url: Of the functions, without `/tasks`.
        service_account: Whose OIDC token the queue sends.
        audience: Of that token.
    """

    queue: str
    url: str
    service_account: str
    audience: str


def open_tasks_client(emulator_host: str | None) -> tasks_v2.CloudTasksClient:
    """Return the client; the embedded queue listens at `emulator_host`, in clear."""
    if emulator_host is None:
        return tasks_v2.CloudTasksClient()
    # The library has no variable for an emulator, unlike Firestore's.
    channel = grpc.insecure_channel(
        emulator_host, options=(("grpc.max_reconnect_backoff_ms", 1_000),)
    )
    return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


class CloudTasksEffectQueue:
    """`EffectQueue` on Cloud Tasks and the outbox."""

    def __init__(
        self,
        client: tasks_v2.CloudTasksClient,
        outbox: FirestoreOutbox,
        target: TaskTarget,
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._target = target

    def put(self, effect: Effect) -> None:
        """Create the named task; see `EffectQueue`."""
        try:
            self._client.create_task(
                parent=self._target.queue,
                task=_task(effect, self._target),
                retry=_bounded_retry,
                timeout=RPC_TIMEOUT_S,
            )
        except exceptions.AlreadyExists:
            return  # the name says that it is the same effect
        except exceptions.GoogleAPICallError as error:
            raise DependencyUnavailable from error
        except exceptions.RetryError as error:
            raise DependencyUnavailable from error

    def release(self, effect: Effect) -> None:
        """Create the task, then delete the stored effect; see `EffectQueue`."""
        try:
            self.put(effect)
            self._outbox.delete(effect)
        except DependencyUnavailable:
            logger.warning(
                "effect left in the outbox",
                extra={"effect": effect.name},
                exc_info=True,
            )

    def leftovers(self, *, before: datetime, limit: int) -> Sequence[Effect]:
        """Read the outbox; see `EffectQueue`."""
        return self._outbox.stored_before(before, limit=limit)


def _task(effect: Effect, target: TaskTarget) -> tasks_v2.Task:
    path, body = _call(effect)
    return tasks_v2.Task(
        name=f"{target.queue}/tasks/{effect.name}",
        schedule_time=effect.at if isinstance(effect, CheckWorker) else None,
        dispatch_deadline=duration_pb2.Duration(seconds=DISPATCH_DEADLINE_S),
        http_request=tasks_v2.HttpRequest(
            http_method=tasks_v2.HttpMethod.POST,
            url=target.url + path,
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
            oidc_token=tasks_v2.OidcToken(
                service_account_email=target.service_account,
                audience=target.audience,
            ),
        ),
    )


def _call(effect: Effect) -> tuple[str, dict[str, Any]]:
    match effect:
        case LaunchWorker(space_id, epoch):
            return "/tasks/launch", {"space_id": space_id, "epoch": epoch}
        case CheckWorker(space_id, epoch, n, _):
            body = {"space_id": space_id, "epoch": epoch, "n": n}
            return "/tasks/watchdog", body
