"""The supervisor's private HTTP API: the process launcher's other end."""

import hmac
import json
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .refusals import StartRefused
from .workloads import WorkloadKey, WorkloadRefused, Workloads

_WORKLOADS = web.AppKey("workloads", Workloads)


def launcher_app(workloads: Workloads, token: str) -> web.Application:
    """
    Return the application; every call needs `token` as its bearer.

        POST   /workloads {"kind": "room", "key": "<space id>", "epoch": 3, "index": 0}
                                         -> 201, or 200 where it was launched before
        GET    /workloads                -> {"workloads": [...]}
        DELETE /workloads/{ref}          -> 204
    """
    app = web.Application(middlewares=[_authorised(token)], client_max_size=4096)
    app[_WORKLOADS] = workloads
    app.router.add_post("/workloads", _launch)
    app.router.add_get("/workloads", _list)
    app.router.add_delete("/workloads/{ref}", _terminate)
    return app


def _authorised(token: str) -> Middleware:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return _problem(HTTPStatus.UNAUTHORIZED, "the launcher's token is needed")
        return await handler(request)

    return check


async def _launch(request: web.Request) -> web.Response:
    try:
        key = WorkloadKey.parse(json.loads(await request.read()))
    except (ValueError, WorkloadRefused) as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    try:
        workload, new = await request.app[_WORKLOADS].launch(
            key, traceparent=request.headers.get("traceparent")
        )
    except (OSError, StartRefused, WorkloadRefused) as error:
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return web.json_response(workload.to_json(), status=status)


async def _list(request: web.Request) -> web.Response:
    workloads = request.app[_WORKLOADS].list()
    return web.json_response({"workloads": [w.to_json() for w in workloads]})


async def _terminate(request: web.Request) -> web.Response:
    await request.app[_WORKLOADS].terminate(request.match_info["ref"])
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _problem(status: HTTPStatus, detail: str) -> web.Response:
    return web.json_response(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status,
            "detail": detail,
        },
        status=status,
        content_type="application/problem+json",
    )
