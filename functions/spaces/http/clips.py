"""`/v1/recordings/{id}/clips`: a minute of a recording, to be shared by itself."""

import re
from typing import Final

import flask

from ..domain.clipping import ClipWish
from ..domain.errors import BlockedByHost, ListFull, SpaceNotFound
from ..domain.recording_errors import (
    ClipNotConsented,
    ClipNotFound,
    ClipNotReady,
    NothingToClip,
    NotInRecording,
    RecordingNotFound,
    RecordingNotReady,
    RecordingPrivate,
)
from ..service.clips import ClipService
from .clip_schemas import ClipBody, ClipPlaybackView, ClipsView, ClipView
from .operations import Access, Call, Operation
from .recordings import ONE, recording_id
from .replies import empty_reply, json_reply

ALL: Final = f"{ONE}/clips"
CLIP: Final = f"{ALL}/{{clip_id}}"
CLIP_ID_PATTERN: Final = re.compile(r"[1-9][0-9]{0,8}")
HEARING_ERRORS: Final = (
    SpaceNotFound,
    RecordingNotFound,
    RecordingPrivate,
    RecordingNotReady,
    BlockedByHost,
)


class ClipResource:
    """Handlers of whoever shares clips, or hears them."""

    def __init__(self, clips: ClipService) -> None:
        self._clips = clips

    def make(self, call: Call) -> flask.Response:
        """Have a clip made."""
        body = call.read(ClipBody)
        space_id = recording_id(call)
        wish = ClipWish(
            version=body.version,
            start_ms=body.start_ms,
            duration_ms=body.duration_ms,
            title=body.title or None,
        )
        view = ClipView.of(self._clips.make(space_id, wish, actor_id=call.actor_id))
        place = CLIP.format(recording_id=space_id, clip_id=view.id)
        return json_reply(view, 201, location=place)

    def all(self, call: Call) -> flask.Response:
        """Show all clips."""
        found = self._clips.all(recording_id(call), actor_id=call.actor_id)
        return json_reply(ClipsView(clips=[ClipView.of(each) for each in found]))

    def playback(self, call: Call) -> flask.Response:
        """Let somebody hear a clip for a quarter of an hour."""
        found = self._clips.playback(
            recording_id(call), _number(call), actor_id=call.actor_id
        )
        reply = json_reply(ClipPlaybackView.of(found))
        reply.headers["Cache-Control"] = "no-store"
        return reply

    def delete(self, call: Call) -> flask.Response:
        """Delete a clip."""
        self._clips.delete(recording_id(call), _number(call), actor_id=call.actor_id)
        return empty_reply()


def operations(clips: ClipService) -> tuple[Operation, ...]:
    """Return the operations on clips."""
    resource = ClipResource(clips)
    return (
        Operation(
            id="make_clip",
            method="POST",
            path=ALL,
            summary="Make a clip, where all who are heard agreed to clips",
            access=Access.ID_TOKEN,
            handle=resource.make,
            status=201,
            creates=True,
            body=ClipBody,
            answer=ClipView,
            errors=(
                SpaceNotFound,
                RecordingNotFound,
                RecordingNotReady,
                NotInRecording,
                NothingToClip,
                ClipNotConsented,
                ListFull,
            ),
        ),
        Operation(
            id="list_clips",
            method="GET",
            path=ALL,
            summary="The clips of a recording",
            access=Access.ID_TOKEN,
            handle=resource.all,
            answer=ClipsView,
            errors=HEARING_ERRORS,
        ),
        Operation(
            id="delete_clip",
            method="DELETE",
            path=CLIP,
            summary="Delete a clip: hosts, and whoever made it",
            access=Access.ID_TOKEN,
            handle=resource.delete,
            status=204,
            errors=(SpaceNotFound, RecordingNotFound, NotInRecording, ClipNotFound),
        ),
        Operation(
            id="get_clip_playback",
            method="GET",
            path=f"{CLIP}/playback",
            summary="A URL to hear a clip by, good for 15 minutes",
            access=Access.ID_TOKEN,
            handle=resource.playback,
            answer=ClipPlaybackView,
            errors=(*HEARING_ERRORS, ClipNotFound, ClipNotReady),
        ),
    )


def _number(call: Call) -> int:
    clip_id = call.params["clip_id"]
    if not CLIP_ID_PATTERN.fullmatch(clip_id):
        raise ClipNotFound
    return int(clip_id)
