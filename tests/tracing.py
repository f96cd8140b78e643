"""A tracer that remembers, for tests of what is traced."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from spaces_contract.trace_context import TraceContext, begun
from spaces_tracing import spans
from spaces_tracing.spans import Facts, SpanKind


@dataclass
class MemorySpan:
    """`Span` that anybody can look at."""

    title: str
    kind: SpanKind
    parent: TraceContext | None
    links: tuple[TraceContext, ...]
    context: TraceContext
    began_ns: int | None
    facts: dict[str, str | int | bool] = field(default_factory=dict)
    error: str | None = None
    ended_ns: int | None = None
    ends: int = 0

    def name(self, name: str) -> None:
        self.title = name

    def tell(self, facts: Facts) -> None:
        self.facts |= {fact.value: value for fact, value in facts.items()}

    def end(self, *, error: str | None = None, at_ns: int | None = None) -> None:
        self.ends += 1
        self.error, self.ended_ns = error, at_ns


class MemoryTracer:
    """`Tracer` that keeps spans in the order of their starts."""

    def __init__(self) -> None:
        self.spans: list[MemorySpan] = []

    def begin(
        self,
        name: str,
        *,
        parent: TraceContext | None,
        kind: SpanKind,
        facts: Facts,
        at_ns: int | None,
        links: Sequence[TraceContext],
    ) -> MemorySpan:
        fresh = begun()
        trace_id = parent.trace_id if parent else fresh.trace_id
        context = TraceContext(trace_id, fresh.span_id, sampled=True)
        span = MemorySpan(name, kind, parent, tuple(links), context, at_ns)
        span.tell(facts)
        self.spans.append(span)
        return span

    def close(self, patience_s: float) -> None:
        """Nothing is to be handed over."""

    def named(self, title: str) -> MemorySpan:
        """Return the one span of that name."""
        (found,) = [span for span in self.spans if span.title == title]
        return found


@contextmanager
def remembered_spans() -> Iterator[MemoryTracer]:
    """Record spans in memory for the length of a block."""
    tracer, before = MemoryTracer(), spans._tracer
    spans._tracer = tracer
    try:
        yield tracer
    finally:
        spans._tracer = before
