"""Raw protobuf classes of Cloud Tasks v2, and times in microseconds."""

from typing import Any, Final

from google.cloud.tasks_v2 import types as v2
from google.protobuf import empty_pb2

SERVICE: Final = "google.cloud.tasks.v2.CloudTasks"

Task: Final[Any] = v2.Task.pb()
Queue: Final[Any] = v2.Queue.pb()
HttpMethod: Final[Any] = v2.HttpMethod
Empty: Final[Any] = empty_pb2.Empty

# RPC -> (request, response); method names are those of the service.
METHODS: Final[dict[str, tuple[Any, Any]]] = {
    "ListQueues": (v2.ListQueuesRequest.pb(), v2.ListQueuesResponse.pb()),
    "GetQueue": (v2.GetQueueRequest.pb(), Queue),
    "CreateQueue": (v2.CreateQueueRequest.pb(), Queue),
    "UpdateQueue": (v2.UpdateQueueRequest.pb(), Queue),
    "DeleteQueue": (v2.DeleteQueueRequest.pb(), Empty),
    "PurgeQueue": (v2.PurgeQueueRequest.pb(), Queue),
    "PauseQueue": (v2.PauseQueueRequest.pb(), Queue),
    "ResumeQueue": (v2.ResumeQueueRequest.pb(), Queue),
    "ListTasks": (v2.ListTasksRequest.pb(), v2.ListTasksResponse.pb()),
    "GetTask": (v2.GetTaskRequest.pb(), Task),
    "CreateTask": (v2.CreateTaskRequest.pb(), Task),
    "DeleteTask": (v2.DeleteTaskRequest.pb(), Empty),
    "RunTask": (v2.RunTaskRequest.pb(), Task),
}

ListQueuesResponse: Final[Any] = METHODS["ListQueues"][1]
ListTasksResponse: Final[Any] = METHODS["ListTasks"][1]


def set_timestamp(timestamp: Any, at_us: int) -> None:
    """Write microseconds since the epoch into a protobuf Timestamp."""
    timestamp.FromMicroseconds(at_us)


def duration_s(duration: Any) -> float:
    """Return a protobuf Duration in seconds."""
    return float(duration.seconds) + float(duration.nanos) / 1e9
