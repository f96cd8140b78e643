"""Cloud Functions entry points.  Everything else lives in the `spaces` package."""

import functools
import os

import flask
import functions_framework
from werkzeug.wrappers import Response

from spaces.bootstrap import build_api, build_tasks

# Built on the first request, once per instance: importing this needs nothing.
api_app = functools.cache(lambda: build_api(os.environ))
tasks_app = functools.cache(lambda: build_tasks(os.environ))


@functions_framework.http
def api(request: flask.Request) -> Response:
    """Serve clients."""
    return Response.from_app(api_app(), request.environ)


@functions_framework.http
def tasks(request: flask.Request) -> Response:
    """Serve the task queue."""
    return Response.from_app(tasks_app(), request.environ)
