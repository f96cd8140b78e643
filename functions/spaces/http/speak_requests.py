"""`/v1/spaces/{id}/speak-requests`: raising a hand, and what hosts make of it."""

from collections.abc import Callable
from typing import Final

import flask

from ..domain.capability import Capability
from ..domain.errors import (
    AlreadyOnStage,
    ModeratorOnly,
    NotInSpace,
    NotLive,
    NotYours,
    ParticipantNotFound,
    RemovedFromSpace,
    RequestClosed,
    SpaceError,
    SpaceNotFound,
    StageFull,
)
from ..domain.participant import Participant
from ..service.ports import Cursor
from ..service.stage import StageService
from . import page_tokens
from .errors import InvalidPageToken
from .operations import Access, Call, Operation
from .replies import empty_reply, json_reply, page
from .schemas import PageQuery
from .stage_schemas import SpeakRequestsView, SpeakRequestView

PATH: Final = "/v1/spaces/{space_id}/speak-requests"
ANSWER_ERRORS: Final = (
    SpaceNotFound,
    NotLive,
    ModeratorOnly,
    ParticipantNotFound,
    RequestClosed,
)


class SpeakRequestResource:
    """Handlers of one deployment, whose public URL is in what they answer."""

    def __init__(self, stage: StageService, public_url: str) -> None:
        self._stage = stage
        self._public_url = public_url

    def ask(self, call: Call) -> flask.Response:
        """Raise a hand."""
        member = self._stage.ask(call.space_id, actor_id=call.actor_id)
        path = PATH.format(space_id=call.space_id)
        location = f"{self._public_url}{path}/{member.user_id}"
        return json_reply(SpeakRequestView.of(member), 201, location=location)

    def accept(self, call: Call) -> flask.Response:
        """Bring them on stage."""
        member = self._stage.accept(call.space_id, call.user_id, actor_id=call.actor_id)
        return json_reply(SpeakRequestView.of(member))

    def decline(self, call: Call) -> flask.Response:
        """Turn them down."""
        member = self._stage.decline(
            call.space_id, call.user_id, actor_id=call.actor_id
        )
        return json_reply(SpeakRequestView.of(member))

    def withdraw(self, call: Call) -> flask.Response:
        """Take one's hand down."""
        self._stage.withdraw(call.space_id, call.user_id, actor_id=call.actor_id)
        return empty_reply()

    def asking(self, call: Call) -> flask.Response:
        """Show a page of pending requests."""
        query = call.query(PageQuery)
        after = page_tokens.decode(query.page_token, of=page_tokens.SPEAK_REQUESTS)
        found = self._stage.asking(
            call.space_id,
            actor_id=call.actor_id,
            limit=query.page_size + 1,
            after=after,
        )
        members, token = page(
            found, query.page_size, _cursor, of=page_tokens.SPEAK_REQUESTS
        )
        views = [SpeakRequestView.of(member) for member in members]
        return json_reply(
            SpeakRequestsView(speak_requests=views, next_page_token=token)
        )

    def mute_all(self, call: Call) -> flask.Response:
        """Close all speakers' microphones."""
        self._stage.mute_all(call.space_id, actor_id=call.actor_id)
        return empty_reply()


def operations(stage: StageService, public_url: str) -> tuple[Operation, ...]:
    """Return the operations on requests to speak, and muting all."""
    resource = SpeakRequestResource(stage, public_url)
    return (
        Operation(
            id="ask_to_speak",
            needs=Capability.SPEAK,
            method="POST",
            path=PATH,
            summary="Ask to speak; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.ask,
            status=201,
            answer=SpeakRequestView,
            creates=True,
            errors=(
                SpaceNotFound,
                NotLive,
                RemovedFromSpace,
                NotInSpace,
                AlreadyOnStage,
            ),
        ),
        Operation(
            id="list_speak_requests",
            method="GET",
            path=PATH,
            summary="Who asks to speak, who asked first first (host, co-hosts)",
            access=Access.ID_TOKEN,
            handle=resource.asking,
            query=PageQuery,
            answer=SpeakRequestsView,
            errors=(SpaceNotFound, NotLive, ModeratorOnly, InvalidPageToken),
        ),
        _answering("accept", "Bring them on stage, muted", resource.accept, StageFull),
        _answering("decline", "Turn them down", resource.decline),
        *_closing(resource),
    )


def _closing(resource: SpeakRequestResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="withdraw_speak_request",
            method="DELETE",
            path=f"{PATH}/{{user_id}}",
            summary="Take one's own hand down; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.withdraw,
            status=204,
            errors=(SpaceNotFound, ParticipantNotFound, NotYours, RequestClosed),
        ),
        Operation(
            id="mute_all",
            method="POST",
            path="/v1/spaces/{space_id}/mute-all",
            summary="Mute all speakers; hosts keep their microphones",
            access=Access.ID_TOKEN,
            handle=resource.mute_all,
            status=204,
            errors=(SpaceNotFound, NotLive, ModeratorOnly),
        ),
    )


def _answering(
    name: str,
    summary: str,
    handle: Callable[[Call], flask.Response],
    *errors: type[SpaceError],
) -> Operation:
    return Operation(
        id=f"{name}_speak_request",
        method="POST",
        path=f"{PATH}/{{user_id}}/{name}",
        summary=summary,
        access=Access.ID_TOKEN,
        handle=handle,
        answer=SpeakRequestView,
        errors=(*ANSWER_ERRORS, *errors),
    )


def _cursor(member: Participant) -> Cursor:
    return Cursor(member.requested_at or member.joined_at, member.user_id)
