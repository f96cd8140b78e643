"""Hearing by HLS: listen tokens, each listener's own playlist, and the keys."""

import re
from typing import Annotated, Final

import flask
from pydantic import Field

from spaces_contract.control import ControlError
from spaces_contract.grants import LISTEN_LIFETIME_S
from spaces_contract.hls import KEY_PERIOD_S, KEYS_COOKIE, PLAYLIST_TYPE
from spaces_contract.ids import SpaceId, UserId

from ..domain.capability import Capability
from ..domain.errors import NotLive, SpaceNotFound
from ..domain.participant import JoinWish
from ..service.errors import WorkerRefused, WorkerStarting, WorkerUnreachable
from ..service.listening import ListeningService
from ..service.membership import MembershipService
from .errors import RateLimited
from .hls_urls import HlsUrls
from .languages import lang_of
from .membership import JOIN_ERRORS
from .operations import Access, Call, Operation
from .reactions import Limit
from .replies import json_reply
from .schemas import GIVEN, Answer, Instant, Request

# The only cookie that Firebase Hosting lets through.
COOKIE: Final = "__session"
KEY_TYPE: Final = "application/octet-stream"
NUMBER_PATTERN: Final = re.compile(r"[0-9]{1,9}")
LISTENING_REFUSALS: Final = (
    ControlError.REMOVED,
    ControlError.STALE_EPOCH,
    ControlError.WORKER_STOPPING,
    ControlError.INVALID_FORWARD,
)


class ListenTokenBody(Request):
    """How to listen."""

    anonymous: bool = False
    recording_notice: str | None = Field(
        default=None,
        max_length=64,
        description="Version of the notice that was shown, where it is recorded",
    )


class ListenTokenView(Answer):
    """A listen token, and the playlist that it opens."""

    token: str
    expires_at: Instant
    hls_url: str
    key_period_s: int


class ListenQuery(Request):
    """The listen token; players that send the cookie instead need none."""

    t: Annotated[str | None, *GIVEN] = Field(default=None, max_length=4096)


class ListeningResource:
    """Handlers of people who hear by HLS."""

    def __init__(
        self,
        membership: MembershipService,
        listening: ListeningService,
        urls: HlsUrls,
        limit: Limit,
    ) -> None:
        self._membership = membership
        self._listening = listening
        self._urls = urls
        self._limit = limit

    def token(self, call: Call) -> flask.Response:
        """Hand out a token, in the answer and as a cookie."""
        body = call.read(ListenTokenBody)
        wish = JoinWish(
            anonymous=body.anonymous,
            shown_notice=body.recording_notice,
            lang=lang_of(call.request),
        )
        space_id = call.space_id
        listener = self._membership.admit(space_id, wish, actor_id=call.actor_id)
        given = self._listening.pass_for(
            space_id, listener.id, anonymous=listener.anonymous
        )
        response = json_reply(
            ListenTokenView(
                token=given.token,
                expires_at=given.expires_at,
                hls_url=self._urls.listen(space_id, given.token),
                key_period_s=KEY_PERIOD_S,
            )
        )
        response.set_cookie(
            COOKIE,
            given.token,
            max_age=LISTEN_LIFETIME_S,
            path=f"/v1/spaces/{space_id}/",
            secure=self._urls.secure,
            httponly=True,
            samesite="Lax",
        )
        self._let_into_keys(response, space_id)
        response.cache_control.no_store = True
        return response

    def playlist(self, call: Call) -> flask.Response:
        """Announce the listener; answer their own playlist."""
        space_id = call.space_id
        token, raw = self._listening.admit(space_id, _tokens(call))
        self._limit(UserId(token.listener_id), space_id)
        place = self._listening.announce(token)
        response = flask.Response(
            self._urls.playlist(space_id, raw, place), content_type=PLAYLIST_TYPE
        )
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def key(self, call: Call) -> flask.Response:
        """Answer a key."""
        space_id = call.space_id
        token, _ = self._listening.admit(space_id, _tokens(call))
        epoch, number = (call.params[name] for name in ("epoch", "number"))
        if not NUMBER_PATTERN.fullmatch(epoch) or not NUMBER_PATTERN.fullmatch(number):
            raise WorkerRefused(ControlError.HLS_KEY_NOT_FOUND, "There is no such key.")
        self._limit(UserId(token.listener_id), space_id)
        response = flask.Response(
            self._listening.key(token, int(epoch), int(number)), content_type=KEY_TYPE
        )
        # What a client fetched ahead is then there when its player asks for it.
        response.headers["Cache-Control"] = f"private, max-age={KEY_PERIOD_S}"
        return response

    def _let_into_keys(self, response: flask.Response, space_id: SpaceId) -> None:
        """Renew what a CDN asks for, where it is reached by the API's own name."""
        place = self._listening.key_place(space_id)
        path = None if place is None else self._urls.cookie_path(place)
        if place is None or path is None:
            return
        response.set_cookie(
            KEYS_COOKIE,
            place.cookie,
            max_age=place.lifetime,
            path=path,
            secure=self._urls.secure,
            httponly=True,
            samesite="Lax",
        )


def operations(
    membership: MembershipService,
    listening: ListeningService,
    urls: HlsUrls,
    limit: Limit,
) -> tuple[Operation, ...]:
    """Return the operations; `limit` raises RateLimited for who asks too often."""
    resource = ListeningResource(membership, listening, urls, limit)
    return (
        Operation(
            id="create_listen_token",
            needs=Capability.LISTEN,
            method="POST",
            path="/v1/spaces/{space_id}/listen-token",
            summary="Get a listen token for HLS, also as a cookie; repeat to renew it",
            access=Access.ID_TOKEN,
            handle=resource.token,
            body=ListenTokenBody,
            body_required=False,
            answer=ListenTokenView,
            errors=JOIN_ERRORS,
        ),
        Operation(
            id="get_listen_playlist",
            method="GET",
            path="/v1/spaces/{space_id}/listen.m3u8",
            summary="A listener's own HLS playlist, once there is something to hear",
            access=Access.LISTEN_TOKEN,
            handle=resource.playlist,
            query=ListenQuery,
            page=PLAYLIST_TYPE,
            errors=(
                SpaceNotFound,
                NotLive,
                RateLimited,
                WorkerStarting,
                WorkerUnreachable,
            ),
            refusals=(
                *LISTENING_REFUSALS,
                ControlError.HLS_STARTING,
                ControlError.HLS_UNAVAILABLE,
            ),
        ),
        Operation(
            id="get_hls_key",
            method="GET",
            path="/v1/spaces/{space_id}/keys/{epoch}/{number}",
            summary="One key of a Space's HLS",
            access=Access.LISTEN_TOKEN,
            handle=resource.key,
            query=ListenQuery,
            page=KEY_TYPE,
            errors=(SpaceNotFound, RateLimited, WorkerStarting, WorkerUnreachable),
            refusals=(*LISTENING_REFUSALS, ControlError.HLS_KEY_NOT_FOUND),
        ),
    )


def _tokens(call: Call) -> list[str]:
    shown = (call.query(ListenQuery).t, call.request.cookies.get(COOKIE))
    return [token for token in shown if token]
