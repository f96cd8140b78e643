"""`/v1/spaces/{id}/reminder`: a person's wish to be told when a Space is live."""

import flask

from ..domain.errors import NotScheduled, SpaceNotFound
from ..service.schedule import ReminderService
from .operations import Access, Call, Operation
from .replies import empty_reply


class ReminderResource:
    """Handlers of one deployment."""

    def __init__(self, reminders: ReminderService) -> None:
        self._reminders = reminders

    def subscribe(self, call: Call) -> flask.Response:
        """Remember the wish."""
        self._reminders.subscribe(call.space_id, actor_id=call.actor_id)
        return empty_reply()

    def unsubscribe(self, call: Call) -> flask.Response:
        """Forget the wish."""
        self._reminders.unsubscribe(call.space_id, actor_id=call.actor_id)
        return empty_reply()


def operations(reminders: ReminderService) -> tuple[Operation, ...]:
    """Return the operations on one's own reminder."""
    resource = ReminderResource(reminders)
    path = "/v1/spaces/{space_id}/reminder"
    return (
        Operation(
            id="subscribe",
            method="PUT",
            path=path,
            summary="Be told when a scheduled Space is live, moved or cancelled",
            access=Access.ID_TOKEN,
            handle=resource.subscribe,
            status=204,
            errors=(SpaceNotFound, NotScheduled),
        ),
        Operation(
            id="unsubscribe",
            method="DELETE",
            path=path,
            summary="Do not be told; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.unsubscribe,
            status=204,
            errors=(SpaceNotFound,),
        ),
    )
