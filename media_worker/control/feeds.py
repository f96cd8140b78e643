"""Routes of the control API that relays call (`spaces_contract.relays`)."""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spaces_contract.control import ControlError
from spaces_contract.media import SDP_CONTENT_TYPE
from spaces_contract.relays import RelayReport

from ..room.ports import SessionRefused
from .bodies import bounded_body, offer_of
from .forward_check import ForwardCheck


class Feeds(Protocol):
    """What the room does for its relays."""

    async def open_feed(self, offer_sdp: str, index: int) -> str:
        """Return the answer to a relay's offer."""
        ...

    def relay_reported(self, index: int, report: RelayReport) -> None:
        """Note how many hear a relay."""


class FeedApi:
    """Handlers for the relays of one worker."""

    def __init__(self, feeds: Feeds, check: ForwardCheck) -> None:
        self._feeds = feeds
        self._check = check

    def routes(self) -> list[Route]:
        """Return the routes, for `ControlApi`."""
        path = "/feeds/{index:int}"
        return [
            Route(path, self._open, methods=["POST"]),
            Route(path, self._report, methods=["PUT"]),
        ]

    async def _open(self, request: Request) -> Response:
        index = self._index(request)
        offer = offer_of(await bounded_body(request))
        answer = await self._feeds.open_feed(offer, index)
        return Response(answer, status_code=201, media_type=SDP_CONTENT_TYPE)

    async def _report(self, request: Request) -> Response:
        index = self._index(request)
        try:
            report = RelayReport.from_json(await bounded_body(request))
        except ValueError:
            raise SessionRefused(
                ControlError.INVALID_FORWARD, "it carries no report"
            ) from None
        self._feeds.relay_reported(index, report)
        return Response(status_code=204)

    def _index(self, request: Request) -> int:
        index: int = request.path_params["index"]
        self._check.check_feed(request.headers.get("authorization"), index)
        return index
