"""Effects as named Cloud Tasks."""

import json
from typing import Any, Final

import grpc
from google.api_core import exceptions, retry
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import (
    CloudTasksGrpcTransport,
)
from google.protobuf import duration_pb2

from spaces_contract.trace_context import carried

from ..domain.effects import (
    AnnounceSchedule,
    CheckWorker,
    CountSubscribers,
    DeliverWebhook,
    Effect,
    EraseAccount,
    LaunchWorker,
    RecordingTask,
    ScheduleStep,
    ShutOut,
    SweepLiveEdge,
    TellPage,
    TellWebhooks,
)
from ..domain.errors import DependencyUnavailable
from .effect_queue import TaskTarget

LATER: Final = (
    CheckWorker,
    CountSubscribers,
    RecordingTask,
    ScheduleStep,
    ShutOut,
    SweepLiveEdge,
    TellPage,
)
RPC_TIMEOUT_S: Final = 2.0
RETRY_FOR_S: Final = 2.0
DISPATCH_DEADLINE_S: Final = 30  # the longest that a handler may take

_bounded_retry = retry.Retry(
    predicate=retry.if_exception_type(exceptions.ServiceUnavailable),
    initial=0.1,
    maximum=0.5,
    timeout=RETRY_FOR_S,
)


def open_tasks_client(emulator_host: str | None) -> tasks_v2.CloudTasksClient:
    """Return the client; the embedded queue listens at `emulator_host`, in clear."""
    if emulator_host is None:
        return tasks_v2.CloudTasksClient()
    # The library has no variable for an emulator, unlike Firestore's.
    channel = grpc.insecure_channel(
        emulator_host, options=(("grpc.max_reconnect_backoff_ms", 1_000),)
    )
    return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


class CloudTasks:
    """Creates named tasks in one queue."""

    def __init__(self, client: tasks_v2.CloudTasksClient, target: TaskTarget) -> None:
        self._client = client
        self._target = target

    def create(self, effect: Effect) -> None:
        """
        Create the task of `effect`; one of its name that exists is the same.

        Raises:
            DependencyUnavailable: Cloud Tasks does not answer, or cannot.
        """
        try:
            self._client.create_task(
                parent=self._target.queue,
                task=_task(effect, self._target),
                retry=_bounded_retry,
                timeout=RPC_TIMEOUT_S,
            )
        except exceptions.AlreadyExists:
            return
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise DependencyUnavailable from error


def _task(effect: Effect, target: TaskTarget) -> tasks_v2.Task:
    path, body = task_call(effect)
    return tasks_v2.Task(
        name=f"{target.queue}/tasks/{effect.name}",
        schedule_time=effect.at if isinstance(effect, LATER) else None,
        dispatch_deadline=duration_pb2.Duration(seconds=DISPATCH_DEADLINE_S),
        http_request=tasks_v2.HttpRequest(
            http_method=tasks_v2.HttpMethod.POST,
            url=target.url + path,
            headers={"Content-Type": "application/json", **_trace(effect)},
            body=json.dumps(body).encode(),
            oidc_token=tasks_v2.OidcToken(
                service_account_email=target.service_account,
                audience=target.audience,
            ),
        ),
    )


def _trace(effect: Effect) -> dict[str, str]:
    # Whoever scheduled a Space did so months ago: its time is a trace of its own.
    return {} if isinstance(effect, ScheduleStep) else carried()


def task_call(effect: Effect) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of the request that carries out `effect`."""
    match effect:
        case LaunchWorker(space_id, epoch):
            return "/tasks/launch", {"space_id": space_id, "epoch": epoch}
        case CheckWorker(space_id, epoch, n, _):
            body = {"space_id": space_id, "epoch": epoch, "n": n}
            return "/tasks/watchdog", body
        case ScheduleStep(space_id, version, step, _):
            body = {"space_id": space_id, "version": version, "step": step}
            return "/tasks/schedule-step", body
        case AnnounceSchedule(space_id, version):
            body = {"space_id": space_id, "version": version}
            return "/tasks/announce-schedule", body
        case TellPage(space_id, kind, version, page, _, user_id):
            body = {"space_id": space_id, "kind": kind, "version": version}
            to = {} if user_id is None else {"user_id": user_id}
            return "/tasks/tell-page", {**body, "page": page, **to}
        case CountSubscribers(space_id, n, _):
            return "/tasks/count-subscribers", {"space_id": space_id, "n": n}
        case SweepLiveEdge(space_id):
            return "/tasks/live-edge-sweep", {"space_id": space_id}
        case TellWebhooks():
            return "/tasks/tell-webhooks", _event(effect)
        case DeliverWebhook(told, endpoint):
            return "/tasks/deliver-webhook", {**_event(told), "endpoint": endpoint}
        case EraseAccount(user_id, version, n):
            about = {"user_id": user_id, "version": version, "n": n}
            return "/tasks/erase-account", about
        case ShutOut():
            return "/tasks/shut-out", _shut_out(effect)
        case RecordingTask(space_id, step, version, n, _):
            about = {"space_id": space_id, "version": version, "n": n}
            return f"/tasks/recording-{step.value}", about


def _shut_out(effect: ShutOut) -> dict[str, Any]:
    after = effect.after
    return {
        "user_id": effect.user_id,
        "version": effect.version,
        "n": effect.n,
        "at": effect.at.isoformat(),
        "last": effect.last,
        "after": [after[0].isoformat(), after[1]] if after else None,
    }


def _event(told: TellWebhooks) -> dict[str, Any]:
    return {
        "space_id": told.space_id,
        "event": told.event,
        "version": told.version,
        "at": told.at.isoformat(),
    }
