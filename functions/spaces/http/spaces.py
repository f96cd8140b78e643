"""`/v1/spaces`: opening, showing, starting and ending Spaces."""

from typing import Final

import flask

from ..domain.capability import Capability
from ..domain.errors import (
    HostOnly,
    IdempotencyKeyReused,
    IllegalTransition,
    ListFull,
    ProfileRequired,
    ProtectedAccount,
    ScheduleOutOfRange,
    SpaceNotFound,
    TooManyLive,
)
from ..domain.space import Space, SpaceDraft
from ..service.spaces import IdempotencyKey, SpaceService
from .operations import Access, Call, Operation
from .replies import json_reply
from .schemas import SpaceBody, SpaceView

CREATE_ERRORS: Final = (
    ProfileRequired,
    ProtectedAccount,
    IdempotencyKeyReused,
    ScheduleOutOfRange,
    ListFull,
)
END_ERRORS: Final = (SpaceNotFound, HostOnly, IllegalTransition)


class SpaceResource:
    """Handlers of one deployment, whose public URL is in what they answer."""

    def __init__(self, spaces: SpaceService, public_url: str) -> None:
        self._spaces = spaces
        self._public_url = public_url

    def create(self, call: Call) -> flask.Response:
        """Open a Space."""
        body = call.read(SpaceBody)
        draft = SpaceDraft(
            title=body.title or None,
            topics=tuple(body.topics),
            lang=body.lang,
            speaker_policy=body.speaker_policy,
            scheduled_start=body.scheduled_start,
        )
        created = self._spaces.create(
            draft, actor_id=call.actor_id, key=_idempotency_key(call, body)
        )
        location = f"{self._public_url}/v1/spaces/{created.id}"
        return self._reply(created, 201, location)

    def get(self, call: Call) -> flask.Response:
        """Show a Space."""
        return self._reply(self._spaces.get(call.space_id))

    def start(self, call: Call) -> flask.Response:
        """Go live."""
        return self._reply(self._spaces.start(call.space_id, actor_id=call.actor_id))

    def end(self, call: Call) -> flask.Response:
        """End."""
        return self._reply(self._spaces.end(call.space_id, actor_id=call.actor_id))

    def _reply(
        self, space: Space, status: int = 200, location: str | None = None
    ) -> flask.Response:
        view = SpaceView.of(space, self._public_url)
        return json_reply(view, status, revision=space.revision, location=location)


def operations(spaces: SpaceService, public_url: str) -> tuple[Operation, ...]:
    """Return the operations on Spaces."""
    resource = SpaceResource(spaces, public_url)
    return (*_hosting(resource), *_finding(resource))


def _hosting(resource: SpaceResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="create_space",
            needs=Capability.HOST,
            method="POST",
            path="/v1/spaces",
            summary="Open a Space, not started yet, or schedule one",
            access=Access.ID_TOKEN,
            handle=resource.create,
            status=201,
            body=SpaceBody,
            answer=SpaceView,
            creates=True,
            idempotency_key=True,
            errors=CREATE_ERRORS,
        ),
        Operation(
            id="start_space",
            needs=Capability.HOST,
            method="POST",
            path="/v1/spaces/{space_id}/start",
            summary="Go live; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.start,
            answer=SpaceView,
            errors=(*END_ERRORS, ProfileRequired, ProtectedAccount, TooManyLive),
        ),
        Operation(
            id="end_space",
            method="POST",
            path="/v1/spaces/{space_id}/end",
            summary="End a live Space; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.end,
            answer=SpaceView,
            errors=END_ERRORS,
        ),
    )


def _finding(resource: SpaceResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="get_space",
            method="GET",
            path="/v1/spaces/{space_id}",
            summary="A Space",
            access=Access.PUBLIC,
            handle=resource.get,
            answer=SpaceView,
            errors=(SpaceNotFound,),
        ),
    )


def _idempotency_key(call: Call, body: SpaceBody) -> IdempotencyKey | None:
    key = call.idempotency_key()
    if key is None:
        return None
    # The body as it was understood: a space more is not another request.
    return IdempotencyKey(key=key, body=body.model_dump_json().encode())
