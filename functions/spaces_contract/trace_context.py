"""Which trace a call is part of, as W3C's `traceparent` carries it between parts."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

HEADER: Final = "traceparent"
VARIABLE: Final = "TRACEPARENT"  # of a process, as OpenTelemetry has it
ANNOTATION: Final = "parley.dev/traceparent"  # of an allocated GameServer
# https://www.w3.org/TR/trace-context/#traceparent-header: a later version may append.
_FORM: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})"
    r"-([0-9a-f]{2})(-.*)?"
)
_SAMPLED: Final = 0x01
_MAX_CHARS: Final = 256


@dataclass(frozen=True, slots=True)
class TraceContext:
    """
    A place in a trace.

    Args:
        trace_id: 32 lower-case hexadecimal digits.
        span_id: 16 of them: what happens next is part of that span.
        sampled: Whether whoever passed it on records the trace.
    """

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def traceparent(self) -> str:
        """The value of the header."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


current: Final[ContextVar[TraceContext | None]] = ContextVar("trace", default=None)


def parse(header: str | None) -> TraceContext | None:
    """Return what a `traceparent` says; None where there is none, or it is wrong."""
    if not header or len(header) > _MAX_CHARS:
        return None
    match = _FORM.fullmatch(header.strip())
    if match is None or (match[1] == "00" and match[5]):
        return None
    return TraceContext(match[2], match[3], bool(int(match[4], 16) & _SAMPLED))


def begun() -> TraceContext:
    """Return the start of a trace that nobody records yet."""
    return TraceContext(secrets.token_hex(16), secrets.token_hex(8), sampled=False)


@contextmanager
def within(context: TraceContext | None) -> Iterator[None]:
    """Let a block be part of a trace; None leaves it where it is."""
    if context is None:
        yield
        return
    token = current.set(context)
    try:
        yield
    finally:
        current.reset(token)


def carried() -> dict[str, str]:
    """Return the headers that let whoever is called take part."""
    context = current.get()
    return {} if context is None else {HEADER: context.traceparent}


def log_facts(project_id: str | None) -> dict[str, str | bool]:
    """
    Return what a log line says of the trace at hand.

    Args:
        project_id: Google's project, whose log finds the trace by its full name.
    """
    context = current.get()
    if context is None:
        return {}
    facts: dict[str, str | bool] = {"trace_id": context.trace_id}
    if project_id:
        # https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
        name = f"projects/{project_id}/traces/{context.trace_id}"
        facts["logging.googleapis.com/trace"] = name
        facts["logging.googleapis.com/spanId"] = context.span_id
        facts["logging.googleapis.com/trace_sampled"] = context.sampled
    return facts
