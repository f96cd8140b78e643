"""`PATCH` and `DELETE /v1/spaces/{id}`, and reports: what follows on a Space."""

from typing import Final

import flask

from spaces_contract.ids import UserId

from ..domain.errors import (
    HostOnly,
    IllegalTransition,
    ModeratorOnly,
    NotScheduled,
    ScheduleOutOfRange,
    SpaceNotFound,
    StaleRevision,
)
from ..domain.space_edit import SpaceEdit
from ..service.editing import EditingService, ReportService
from .operations import Access, Call, Operation
from .replies import empty_reply, json_reply
from .schemas import SpaceView
from .stage_schemas import ReportBody, ReportView, SpacePatch

PATH: Final = "/v1/spaces/{space_id}"
EDIT_ERRORS: Final = (
    SpaceNotFound,
    ModeratorOnly,
    HostOnly,
    IllegalTransition,
    NotScheduled,
    ScheduleOutOfRange,
    StaleRevision,
)


class EditingResource:
    """Handlers of one deployment, whose public URL is in what they answer."""

    def __init__(
        self, editing: EditingService, reports: ReportService, public_url: str
    ) -> None:
        self._editing = editing
        self._reports = reports
        self._public_url = public_url

    def edit(self, call: Call) -> flask.Response:
        """Change a Space."""
        body = call.read(SpacePatch)
        named = body.model_fields_set
        change = SpaceEdit(
            title=body.title or "" if "title" in named else None,
            topics=tuple(body.topics or ()) if "topics" in named else None,
            lang=body.lang or "" if "lang" in named else None,
            speaker_policy=body.speaker_policy,
            scheduled_start=body.scheduled_start,
        )
        edited = self._editing.edit(
            call.space_id, change, actor_id=call.actor_id, revision=call.if_match()
        )
        view = SpaceView.of(edited, self._public_url)
        return json_reply(view, revision=edited.revision)

    def cancel(self, call: Call) -> flask.Response:
        """Call a Space off."""
        self._editing.cancel(
            call.space_id, actor_id=call.actor_id, revision=call.if_match()
        )
        return empty_reply()

    def report(self, call: Call) -> flask.Response:
        """Complain."""
        body = call.read(ReportBody)
        report = self._reports.report(
            call.space_id,
            actor_id=call.actor_id,
            user_id=UserId(body.user_id) if body.user_id else None,
            reason=body.reason,
            comment=body.comment,
            key=call.idempotency_key(),
        )
        return json_reply(ReportView.of(report), 201)


def operations(
    editing: EditingService, reports: ReportService, public_url: str
) -> tuple[Operation, ...]:
    """Return the operations on a Space that exists."""
    resource = EditingResource(editing, reports, public_url)
    return (
        Operation(
            id="edit_space",
            method="PATCH",
            path=PATH,
            summary="Change its title, topics, language, speaker policy or time",
            access=Access.ID_TOKEN,
            handle=resource.edit,
            body=SpacePatch,
            answer=SpaceView,
            if_match=True,
            errors=EDIT_ERRORS,
        ),
        Operation(
            id="cancel_space",
            method="DELETE",
            path=PATH,
            summary="Call off a Space that has not started; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.cancel,
            status=204,
            if_match=True,
            errors=(SpaceNotFound, HostOnly, IllegalTransition, StaleRevision),
        ),
        Operation(
            id="report_space",
            method="POST",
            path=f"{PATH}/reports",
            summary="Report a Space, or somebody in it, to the operators",
            access=Access.ID_TOKEN,
            handle=resource.report,
            status=201,
            body=ReportBody,
            answer=ReportView,
            idempotency_key=True,
            errors=(SpaceNotFound,),
        ),
    )
