"""Errors as RFC 9457 problems: the only place where they meet HTTP statuses."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import flask
from werkzeug.exceptions import HTTPException

from spaces_contract.control import CONTROL_STATUS

from ..domain import errors as domain
from ..domain import recording_errors as recording
from ..domain.errors import SpaceError
from ..service import errors as service
from . import errors as edge

PROBLEM_BASE: Final = "https://parley.dev/problems/"
PROBLEM_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1

STATUS: Final[Mapping[type[SpaceError], HTTPStatus]] = MappingProxyType(
    {
        edge.MalformedJson: HTTPStatus.BAD_REQUEST,
        edge.InvalidPageToken: HTTPStatus.BAD_REQUEST,
        edge.InvalidHeader: HTTPStatus.BAD_REQUEST,
        edge.InvalidField: HTTPStatus.UNPROCESSABLE_ENTITY,
        edge.UnknownField: HTTPStatus.UNPROCESSABLE_ENTITY,
        edge.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        edge.AppCheckRequired: HTTPStatus.UNAUTHORIZED,
        edge.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
        edge.NotConfigured: HTTPStatus.NOT_FOUND,
        edge.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        service.IdTokenMissing: HTTPStatus.UNAUTHORIZED,
        service.IdTokenInvalid: HTTPStatus.UNAUTHORIZED,
        service.IdTokenExpired: HTTPStatus.UNAUTHORIZED,
        service.GrantMissing: HTTPStatus.UNAUTHORIZED,
        service.GrantInvalid: HTTPStatus.UNAUTHORIZED,
        service.GrantExpired: HTTPStatus.UNAUTHORIZED,
        service.ListenTokenMissing: HTTPStatus.UNAUTHORIZED,
        service.ListenTokenInvalid: HTTPStatus.UNAUTHORIZED,
        service.ListenTokenExpired: HTTPStatus.UNAUTHORIZED,
        service.TaskTokenInvalid: HTTPStatus.UNAUTHORIZED,
        service.OperatorKeyInvalid: HTTPStatus.UNAUTHORIZED,
        service.GrantForOtherSpace: HTTPStatus.FORBIDDEN,
        service.GrantForbids: HTTPStatus.FORBIDDEN,
        service.StaleGrant: HTTPStatus.CONFLICT,
        service.WorkerStarting: HTTPStatus.SERVICE_UNAVAILABLE,
        service.WorkerUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
        service.NoCapacity: HTTPStatus.SERVICE_UNAVAILABLE,
        domain.SpaceNotFound: HTTPStatus.NOT_FOUND,
        domain.ProfileNotFound: HTTPStatus.NOT_FOUND,
        domain.ParticipantNotFound: HTTPStatus.NOT_FOUND,
        domain.UserNotFound: HTTPStatus.NOT_FOUND,
        domain.InviteNotFound: HTTPStatus.NOT_FOUND,
        domain.DeviceNotFound: HTTPStatus.NOT_FOUND,
        domain.HostOnly: HTTPStatus.FORBIDDEN,
        domain.ModeratorOnly: HTTPStatus.FORBIDDEN,
        domain.HostStays: HTTPStatus.FORBIDDEN,
        domain.CannotUnmuteAnother: HTTPStatus.FORBIDDEN,
        domain.BlockedByHost: HTTPStatus.FORBIDDEN,
        domain.RemovedFromSpace: HTTPStatus.FORBIDDEN,
        domain.ProtectedAccount: HTTPStatus.FORBIDDEN,
        domain.NotYours: HTTPStatus.FORBIDDEN,
        domain.CannotInvite: HTTPStatus.FORBIDDEN,
        domain.CannotFollow: HTTPStatus.FORBIDDEN,
        domain.UpdateRequired: HTTPStatus.FORBIDDEN,
        domain.NotInSpace: HTTPStatus.CONFLICT,
        domain.NotYourself: HTTPStatus.CONFLICT,
        domain.AlreadyOnStage: HTTPStatus.CONFLICT,
        domain.RequestClosed: HTTPStatus.CONFLICT,
        domain.InviteClosed: HTTPStatus.CONFLICT,
        domain.ListFull: HTTPStatus.CONFLICT,
        domain.IllegalTransition: HTTPStatus.CONFLICT,
        domain.NotLive: HTTPStatus.CONFLICT,
        domain.StageFull: HTTPStatus.CONFLICT,
        domain.CoHostsFull: HTTPStatus.CONFLICT,
        domain.TargetNotOnStage: HTTPStatus.CONFLICT,
        domain.ProfileRequired: HTTPStatus.CONFLICT,
        domain.HandleTaken: HTTPStatus.CONFLICT,
        domain.NotScheduled: HTTPStatus.CONFLICT,
        domain.ScheduleOutOfRange: HTTPStatus.UNPROCESSABLE_ENTITY,
        domain.ErasureRunning: HTTPStatus.CONFLICT,
        domain.ReportClosed: HTTPStatus.CONFLICT,
        domain.TooManyLive: HTTPStatus.CONFLICT,
        domain.ReportNotFound: HTTPStatus.NOT_FOUND,
        domain.AccountSuspended: HTTPStatus.FORBIDDEN,
        domain.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
        domain.StaleRevision: HTTPStatus.PRECONDITION_FAILED,
        recording.RecordingNotFound: HTTPStatus.NOT_FOUND,
        recording.ConsentNotFound: HTTPStatus.NOT_FOUND,
        recording.ClipNotFound: HTTPStatus.NOT_FOUND,
        recording.RecordingPrivate: HTTPStatus.FORBIDDEN,
        recording.NotInRecording: HTTPStatus.FORBIDDEN,
        recording.WrongRecordingState: HTTPStatus.CONFLICT,
        recording.RecordingClosed: HTTPStatus.CONFLICT,
        recording.RecordingNotReady: HTTPStatus.CONFLICT,
        recording.NotAsked: HTTPStatus.CONFLICT,
        recording.NoticeOutdated: HTTPStatus.CONFLICT,
        recording.RecordingNoticeRequired: HTTPStatus.CONFLICT,
        recording.AnsweredTooOften: HTTPStatus.CONFLICT,
        recording.ClipNotConsented: HTTPStatus.CONFLICT,
        recording.NothingToClip: HTTPStatus.CONFLICT,
        recording.ClipNotReady: HTTPStatus.CONFLICT,
        domain.Contended: HTTPStatus.SERVICE_UNAVAILABLE,
        domain.DependencyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


def status_of(error: SpaceError) -> HTTPStatus:
    """Return the status; a worker's refusal has that of its reason."""
    if isinstance(error, service.WorkerRefused):
        return HTTPStatus(CONTROL_STATUS[error.reason])
    return STATUS[type(error)]


