"""
Spans as the code of all parts makes them, whoever records them.

The libraries of OpenTelemetry are loaded where a collector is configured, and nowhere
else; without one a span costs nothing, and the trace is carried on all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum, StrEnum
from typing import Final, Protocol

from spaces_contract.trace_context import TraceContext, begun, current

# The standard's own variables; what else there is, the exporter reads by itself.
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
CLOSE_PATIENCE_S: Final = 1.0


class SpanKind(Enum):
    """Which side of a call a span is, in OpenTelemetry's words."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"


class Fact(StrEnum):
    """
    All that a span may say: nobody's id, name, address, token or words.

    The names are OpenTelemetry's where it has one.
    """

    METHOD = "http.request.method"
    ROUTE = "http.route"  # the shape of the path, never the path
    STATUS = "http.response.status_code"
    PROBLEM = "parley.problem"
    SPACE_ID = "parley.space_id"
    EPOCH = "parley.epoch"
    TASK = "parley.task"  # what kind of task it is; names of tasks may hold uids
    WORKLOAD = "parley.workload"
    SESSION_KIND = "parley.session_kind"
    ATTEMPTS = "parley.attempts"
    WARM = "parley.warm"  # whether the process was there before its Space
    REASON = "parley.close_reason"
    ERROR = "error.type"


Facts = Mapping[Fact, str | int | bool]


class Span(Protocol):
    """What is going on, until `end`."""

    @property
    def context(self) -> TraceContext:
        """What its parts have as their parent."""
        ...

    def name(self, name: str) -> None:
        """Call it otherwise."""

    def tell(self, facts: Facts) -> None:
        """Say more about it."""

    def end(self, *, error: str | None = None, at_ns: int | None = None) -> None:
        """
        End it; the first end counts.

        Args:
            error: What kind of error ended it.
            at_ns: When, in ns since 1970; None is now.
        """


class Tracer(Protocol):
    """Who records spans."""

    def begin(
        self,
        name: str,
        *,
        parent: TraceContext | None,
        kind: SpanKind,
        facts: Facts,
        at_ns: int | None,
        links: Sequence[TraceContext],
    ) -> Span:
        """Begin a span, now or at `at_ns`; without a parent it begins a trace."""
        ...

    def close(self, patience_s: float) -> None:
        """Hand over what was recorded, and wait for that no longer than this."""


class _Unrecorded:
    """A span that nobody records: what is part of it is part of what it is part of."""

    __slots__ = ("context",)

    def __init__(self, context: TraceContext) -> None:
        self.context = context

    def name(self, name: str) -> None:
        """Nothing is kept."""

    def tell(self, facts: Facts) -> None:
        """Nothing is kept."""

    def end(self, *, error: str | None = None, at_ns: int | None = None) -> None:
        """Nothing is kept."""


# One for a process, as for its log: what is traced, everybody must reach.
_tracer: Tracer | None = None


def install(env: Mapping[str, str], service: str) -> None:
    """
    Record spans from now on, where the environment names a collector.

    Args:
        service: What this process is called, unless `OTEL_SERVICE_NAME` says.
    """
    global _tracer
    if _tracer is not None or not is_wanted(env):
        return
    from .otlp import OtlpTracer

    _tracer = OtlpTracer(service, env)


def is_wanted(env: Mapping[str, str]) -> bool:
    """Whether the environment names a collector, and does not switch tracing off."""
    off = env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = env.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return not off and not none and any(env.get(name) for name in ENDPOINTS)


def is_recording() -> bool:
    """Whether anybody records spans, so that it pays to look closely."""
    return _tracer is not None


def uninstall(patience_s: float = CLOSE_PATIENCE_S) -> None:
    """Hand over what was recorded, and record no more; harmless where nobody did."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.close(patience_s)


def begin(
    name: str,
    *,
    parent: TraceContext | None,
    kind: SpanKind = SpanKind.INTERNAL,
    facts: Facts | None = None,
    at_ns: int | None = None,
    links: Sequence[TraceContext] = (),
) -> Span:
    """Begin a span that ends when its `end` is called; see `Tracer`."""
    if _tracer is None:
        return _Unrecorded(parent or begun())
    return _tracer.begin(
        name, parent=parent, kind=kind, facts=facts or {}, at_ns=at_ns, links=links
    )


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, facts: Facts | None = None
) -> Iterator[Span]:
    """Let a block be a span of the trace at hand; what it raises is its error."""
    begun_span = begin(name, parent=current.get(), kind=kind, facts=facts)
    token = current.set(begun_span.context)
    error: str | None = None
    try:
        yield begun_span
    except BaseException as raised:
        # Its kind alone: the words of an error may be a person's.
        error = type(raised).__name__
        raise
    finally:
        current.reset(token)
        begun_span.end(error=error)
