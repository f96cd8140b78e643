"""A span for each request, in the trace that its `traceparent` names, or a new one."""

from typing import Final

import flask

from spaces_contract import trace_context
from spaces_contract.ids import SPACE_ID_PATTERN
from spaces_tracing import spans
from spaces_tracing.spans import Fact, SpanKind

from .request_method import OTHER, told_method

# They come for as long as a Space lives, and so would its trace: what they log, and the
# worker that they launch in place of a lost one, is part of it all the same.
UNTRACED: Final = frozenset({"/tasks/watchdog", "/tasks/sweep"})


def register(app: flask.Flask) -> None:
    """Trace each request; to be registered before what logs it."""

    @app.before_request
    def begin() -> None:
        request = flask.request
        caller = trace_context.parse(request.headers.get(trace_context.HEADER))
        if request.path in UNTRACED:
            trace_context.current.set(caller or trace_context.begun())
            return
        method = told_method(request.method)
        flask.g.span = spans.begin(
            _name(method),
            parent=caller,
            kind=SpanKind.SERVER,
            facts={Fact.METHOD: method},
        )
        trace_context.current.set(flask.g.span.context)

    @app.after_request
    def end(response: flask.Response) -> flask.Response:
        if "span" in flask.g:
            _end(flask.g.span, response)
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        trace_context.current.set(None)


def _name(method: str) -> str:
    # As OpenTelemetry's conventions have it.
    return "HTTP" if method == OTHER else method


def _end(span: spans.Span, response: flask.Response) -> None:
    request = flask.request
    facts: dict[Fact, str | int | bool] = {Fact.STATUS: response.status_code}
    # The shape, not the path: there may be anybody's id in it, or a token.
    route = flask.g.get("route") or getattr(request.url_rule, "rule", None)
    if route:
        span.name(f"{_name(told_method(request.method))} {route}")
        facts[Fact.ROUTE] = route
    if problem := flask.g.get("problem"):
        facts[Fact.PROBLEM] = problem
    about = {**(request.view_args or {}), **flask.g.get("task", {})}
    if SPACE_ID_PATTERN.fullmatch(about.get("space_id", "")):
        facts[Fact.SPACE_ID] = about["space_id"]
    if isinstance(about.get("epoch"), int):
        facts[Fact.EPOCH] = about["epoch"]
    span.tell(facts)
    span.end(error=str(response.status_code) if response.status_code >= 500 else None)
