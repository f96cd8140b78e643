"""The two WSGI applications: the API of clients, and that of the task queue."""

from collections.abc import Sequence

import flask

from ..service.announcing import AnnouncingService
from ..service.ports import IdTokens, TaskTokens
from ..service.recording_tasks import RecordingTasks
from ..service.schedule import ScheduleTasks
from ..service.upkeep import UpkeepService
from . import (
    cors,
    openapi,
    operations,
    problems,
    recording_tasks,
    request_log,
    tasks,
)
from .docs import operation as docs_operation
from .operations import MAX_BODY_BYTES, Guard, Operation
from .tasks import TaskRoute


def api_app(
    documented: Sequence[Operation],
    *,
    id_tokens: IdTokens,
    cors_origins: frozenset[str],
    public_url: str,
    guards: Sequence[Guard] = (),
) -> flask.Flask:
    """
    Return the API of clients: `documented`, and the document of it in two forms.

    Args:
        guards: See each call first, and may refuse it.
    """
    app = _app("parley-api")
    served = (
        *documented,
        openapi.operation(documented, public_url),
        docs_operation(documented, public_url),
    )
    operations.register(app, served, id_tokens.verify, guards)
    cors.register(app, cors_origins)
    return app


def tasks_app(
    upkeep: UpkeepService,
    schedule: ScheduleTasks,
    announcing: AnnouncingService,
    recordings: RecordingTasks,
    tokens: TaskTokens,
    others: Sequence[TaskRoute] = (),
) -> flask.Flask:
    """Return the API of the task queue; `others` are what the rest of it asks for."""
    app = _app("parley-tasks")
    routes = tasks.blueprint(upkeep, schedule, announcing, tokens, others)
    recording_tasks.add_routes(routes, recordings)
    app.register_blueprint(routes)
    return app


def _app(name: str) -> flask.Flask:
    app = flask.Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.strict_slashes = False
    problems.register(app)
    request_log.register(app)
    return app
