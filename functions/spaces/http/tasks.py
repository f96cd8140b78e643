"""`/tasks`: what the task queue calls, and nobody else."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

import flask
import pydantic
from pydantic import BaseModel, ConfigDict, Strict

from spaces_contract.ids import SpaceId, UserId

from ..domain.announcement import Announcement, AnnouncementKind
from ..domain.effects import ShutOut
from ..domain.errors import SpaceNotFound
from ..domain.webhook import Event
from ..service.announcing import AnnouncingService
from ..service.erasure import ErasureService
from ..service.errors import TaskTokenInvalid
from ..service.live_edge import LiveEdgeService
from ..service.ports import LaunchRefused
from ..service.schedule import ScheduleTasks
from ..service.shutting_out import ShuttingOut
from ..service.token_ports import TaskTokens
from ..service.upkeep import UpkeepService
from ..service.webhooks import WebhookService
from .operations import bearer_token

logger = logging.getLogger(__name__)


class TaskBody(BaseModel):
    """Bodies are ours; a field more is of a newer version and does no harm."""

    model_config = ConfigDict(strict=True)


class EpochTask(TaskBody):
    """About one epoch of one Space."""

    space_id: str
    epoch: int


class SpaceTask(TaskBody):
    """About one Space."""

    space_id: str


class ScheduleTask(SpaceTask):
    """About one version of a Space's schedule."""

    version: int


class StepTask(ScheduleTask):
    """About one step towards a Space's time."""

    step: str


class PageTask(ScheduleTask):
    """About one page of the people who are told something."""

    kind: Annotated[AnnouncementKind, Strict(False)]
    page: int
    user_id: str | None = None


class EraseTask(TaskBody):
    """About the erasure of one account."""

    user_id: str
    version: int
    n: int


class ShutOutTask(EraseTask):
    """About the removal of one person."""

    at: Annotated[datetime, Strict(False)]
    last: bool
    after: Annotated[tuple[datetime, str], Strict(False)] | None

    def effect(self) -> ShutOut:
        """Return what is to be carried on."""
        after = (self.after[0], SpaceId(self.after[1])) if self.after else None
        return ShutOut(
            UserId(self.user_id), self.version, self.n, self.at, self.last, after
        )


class EventTask(SpaceTask):
    """About one event."""

    event: str
    version: int
    at: Annotated[datetime, Strict(False)]

    def told(self) -> Event:
        """Return the event."""
        return Event(SpaceId(self.space_id), self.event, self.version, self.at)


class DeliveryTask(EventTask):
    """About one event and one endpoint."""

    endpoint: str


B = TypeVar("B", bound=TaskBody)


@dataclass(frozen=True, slots=True)
class TaskRoute:
    """What the queue may ask for beside what every deployment does."""

    name: str
    carry_out: Callable[[], flask.Response]


def task_route(name: str, model: type[B], run: Callable[[B], None]) -> TaskRoute:
    """Return the route `/tasks/{name}`, whose body is a `model`."""
    return TaskRoute(name, lambda: carried_out(name, model, run))


def webhook_routes(webhooks: WebhookService) -> tuple[TaskRoute, ...]:
    """Return the routes by which operators' servers are told."""
    return (
        task_route("tell-webhooks", EventTask, lambda body: webhooks.tell(body.told())),
        task_route(
            "deliver-webhook",
            DeliveryTask,
            lambda body: webhooks.deliver(body.told(), body.endpoint),
        ),
    )


def live_edge_route(live_edge: LiveEdgeService) -> TaskRoute:
    """Return the route by which Spaces that are over leave the live edge."""

    def run(body: SpaceTask) -> None:
        live_edge.sweep(SpaceId(body.space_id))

    return task_route("live-edge-sweep", SpaceTask, run)


def erasure_route(erasure: ErasureService) -> TaskRoute:
    """Return the route by which accounts are erased."""

    def run(body: EraseTask) -> None:
        erasure.carry_on(UserId(body.user_id), body.version, body.n)

    return task_route("erase-account", EraseTask, run)


def shut_out_route(shutting_out: ShuttingOut) -> TaskRoute:
    """Return the route by which suspended people are removed."""

    def run(body: ShutOutTask) -> None:
        shutting_out.carry_on(body.effect())

    return task_route("shut-out", ShutOutTask, run)


def blueprint(
    upkeep: UpkeepService,
    schedule: ScheduleTasks,
    announcing: AnnouncingService,
    tokens: TaskTokens,
    others: Sequence[TaskRoute] = (),
) -> flask.Blueprint:
    """
    Return the routes of the task queue.

    What cannot succeed is logged and answered 204, or the queue would try for ever;
    what may succeed later is a 5xx, and the queue tries again.
    """
    routes = flask.Blueprint("tasks", __name__, url_prefix="/tasks")

    @routes.before_request
    def only_the_queue() -> None:
        token = bearer_token(flask.request.headers.get("Authorization", ""))
        if token is None:
            raise TaskTokenInvalid
        tokens.verify(token)

    @routes.post("/launch")
    def launch() -> flask.Response:
        def run(body: EpochTask) -> None:
            upkeep.launch(SpaceId(body.space_id), body.epoch)

        return carried_out("launch", EpochTask, run)

    @routes.post("/watchdog")
    def watchdog() -> flask.Response:
        def run(body: EpochTask) -> None:
            upkeep.check(SpaceId(body.space_id), body.epoch)

        return carried_out("watchdog", EpochTask, run)

    @routes.post("/sweep")
    def sweep() -> flask.Response:
        return carried_out("sweep", TaskBody, lambda _: upkeep.sweep())

    _schedule_routes(routes, schedule)
    _announcing_routes(routes, announcing)
    for other in others:
        path = f"/{other.name}"
        routes.add_url_rule(path, other.name, other.carry_out, methods=["POST"])
    return routes


def _schedule_routes(routes: flask.Blueprint, schedule: ScheduleTasks) -> None:
    @routes.post("/schedule-step")
    def step() -> flask.Response:
        def run(body: StepTask) -> None:
            schedule.step(SpaceId(body.space_id), body.version, body.step)

        return carried_out("schedule-step", StepTask, run)

    @routes.post("/announce-schedule")
    def changed() -> flask.Response:
        def run(body: ScheduleTask) -> None:
            schedule.changed(SpaceId(body.space_id), body.version)

        return carried_out("announce-schedule", ScheduleTask, run)

    @routes.post("/count-subscribers")
    def count() -> flask.Response:
        def run(body: SpaceTask) -> None:
            schedule.count(SpaceId(body.space_id))

        return carried_out("count-subscribers", SpaceTask, run)


def _announcing_routes(routes: flask.Blueprint, announcing: AnnouncingService) -> None:
    @routes.post("/tell-page")
    def tell() -> flask.Response:
        def run(body: PageTask) -> None:
            to = None if body.user_id is None else UserId(body.user_id)
            announcing.tell(
                Announcement(SpaceId(body.space_id), body.kind, body.version, to),
                body.page,
            )

        return carried_out("tell-page", PageTask, run)


def carried_out(name: str, model: type[B], run: Callable[[B], None]) -> flask.Response:
    """Run a task on its body; answer 204 where it is done, or never can be."""
    try:
        body = model.model_validate_json(flask.request.get_data())
        flask.g.task = body.model_dump()
        run(body)
    except (pydantic.ValidationError, SpaceNotFound, LaunchRefused) as error:
        logger.error("task failed for good", extra={"task": name}, exc_info=error)
    return flask.Response(status=204)
