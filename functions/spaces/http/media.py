"""WHIP (RFC 9725) and WHEP: SDP in, SDP out, and a URL to close it by."""

from collections.abc import Callable
from typing import Final

import flask

from spaces_contract.control import ControlError
from spaces_contract.ids import UserId
from spaces_contract.media import SDP_CONTENT_TYPE
from spaces_contract.roles import PeerKind

from ..domain.errors import NotLive, SpaceNotFound
from ..service.errors import (
    GrantExpired,
    GrantForbids,
    GrantForOtherSpace,
    StaleGrant,
    WorkerStarting,
    WorkerUnreachable,
)
from ..service.ice_servers import IceServers
from ..service.media import IceServer, MediaService
from .errors import RateLimited
from .operations import Access, Call, Operation
from .reactions import Limit
from .replies import empty_reply

OFFER_ERRORS: Final = (
    SpaceNotFound,
    NotLive,
    GrantExpired,
    GrantForOtherSpace,
    GrantForbids,
    StaleGrant,
    RateLimited,
    WorkerStarting,
    WorkerUnreachable,
)
NO_SESSION: Final = (ControlError.SESSION_NOT_FOUND, ControlError.SESSION_REPLACED)
HLS_REFUSALS: Final = (
    ControlError.HLS_STARTING,
    ControlError.HLS_UNAVAILABLE,
    ControlError.HLS_KEY_NOT_FOUND,
)
OFFER_REFUSALS: Final = tuple(
    code for code in ControlError if code not in (*NO_SESSION, *HLS_REFUSALS)
)
CLOSE_REFUSALS: Final = (*NO_SESSION, ControlError.INVALID_FORWARD)


class MediaResource:
    """Handlers of one deployment, whose URLs and ICE servers are in its answers."""

    def __init__(
        self,
        media: MediaService,
        public_url: str,
        ice_servers: IceServers,
        limit: Limit,
    ) -> None:
        self._media = media
        self._limit = limit
        self._public_url = public_url
        self._ice_servers = ice_servers

    def whip(self, call: Call) -> flask.Response:
        """Open a session in which the client sends."""
        return self._open(call, PeerKind.WHIP)

    def whep(self, call: Call) -> flask.Response:
        """Open a session in which the client receives."""
        return self._open(call, PeerKind.WHEP)

    def close(self, call: Call) -> flask.Response:
        """Close a session."""
        self._media.close(call.space_id, call.session_id, token=call.grant)
        return empty_reply()

    def _open(self, call: Call, kind: PeerKind) -> flask.Response:
        offer_sdp = call.sdp()
        grant = self._media.admit(call.space_id, kind, token=call.grant)
        self._limit(UserId(grant.user_id), grant.space_id)
        opened = self._media.open(grant, kind, offer_sdp)
        response = flask.Response(
            opened.answer_sdp, status=201, mimetype=SDP_CONTENT_TYPE
        )
        response.location = (
            f"{self._public_url}/v1/spaces/{call.space_id}/media/{opened.session_id}"
        )
        for server in self._ice_servers():
            for url in server.urls:
                response.headers.add("Link", _link(server, url))
        return response


def operations(
    media: MediaService, public_url: str, ice_servers: IceServers, limit: Limit
) -> tuple[Operation, ...]:
    """Return the operations; `limit` raises RateLimited for who opens too many."""
    resource = MediaResource(media, public_url, ice_servers, limit)
    return (
        _opening("whip", "Talk: offer to send audio", resource.whip),
        _opening("whep", "Listen: offer to receive audio", resource.whep),
        # No PATCH: RFC 9725 4.3 wants 405 from a server without trickle ICE and
        # ICE restart, which is what a method that is not there is answered with.
        Operation(
            id="close_session",
            method="DELETE",
            path="/v1/spaces/{space_id}/media/{session_id}",
            summary="Close a media session by the grant that opened it",
            access=Access.GRANT,
            handle=resource.close,
            status=204,
            errors=(SpaceNotFound, GrantForOtherSpace, WorkerUnreachable),
            refusals=CLOSE_REFUSALS,
        ),
    )


def _opening(
    name: str, summary: str, handle: Callable[[Call], flask.Response]
) -> Operation:
    return Operation(
        id=f"open_{name}",
        method="POST",
        path=f"/v1/spaces/{{space_id}}/{name}",
        summary=summary,
        access=Access.GRANT,
        handle=handle,
        status=201,
        sdp=True,
        creates=True,
        errors=OFFER_ERRORS,
        refusals=OFFER_REFUSALS,
    )


def _link(server: IceServer, url: str) -> str:
    """RFC 9725 4.6: one Link header for each ICE server."""
    link = f'<{url}>; rel="ice-server"'
    if server.username is not None and server.credential is not None:
        link += f'; username="{server.username}"; credential="{server.credential}"'
        link += '; credential-type="password"'
    return link
