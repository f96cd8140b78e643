"""Routes of listening by HLS (`spaces_contract.hls`)."""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spaces_contract.control import ControlError
from spaces_contract.hls import FETCH_KEY, LISTEN
from spaces_contract.ids import UserId

from ..room.ports import SessionRefused
from .forward_check import ForwardCheck

KEY_TYPE = "application/octet-stream"
MAX_DIGITS = 12


class Hls(Protocol):
    """What HLS does for the control API."""

    async def listen(self, user_id: UserId) -> None:
        """Count a listener; return once there is something to play."""
        ...

    def key_for(self, user_id: UserId, number: int) -> bytes:
        """Count a listener; return a key."""
        ...


class HlsApi:
    """Handlers of `/hls/…`; all that they refuse is a `SessionRefused`."""

    def __init__(self, hls: Hls, check: ForwardCheck) -> None:
        self._hls = hls
        self._check = check

    def routes(self) -> list[Route]:
        """Return the routes, for the control API's application."""
        return [
            Route("/hls/listeners", self._listen, methods=["POST"]),
            Route("/hls/keys/{number}", self._key, methods=["GET"]),
        ]

    async def _listen(self, request: Request) -> Response:
        forward = self._check.check(
            request.headers.get("authorization"), method=LISTEN, body=b""
        )
        await self._hls.listen(UserId(forward.user_id))
        return Response(status_code=204)

    async def _key(self, request: Request) -> Response:
        number: str = request.path_params["number"]
        forward = self._check.check(
            request.headers.get("authorization"),
            method=FETCH_KEY,
            body=b"",
            session_id=number,
        )
        if not number.isascii() or not number.isdecimal() or len(number) > MAX_DIGITS:
            raise SessionRefused(ControlError.HLS_KEY_NOT_FOUND, "no key's number")
        key = self._hls.key_for(UserId(forward.user_id), int(number))
        return Response(key, media_type=KEY_TYPE, headers={"Cache-Control": "no-store"})
