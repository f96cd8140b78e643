"""Cloud Functions entry points.  Everything else lives in the `spaces` package."""

import functools
import gc
import os

import flask
import functions_framework
from werkzeug.wrappers import Response

gc.disable()  # what is imported stays: to look for garbage is a tenth of a cold start
from spaces.bootstrap import build_api  # noqa: E402 - after gc.disable()

gc.freeze()
gc.enable()

# Built on the first request, once per instance: importing this needs nothing.
api_app = functools.cache(lambda: build_api(os.environ))


@functools.cache
def tasks_app() -> flask.Flask:
    """Return the task queue's application, of which clients' instances load nothing."""
    from spaces.task_bootstrap import build_tasks

    return build_tasks(os.environ)


@functions_framework.http
def api(request: flask.Request) -> Response:
    """Serve clients."""
    return Response.from_app(api_app(), request.environ)


@functions_framework.http
def tasks(request: flask.Request) -> Response:
    """Serve the task queue."""
    return Response.from_app(tasks_app(), request.environ)
