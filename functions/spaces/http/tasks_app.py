"""The WSGI application of the task queue; clients' instances never load it."""

from collections.abc import Sequence

import flask

from ..service.announcing import AnnouncingService
from ..service.recording_tasks import RecordingTasks
from ..service.schedule import ScheduleTasks
from ..service.token_ports import TaskTokens
from ..service.upkeep import UpkeepService
from . import (
    recording_tasks,
    tasks,
)
from .app import base_app
from .tasks import TaskRoute


def tasks_app(
    upkeep: UpkeepService,
    schedule: ScheduleTasks,
    announcing: AnnouncingService,
    recordings: RecordingTasks,
    tokens: TaskTokens,
    others: Sequence[TaskRoute] = (),
) -> flask.Flask:
    """Return the API of the task queue; `others` are what the rest of it asks for."""
    app = base_app("parley-tasks")
    routes = tasks.blueprint(upkeep, schedule, announcing, tokens, others)
    recording_tasks.add_routes(routes, recordings)
    app.register_blueprint(routes)
    return app
