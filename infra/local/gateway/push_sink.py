"""FCM v1's HTTP face: takes messages, refuses what FCM refuses, delivers to a table."""

import datetime as dt
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from .push_messages import DEVICE_KINDS, InvalidMessage, Target, check_message
from .push_store import PushStore

_ERROR_TYPE: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_MAX_BODY_BYTES: Final = 64 * 1024

# A token that starts like this is answered as FCM answers one that went bad.
_FAILING: Final = {
    "unregistered": (
        HTTPStatus.NOT_FOUND,
        "NOT_FOUND",
        "UNREGISTERED",
        "Requested entity was not found.",
    ),
    "quota": (
        HTTPStatus.TOO_MANY_REQUESTS,
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "Quota exceeded for sending messages to this device.",
    ),
    "unavailable": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        "UNAVAILABLE",
        "The service is currently unavailable.",
    ),
}


class PushSink:
    """
    `POST …/v1/projects/{project}/messages:send`.

    Args:
        now: Aware UTC time.
    """

    def __init__(
        self,
        store: PushStore,
        *,
        project_id: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._store = store
        self._project_id = project_id
        self._now = now

    async def send(self, request: web.Request) -> web.Response:
        """Take one message; answer as FCM does."""
        body = await request.content.read(_MAX_BODY_BYTES + 1)
        try:
            message, validate_only = _parse(body)
            target = check_message(message)
        except InvalidMessage as error:
            return _error(
                HTTPStatus.BAD_REQUEST,
                "INVALID_ARGUMENT",
                "INVALID_ARGUMENT",
                str(error),
            )
        if request.match_info["project"] != self._project_id:
            return _error(
                HTTPStatus.FORBIDDEN,
                "PERMISSION_DENIED",
                "SENDER_ID_MISMATCH",
                "SenderId mismatch",
            )
        failing = _failure_of(target)
        if failing is not None:
            return _error(*failing)
        if validate_only:
            return self._accepted("fake_message_id")
        number = self._store.add(
            message,
            kind=target.kind,
            target=target.value,
            received_at=self._now().isoformat(),
        )
        return self._accepted(str(number))

    def _accepted(self, message_id: str) -> web.Response:
        name = f"projects/{self._project_id}/messages/{message_id}"
        return web.json_response({"name": name})


def _parse(body: bytes) -> tuple[dict[str, Any], bool]:
    if len(body) > _MAX_BODY_BYTES:
        raise InvalidMessage("Request payload size exceeds the limit")
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise InvalidMessage("Invalid JSON payload received.") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("message"), dict):
        raise InvalidMessage("The message is not set.")
    unknown = parsed.keys() - {"message", "validate_only", "validateOnly"}
    if unknown:
        raise InvalidMessage(f"Unknown name {min(unknown)!r}: Cannot find field.")
    validate_only = parsed.get("validate_only", parsed.get("validateOnly", False))
    return parsed["message"], validate_only is True


def _failure_of(target: Target) -> tuple[HTTPStatus, str, str, str] | None:
    if target.kind not in DEVICE_KINDS:
        return None
    return next(
        (how for start, how in _FAILING.items() if target.value.startswith(start)), None
    )


def _error(
    status: HTTPStatus, rpc_status: str, fcm_code: str, detail: str
) -> web.Response:
    error = {
        "code": status.value,
        "message": detail,
        "status": rpc_status,
        "details": [{"@type": _ERROR_TYPE, "errorCode": fcm_code}],
    }
    return web.json_response({"error": error}, status=status)