def problem(
    status: HTTPStatus, code: str, detail: str, members: Mapping[str, Any] | None = None
) -> flask.Response:
    """Return a problem whose `type` ends in `code`."""
    body = {
        **(members or {}),
        "type": PROBLEM_BASE + code,
        "title": code.replace("-", " ").capitalize(),
        "status": status.value,
        "detail": detail,
        "instance": flask.request.path,
    }
    response = flask.jsonify(body)
    response.status_code = status
    response.content_type = PROBLEM_TYPE
    response.headers["Cache-Control"] = "no-store"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    flask.g.problem = code
    return response


def register(app: flask.Flask) -> None:
    """Let no error leave `app` in any other form."""
    logger = logging.getLogger(__name__)

    @app.errorhandler(SpaceError)
    def on_space_error(error: SpaceError) -> flask.Response:
        if isinstance(error, domain.DependencyUnavailable):
            logger.error("dependency unavailable", exc_info=error)
        response = problem(status_of(error), error.code, str(error), error.members)
        if isinstance(error, edge.RateLimited):
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response

    @app.errorhandler(HTTPException)  # Flask's own 404, 405, 413 …
    def on_http_error(error: HTTPException) -> flask.Response:
        status = HTTPStatus(error.code or 500)
        code = status.phrase.lower().replace(" ", "-")
        response = problem(status, code, error.description or status.description)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)  # the edge of a request: nothing may pass
    def on_any_error(error: Exception) -> flask.Response:
        logger.error("request failed", exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return problem(status, "internal-error", "Something went wrong on our side.")
