"""`/v1/spaces/{id}/invites` and `/v1/me/inbox`: offers of a role, and their answers."""

from collections.abc import Callable
from typing import Final

import flask

from spaces_contract.ids import UserId

from ..domain.capability import Capability
from ..domain.errors import (
    AlreadyOnStage,
    CannotInvite,
    CoHostsFull,
    HostOnly,
    IllegalTransition,
    InviteClosed,
    InviteNotFound,
    ListFull,
    ModeratorOnly,
    NotYours,
    ParticipantNotFound,
    ProfileRequired,
    RemovedFromSpace,
    SpaceError,
    SpaceNotFound,
    StageFull,
    UserNotFound,
)
from ..domain.invite import Invite
from ..service.invites import InviteService
from ..service.ports import Cursor
from ..service.stage_ports import Received
from . import page_tokens
from .errors import InvalidPageToken
from .operations import Access, Call, Operation
from .replies import empty_reply, json_reply, page
from .schemas import PageQuery, SpaceView
from .stage_schemas import (
    InboxView,
    InvitesBody,
    InvitesView,
    InviteView,
    MessageView,
    SentView,
)

PATH: Final = "/v1/spaces/{space_id}/invites"
SEND_ERRORS: Final = (
    SpaceNotFound,
    ProfileRequired,
    IllegalTransition,
    ModeratorOnly,
    HostOnly,
    UserNotFound,
    CannotInvite,
    AlreadyOnStage,
    ListFull,
)
ANSWER_ERRORS: Final = (
    SpaceNotFound,
    ParticipantNotFound,
    InviteNotFound,
    InviteClosed,
)


class InviteResource:
    """
    Handlers of one deployment, whose public URL is in what they answer.

    Args:
        count: Of each person whom somebody invites; it raises to refuse.
    """

    def __init__(
        self,
        invites: InviteService,
        public_url: str,
        count: Callable[[UserId, UserId], None],
    ) -> None:
        self._invites = invites
        self._public_url = public_url
        self._count = count

    def send(self, call: Call) -> flask.Response:
        """Invite people."""
        body = call.read(InvitesBody)
        invited = [UserId(uid) for uid in dict.fromkeys(body.user_ids)]
        for each in invited:
            self._count(call.actor_id, each)
        sent = self._invites.send(
            call.space_id,
            invited,
            body.role,
            actor_id=call.actor_id,
        )
        return json_reply(SentView(invites=[InviteView.of(each) for each in sent]))

    def accept(self, call: Call) -> flask.Response:
        """Take an offer."""
        invite = self._invites.accept(
            call.space_id, call.user_id, actor_id=call.actor_id
        )
        return json_reply(InviteView.of(invite))

    def decline(self, call: Call) -> flask.Response:
        """Turn an offer down."""
        invite = self._invites.decline(
            call.space_id, call.user_id, actor_id=call.actor_id
        )
        return json_reply(InviteView.of(invite))

    def revoke(self, call: Call) -> flask.Response:
        """Take an offer back."""
        self._invites.revoke(call.space_id, call.user_id, actor_id=call.actor_id)
        return empty_reply()

    def pending(self, call: Call) -> flask.Response:
        """Show a page of unanswered invites."""
        query = call.query(PageQuery)
        after = page_tokens.decode(query.page_token, of=page_tokens.INVITES)
        found = self._invites.pending(
            call.space_id,
            actor_id=call.actor_id,
            limit=query.page_size + 1,
            after=after,
        )
        invites, token = page(found, query.page_size, _cursor, of=page_tokens.INVITES)
        views = [InviteView.of(invite) for invite in invites]
        return json_reply(InvitesView(invites=views, next_page_token=token))

    def inbox(self, call: Call) -> flask.Response:
        """Show a page of the caller's messages."""
        query = call.query(PageQuery)
        after = page_tokens.decode(query.page_token, of=page_tokens.INBOX)
        found = self._invites.received(
            call.actor_id, limit=query.page_size + 1, after=after
        )
        received, token = page(
            found, query.page_size, _inbox_cursor, of=page_tokens.INBOX
        )
        messages = [self._message(each) for each in received]
        return json_reply(InboxView(messages=messages, next_page_token=token))

    def _message(self, received: Received) -> MessageView:
        invite = InviteView.of(received.invite)
        space = SpaceView.of(received.space, self._public_url)
        return MessageView(
            role=invite.role,
            state=self._invites.state_now(received),
            invited_by=invite.invited_by,
            space=space,
            url=space.url,
            created_at=invite.created_at,
            expires_at=invite.expires_at,
        )


def operations(
    invites: InviteService, public_url: str, count: Callable[[UserId, UserId], None]
) -> tuple[Operation, ...]:
    """Return the operations on invites."""
    resource = InviteResource(invites, public_url, count)
    return (
        Operation(
            id="send_invites",
            method="POST",
            path=PATH,
            summary="Invite to speak or co-host, all or nobody; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.send,
            body=InvitesBody,
            answer=SentView,
            errors=SEND_ERRORS,
        ),
        _answering(
            "accept",
            "Take the offer; in the live Space: on stage at once, muted",
            resource.accept,
            (RemovedFromSpace, StageFull, CoHostsFull),
        ),
        _answering("decline", "Turn the offer down", resource.decline, ()),
        Operation(
            id="revoke_invite",
            method="DELETE",
            path=f"{PATH}/{{user_id}}",
            summary="Take an offer back; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.revoke,
            status=204,
            errors=(*ANSWER_ERRORS, ModeratorOnly, HostOnly),
        ),
        *_reading(resource),
    )


def _reading(resource: InviteResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="list_invites",
            method="GET",
            path=PATH,
            summary="Unanswered invites, the oldest first (host, co-hosts)",
            access=Access.ID_TOKEN,
            handle=resource.pending,
            query=PageQuery,
            answer=InvitesView,
            errors=(SpaceNotFound, ModeratorOnly, InvalidPageToken),
        ),
        Operation(
            id="get_inbox",
            method="GET",
            path="/v1/me/inbox",
            summary="The caller's messages, the newest first",
            access=Access.ID_TOKEN,
            handle=resource.inbox,
            query=PageQuery,
            answer=InboxView,
            errors=(InvalidPageToken,),
        ),
    )


def _answering(
    name: str,
    summary: str,
    handle: Callable[[Call], flask.Response],
    errors: tuple[type[SpaceError], ...],
) -> Operation:
    return Operation(
        id=f"{name}_invite",
        needs=Capability.SPEAK if name == "accept" else None,
        method="POST",
        path=f"{PATH}/{{user_id}}/{name}",
        summary=summary,
        access=Access.ID_TOKEN,
        handle=handle,
        answer=InviteView,
        errors=(*ANSWER_ERRORS, NotYours, *errors),
    )


def _cursor(invite: Invite) -> Cursor:
    return Cursor(invite.created_at, invite.user_id)


def _inbox_cursor(received: Received) -> Cursor:
    return Cursor(received.invite.created_at, received.invite.space_id)
