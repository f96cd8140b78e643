"""Spans of what functions ask a worker for, in the trace of who asked the functions."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spaces_contract.trace_context import HEADER, parse, within
from spaces_tracing.spans import Fact, SpanKind, span

from ..room.ports import SessionRefused

Handler = Callable[[Request], Awaitable[Response]]


def traced(path: str, handler: Handler, method: str) -> Route:
    """Return a route whose requests are spans; their sessions' are parts of them."""

    async def answer(request: Request) -> Response:
        facts = {Fact.METHOD: method, Fact.ROUTE: path}
        with (
            within(parse(request.headers.get(HEADER))),
            span(f"{method} {path}", SpanKind.SERVER, facts) as answering,
        ):
            try:
                response = await handler(request)
            except SessionRefused as error:  # an answer like any other
                answering.tell({Fact.PROBLEM: error.code.value})
                refusal = error
            else:
                answering.tell({Fact.STATUS: response.status_code})
                return response
        raise refusal

    return Route(path, answer, methods=[method])
