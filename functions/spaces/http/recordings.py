"""`/v1/spaces/{id}/recording` and `/v1/recordings`: requesting, playing, deleting."""

from typing import Final

import flask

from spaces_contract.ids import SPACE_ID_PATTERN, SpaceId

from ..domain.capability import Capability
from ..domain.errors import BlockedByHost, ModeratorOnly, NotLive, SpaceNotFound
from ..domain.recording_errors import (
    RecordingClosed,
    RecordingNotFound,
    RecordingNotReady,
    RecordingPrivate,
    WrongRecordingState,
)
from ..service.recordings import RecordingService
from .operations import Access, Call, Operation
from .recording_schemas import (
    PlaybackView,
    RecordingBody,
    RecordingEditBody,
    RecordingsQuery,
    RecordingsView,
    RecordingView,
)
from .replies import empty_reply, json_reply

OF_SPACE: Final = "/v1/spaces/{space_id}/recording"
ALL: Final = "/v1/recordings"
ONE: Final = f"{ALL}/{{recording_id}}"
KEPT_ERRORS: Final = (
    SpaceNotFound,
    RecordingNotFound,
    ModeratorOnly,
    WrongRecordingState,
)


def recording_id(call: Call) -> SpaceId:
    """Return the id in the path, which is a Space's; raises RecordingNotFound."""
    if not SPACE_ID_PATTERN.fullmatch(call.params["recording_id"]):
        raise RecordingNotFound
    return SpaceId(call.params["recording_id"])


class RecordingResource:
    """Handlers of hosts, and of whoever listens afterwards."""

    def __init__(self, recordings: RecordingService) -> None:
        self._recordings = recordings

    def get(self, call: Call) -> flask.Response:
        """Show how the recording of a Space is."""
        seen = self._recordings.get(call.space_id, actor_id=call.actor_id)
        return json_reply(RecordingView.of(seen))

    def put(self, call: Call) -> flask.Response:
        """Request, pause, resume or stop."""
        body = call.read(RecordingBody)
        seen = self._recordings.set(
            call.space_id,
            requested=body.requested,
            paused=body.paused,
            actor_id=call.actor_id,
        )
        return json_reply(RecordingView.of(seen))

    def list_of_space(self, call: Call) -> flask.Response:
        """Show the recordings of a Space: none or one."""
        query = call.query(RecordingsQuery)
        if not SPACE_ID_PATTERN.fullmatch(query.space_id):
            raise SpaceNotFound
        seen = self._recordings.get(SpaceId(query.space_id), actor_id=call.actor_id)
        found = [RecordingView.of(seen)] if seen.recording else []
        return json_reply(RecordingsView(recordings=found))

    def get_one(self, call: Call) -> flask.Response:
        """Show one."""
        seen = self._recordings.get(recording_id(call), actor_id=call.actor_id)
        if seen.recording is None:
            raise RecordingNotFound
        return json_reply(RecordingView.of(seen))

    def edit(self, call: Call) -> flask.Response:
        """Make it private, or cut its start."""
        body = call.read(RecordingEditBody)
        seen = self._recordings.edit(
            recording_id(call),
            private=body.private,
            trim_start_ms=body.trim_start_ms,
            actor_id=call.actor_id,
        )
        return json_reply(RecordingView.of(seen))

    def delete(self, call: Call) -> flask.Response:
        """Delete all of it."""
        self._recordings.delete(recording_id(call), actor_id=call.actor_id)
        return empty_reply()

    def playback(self, call: Call) -> flask.Response:
        """Let somebody listen for a quarter of an hour."""
        found = self._recordings.playback(recording_id(call), actor_id=call.actor_id)
        reply = json_reply(PlaybackView.of(found))
        reply.headers["Cache-Control"] = "no-store"
        return reply


def operations(recordings: RecordingService) -> tuple[Operation, ...]:
    """Return the operations on recordings."""
    resource = RecordingResource(recordings)
    return (*_of_a_space(resource), *_of_what_is_kept(resource))


def _of_a_space(resource: RecordingResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="get_space_recording",
            method="GET",
            path=OF_SPACE,
            summary="How a Space's recording is; to hosts, how many have agreed",
            access=Access.ID_TOKEN,
            handle=resource.get,
            answer=RecordingView,
            errors=(SpaceNotFound,),
        ),
        Operation(
            id="put_space_recording",
            needs=Capability.RECORD,
            method="PUT",
            path=OF_SPACE,
            summary="Request, pause, resume or stop; a request is nobody's consent",
            access=Access.ID_TOKEN,
            handle=resource.put,
            body=RecordingBody,
            answer=RecordingView,
            errors=(*KEPT_ERRORS, NotLive, RecordingClosed),
        ),
        Operation(
            id="list_recordings",
            method="GET",
            path=ALL,
            summary="The recordings of a Space: none or one",
            access=Access.ID_TOKEN,
            handle=resource.list_of_space,
            query=RecordingsQuery,
            answer=RecordingsView,
            errors=(SpaceNotFound,),
        ),
    )


def _of_what_is_kept(resource: RecordingResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="get_recording",
            method="GET",
            path=ONE,
            summary="A recording",
            access=Access.ID_TOKEN,
            handle=resource.get_one,
            answer=RecordingView,
            errors=(SpaceNotFound, RecordingNotFound),
        ),
        Operation(
            id="edit_recording",
            method="PATCH",
            path=ONE,
            summary="Make it private or public, or cut its start",
            access=Access.ID_TOKEN,
            handle=resource.edit,
            body=RecordingEditBody,
            answer=RecordingView,
            errors=KEPT_ERRORS,
        ),
        Operation(
            id="delete_recording",
            method="DELETE",
            path=ONE,
            summary="Delete keys, voices and all that was made of them",
            access=Access.ID_TOKEN,
            handle=resource.delete,
            status=204,
            errors=KEPT_ERRORS,
        ),
        Operation(
            id="get_playback",
            method="GET",
            path=f"{ONE}/playback",
            summary="URLs to listen by, good for 15 minutes",
            access=Access.ID_TOKEN,
            handle=resource.playback,
            answer=PlaybackView,
            errors=(
                SpaceNotFound,
                RecordingNotFound,
                RecordingPrivate,
                RecordingNotReady,
                BlockedByHost,
            ),
        ),
    )
