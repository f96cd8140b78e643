"""Routes of the control API (`spaces_contract.control`)."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spaces_contract.control import CONTROL_STATUS, SESSION_ID_HEADER, ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.media import SDP_CONTENT_TYPE
from spaces_contract.reactions import REACT, Reaction, from_body
from spaces_contract.roles import PeerKind

from ..room.ports import SessionRefused
from .bodies import bounded_body, offer_of
from .forward_check import ForwardCheck
from .request_trace import traced

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sessions(Protocol):
    """How a room's sessions begin and end."""

    async def open(
        self, offer_sdp: str, *, user_id: UserId, kind: PeerKind, grant_id: str
    ) -> tuple[SessionId, str]:
        """Open a session; return its id and the SDP answer."""
        ...

    async def leave(
        self, session_id: SessionId, *, user_id: UserId, grant_id: str
    ) -> None:
        """Close a session of this user and grant."""
        ...


class ControlApi:
    """
    Handlers of one worker's control API.

    Args:
        react: Shows reactions to everybody.
        ready: Whether sessions can be opened just now.
        metrics: Renders the Prometheus text.
        others: Routes beside those of sessions, with checks of their own.
    """

    def __init__(
        self,
        sessions: Sessions,
        check: ForwardCheck,
        *,
        react: Callable[[Iterable[Reaction]], None],
        ready: Callable[[], bool],
        metrics: Callable[[], Awaitable[str]],
        others: Sequence[Route] = (),
    ) -> None:
        self._sessions = sessions
        self._check = check
        self._show = react
        self._ready = ready
        self._metrics = metrics
        self._others = others

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                traced("/sessions", self._open, "POST"),
                traced("/sessions/{session_id}", self._close, "DELETE"),
                traced("/reactions", self._react, "POST"),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/readyz", self._readiness, methods=["GET"]),
                Route("/metrics", self._scrape, methods=["GET"]),
                *self._others,
            ],
            exception_handlers={SessionRefused: _refused},
        )

    async def _open(self, request: Request) -> Response:
        body = await bounded_body(request)
        forward = self._check.check(
            request.headers.get("authorization"), method="POST", body=body
        )
        if forward.kind is None:
            raise SessionRefused(ControlError.INVALID_FORWARD, "no kind of session")
        session_id, answer = await self._sessions.open(
            offer_of(body),
            user_id=UserId(forward.user_id),
            kind=forward.kind,
            grant_id=forward.grant_id,
        )
        return Response(
            answer,
            status_code=201,
            media_type=SDP_CONTENT_TYPE,
            headers={SESSION_ID_HEADER: session_id},
        )

    async def _close(self, request: Request) -> Response:
        session_id = SessionId(request.path_params["session_id"])
        forward = self._check.check(
            request.headers.get("authorization"),
            method="DELETE",
            body=await bounded_body(request),
            session_id=session_id,
        )
        await self._sessions.leave(
            session_id, user_id=UserId(forward.user_id), grant_id=forward.grant_id
        )
        return Response(status_code=204)

    async def _react(self, request: Request) -> Response:
        body = await bounded_body(request)
        self._check.check(request.headers.get("authorization"), method=REACT, body=body)
        try:
            self._show(from_body(body))
        except ValueError:
            raise SessionRefused(
                ControlError.INVALID_FORWARD, "it carries no reactions"
            ) from None
        return Response(status_code=204)

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def _readiness(self, _: Request) -> Response:
        if self._ready():
            return PlainTextResponse("ready")
        return PlainTextResponse("not ready", status_code=503)

    async def _scrape(self, _: Request) -> Response:
        return Response(await self._metrics(), media_type=METRICS_TYPE)


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, SessionRefused):
        raise error
    return JSONResponse(
        {"code": error.code, "detail": error.detail},
        status_code=CONTROL_STATUS[error.code],
    )
