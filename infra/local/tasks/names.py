"""Resource names of queues and tasks."""

import re
import secrets
from typing import Final

from .refusals import invalid

_LOCATION: Final = r"projects/[a-zA-Z0-9:.\-]{1,100}/locations/[a-zA-Z0-9\-]{1,100}"
_QUEUE: Final = rf"{_LOCATION}/queues/[a-zA-Z0-9\-]{{1,100}}"
_LOCATION_NAME: Final = re.compile(_LOCATION)
_QUEUE_NAME: Final = re.compile(_QUEUE)
_TASK_NAME: Final = re.compile(rf"({_QUEUE})/tasks/[a-zA-Z0-9_\-]{{1,500}}")


def check_location(name: str) -> None:
    """
    Check "projects/P/locations/L".

    Raises:
        Refused: INVALID_ARGUMENT.
    """
    if not _LOCATION_NAME.fullmatch(name):
        raise invalid(
            f'Invalid resource field value in the request: "{name}" should be'
            ' "projects/PROJECT_ID/locations/LOCATION_ID"'
        )


def check_queue(name: str) -> None:
    """
    Check "projects/P/locations/L/queues/Q".

    Raises:
        Refused: INVALID_ARGUMENT.
    """
    if not _QUEUE_NAME.fullmatch(name):
        raise invalid(
            f'Queue name must be formatted: "{name}" should be'
            ' "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID"'
        )


def queue_of_task(name: str) -> str:
    """
    Return the queue's name in a task's name.

    Raises:
        Refused: INVALID_ARGUMENT: the name has another form.
    """
    match = _TASK_NAME.fullmatch(name)
    if match is None:
        raise invalid(
            f'Task name must be formatted: "{name}" should be "projects/PROJECT_ID/'
            'locations/LOCATION_ID/queues/QUEUE_ID/tasks/TASK_ID"'
        )
    return match.group(1)


def location_of(queue: str) -> str:
    """Return "projects/P/locations/L" of a queue's name."""
    return queue.rpartition("/queues/")[0]


def short(name: str) -> str:
    """Return the last part: what the X-CloudTasks headers carry."""
    return name.rpartition("/")[2]


def new_task_name(queue: str) -> str:
    """Return a name for a task that was given none: digits, as production's are."""
    return f"{queue}/tasks/{secrets.randbelow(9 * 10**18) + 10**18}"
