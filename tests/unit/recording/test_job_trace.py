"""A render's job is part of the trace of who asked for it."""

import logging
from collections.abc import Iterator

import pytest

from media_worker.recording.__main__ import ExitCode, main
from spaces_contract.trace_context import TraceContext, within
from tests.tracing import remembered_spans

CALLER = TraceContext("a" * 32, "b" * 16, sampled=True)
ID = "1nKxoPQrsTUvw-1"


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Give the root logger's handlers back, which a job replaces."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    ("command", "number", "name"),
    [("render", "--version", "render recording"), ("clip", "--clip", "make clip")],
)
def test_a_job_is_a_span_of_the_trace_that_launched_it(
    command: str, number: str, name: str
) -> None:
    """
    It says nothing of the recording; this one fails for want of any store.
    """
    arguments = [command, "--recording", ID, number, "1"]

    with remembered_spans() as traced, within(CALLER):
        code = main(arguments, {"TRACEPARENT": CALLER.traceparent})

    (span,) = traced.spans
    assert code is ExitCode.WRONG
    assert (span.title, span.parent, span.facts) == (name, CALLER, {})
    assert span.ends == 1
