"""What a task must look like to be taken."""

import re
from typing import Any, Final

from . import names, protocol, queues
from .refusals import invalid, unimplemented

MAX_AHEAD_S: Final = 30 * 24 * 3600
MAX_TASK_BYTES: Final = 1024 * 1024
_MAX_URL_CHARS: Final = 2083
_MAX_HEADERS_BYTES: Final = 80 * 1024
_DEFAULT_DEADLINE_S: Final = 600
_DEADLINE_S: Final = (15, 1800)
_URL: Final = re.compile(r"https?://[^\s/?#]+[^\s]*")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[^\r\n\0]*")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def accept(task: Any, *, queue: str, now_us: int) -> Any:
    """
    Return the task as the service keeps it: checked, named, output fields its own.

    Args:
        queue: Name of the queue that it was created in.

    Raises:
        Refused: INVALID_ARGUMENT, or UNIMPLEMENTED for targets in Google's cloud.
    """
    if task.ByteSize() > MAX_TASK_BYTES:
        raise invalid("Task size too large")
    kept = protocol.Task()
    if task.name and names.queue_of_task(task.name) != queue:
        raise invalid(
            f'The queue name from request ("{queue}") must be the same as the queue'
            f' name in the named task ("{task.name}").'
        )
    kept.name = task.name or names.new_task_name(queue)
    kept.http_request.CopyFrom(_checked_request(task))
    kept.schedule_time.CopyFrom(_schedule_time(task, now_us))
    kept.dispatch_deadline.CopyFrom(_deadline(task))
    if task.HasField("retry_config"):
        kept.retry_config.CopyFrom(task.retry_config)
        queues.complete_retry(kept.retry_config)
    protocol.set_timestamp(kept.create_time, now_us)
    return kept


def in_view(task: Any, view: int) -> Any:
    """Return the task as `view` shows it: BASIC, the default, has no body."""
    shown = protocol.Task()
    shown.CopyFrom(task)
    shown.view = view or protocol.Task.BASIC
    if shown.view == protocol.Task.BASIC:
        shown.http_request.ClearField("body")
    return shown


def _checked_request(task: Any) -> Any:
    if task.HasField("app_engine_http_request"):
        raise unimplemented("App Engine targets are not served by the embedded queue")
    if not task.HasField("http_request"):
        raise invalid("Task.payload_type must be set")
    request = task.http_request
    if not request.url:
        raise invalid("HttpRequest.url is required")
    if len(request.url) > _MAX_URL_CHARS or not _URL.fullmatch(request.url):
        raise invalid("HttpRequest.url must start with 'http://' or 'https://'")
    kept = protocol.Task().http_request
    kept.CopyFrom(request)
    kept.http_method = request.http_method or protocol.HttpMethod.POST
    try:
        method = protocol.HttpMethod(kept.http_method).name
    except ValueError as error:
        raise invalid("HttpRequest.http_method is unknown") from error
    if request.body and method not in _WITH_BODY:
        raise invalid(
            "HTTP request body may only be set for POST, PUT and PATCH requests"
        )
    _check_headers(request.headers)
    _check_authorization(request)
    return kept


def _check_headers(headers: Any) -> None:
    size = sum(len(name) + len(value) for name, value in headers.items())
    if size > _MAX_HEADERS_BYTES:
        raise invalid("HttpRequest.headers must be less than 80 KB")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise invalid(f"HttpRequest.headers: {name!r} is not a valid header")


def _check_authorization(request: Any) -> None:
    if request.HasField("oauth_token"):
        raise unimplemented("OAuth tokens are for Google's own APIs; use oidc_token")
    if request.HasField("oidc_token") and not request.oidc_token.service_account_email:
        raise invalid("OidcToken.service_account_email must be set")


def _schedule_time(task: Any, now_us: int) -> Any:
    chosen = protocol.Task().schedule_time
    protocol.set_timestamp(chosen, now_us)
    if not task.HasField("schedule_time"):
        return chosen
    try:
        wanted_us = task.schedule_time.ToMicroseconds()
        shown = task.schedule_time.ToJsonString()
    except ValueError as error:
        raise invalid("Task.scheduleTime is out of range") from error
    if wanted_us > now_us + MAX_AHEAD_S * 1_000_000:
        raise invalid(
            f"The Task.scheduleTime, {shown}, is too far in the future."
            " Schedule time must be no more than 720h in the future."
        )
    if wanted_us > now_us:  # the past means now
        chosen.CopyFrom(task.schedule_time)
    return chosen


def _deadline(task: Any) -> Any:
    chosen = protocol.Task().dispatch_deadline
    chosen.FromSeconds(_DEFAULT_DEADLINE_S)
    if task.HasField("dispatch_deadline"):
        least, most = _DEADLINE_S
        if not least <= protocol.duration_s(task.dispatch_deadline) <= most:
            raise invalid("Task.dispatchDeadline must be between 15s and 30m")
        chosen.CopyFrom(task.dispatch_deadline)
    return chosen
