"""One dispatch of a task: the HTTP request, and what its outcome means."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import aiohttp
import grpc
from yarl import URL

from ..auth import TokenIssuer
from . import names, protocol
from .store import StoredTask

_USER_AGENT: Final = "Google-Cloud-Tasks"
# Computed by the service; what a task says about them is dropped.
_OWN_HEADERS: Final = frozenset({"host", "content-length", "user-agent"})
_OWN_PREFIXES: Final = ("x-cloudtasks-", "x-google-", "x-appengine-")
_MAX_RETRY_AFTER_S: Final = 3600.0

# google.rpc.Code by HTTP status, where it is not UNKNOWN.
_RPC_CODES: Final = MappingProxyType(
    {
        400: grpc.StatusCode.INVALID_ARGUMENT,
        401: grpc.StatusCode.UNAUTHENTICATED,
        403: grpc.StatusCode.PERMISSION_DENIED,
        404: grpc.StatusCode.NOT_FOUND,
        409: grpc.StatusCode.ABORTED,
        429: grpc.StatusCode.RESOURCE_EXHAUSTED,
        499: grpc.StatusCode.CANCELLED,
        500: grpc.StatusCode.INTERNAL,
        501: grpc.StatusCode.UNIMPLEMENTED,
        503: grpc.StatusCode.UNAVAILABLE,
        504: grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How one attempt ended.

    Args:
        http_status: None where no response came.
        retry_after_s: What a 429 or 503 asked for.
    """

    http_status: int | None
    code: grpc.StatusCode
    detail: str
    retry_after_s: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether the task is done."""
        return self.code is grpc.StatusCode.OK


CRASHED: Final = Outcome(
    http_status=None, code=grpc.StatusCode.INTERNAL, detail="INTERNAL(13): see the log"
)


async def dispatch(
    session: aiohttp.ClientSession,
    stored: StoredTask,
    issuer: TokenIssuer,
    *,
    now_s: int,
) -> Outcome:
    """Send a task's request and wait for the response, at most for its deadline."""
    task = stored.message
    request = task.http_request
    try:
        async with session.request(
            protocol.HttpMethod(request.http_method).name,
            URL(request.url, encoded=True),  # byte by byte as the task has it
            data=request.body,
            headers=request_headers(stored, issuer, now_s=now_s),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=protocol.duration_s(task.dispatch_deadline)
            ),
        ) as response:
            return _outcome(response.status, response.headers.get("Retry-After"))
    except TimeoutError:
        code = grpc.StatusCode.DEADLINE_EXCEEDED
        return Outcome(
            http_status=None, code=code, detail=_say(code, "deadline passed")
        )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        code = grpc.StatusCode.UNAVAILABLE
        return Outcome(http_status=None, code=code, detail=_say(code, str(error)))


def request_headers(
    stored: StoredTask, issuer: TokenIssuer, *, now_s: int
) -> dict[str, str]:
    """Return the task's own headers and those that the service adds."""
    task = stored.message
    request = task.http_request
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in _OWN_HEADERS
        and not name.lower().startswith(_OWN_PREFIXES)
    }
    if request.body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/octet-stream"
    headers |= {
        "User-Agent": _USER_AGENT,
        "X-CloudTasks-QueueName": names.short(stored.queue),
        "X-CloudTasks-TaskName": names.short(task.name),
        "X-CloudTasks-TaskRetryCount": str(task.dispatch_count - 1),
        "X-CloudTasks-TaskExecutionCount": str(task.response_count),
        "X-CloudTasks-TaskETA": f"{task.schedule_time.ToMicroseconds() / 1e6:.6f}",
    }
    if stored.previous_response is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(stored.previous_response)
    if stored.retry_reason:
        reason = " ".join(stored.retry_reason.split())
        headers["X-CloudTasks-TaskRetryReason"] = ascii(reason)[1:-1]
    if request.HasField("oidc_token"):
        token = issuer.oidc_token(
            request.oidc_token.service_account_email,
            audience=request.oidc_token.audience or request.url,
            now_s=now_s,
        )
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _outcome(status: int, retry_after: str | None) -> Outcome:
    if 200 <= status < 300:
        return Outcome(
            http_status=status,
            code=grpc.StatusCode.OK,
            detail=_say(grpc.StatusCode.OK, f"HTTP status code {status}"),
        )
    code = _RPC_CODES.get(status, grpc.StatusCode.UNKNOWN)
    asked_s = 0.0
    if status in (429, 503) and retry_after is not None and retry_after.isdecimal():
        asked_s = min(float(retry_after), _MAX_RETRY_AFTER_S)
    return Outcome(
        http_status=status,
        code=code,
        detail=_say(code, f"HTTP status code {status}"),
        retry_after_s=asked_s,
    )


def _say(code: grpc.StatusCode, what: str) -> str:
    number: Any = code.value[0]
    return f"{code.name}({number}): {what}"
