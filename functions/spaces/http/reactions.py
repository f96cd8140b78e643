"""`POST /v1/spaces/{id}/reactions`: applause that everybody sees, and nobody keeps."""

from collections.abc import Callable
from typing import Literal

import flask

from spaces_contract.control import ControlError
from spaces_contract.ids import UserId

from ..domain.errors import NotLive, SpaceNotFound
from ..service.errors import (
    GrantForOtherSpace,
    StaleGrant,
    WorkerStarting,
    WorkerUnreachable,
)
from ..service.reactions import ReactionService
from .errors import RateLimited
from .operations import Access, Call, Operation
from .replies import empty_reply
from .schemas import Request

# As in `spaces_contract.reactions.EMOJIS`, spelled out for the API's document.
Emoji = Literal["💜", "😂", "😮", "😢", "👏", "🔥", "💯", "👋"]
Limit = Callable[[UserId, str], None]


class ReactionBody(Request):
    """One reaction."""

    emoji: Emoji


class ReactionResource:
    """Handlers of people who react, each of them not too often."""

    def __init__(self, reactions: ReactionService, limit: Limit) -> None:
        self._reactions = reactions
        self._limit = limit

    def react(self, call: Call) -> flask.Response:
        """React."""
        body = call.read(ReactionBody)
        grant = self._reactions.admit(call.space_id, call.grant)
        self._limit(UserId(grant.user_id), grant.space_id)
        self._reactions.react(grant, body.emoji)
        return empty_reply()


def operations(reactions: ReactionService, limit: Limit) -> tuple[Operation, ...]:
    """Return the operation; `limit` raises RateLimited for who reacts too often."""
    return (
        Operation(
            id="react",
            method="POST",
            path="/v1/spaces/{space_id}/reactions",
            summary="React, by the grant of a join; room.json has the totals",
            access=Access.GRANT,
            handle=ReactionResource(reactions, limit).react,
            body=ReactionBody,
            status=204,
            errors=(
                SpaceNotFound,
                NotLive,
                GrantForOtherSpace,
                StaleGrant,
                RateLimited,
                WorkerStarting,
                WorkerUnreachable,
            ),
            refusals=(ControlError.WORKER_STOPPING, ControlError.INVALID_FORWARD),
        ),
    )
