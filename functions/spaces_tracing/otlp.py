"""Spans for a collector by OTLP over HTTP, with OpenTelemetry's SDK."""

import atexit
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spaces_contract.trace_context import TraceContext

from .spans import CLOSE_PATIENCE_S, ENDPOINTS, Fact, Facts, SpanKind

GOOGLE: Final = "telemetry.googleapis.com"
APPEND: Final = "https://www.googleapis.com/auth/trace.append"

KINDS: Final = MappingProxyType(
    {
        SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
        SpanKind.SERVER: trace.SpanKind.SERVER,
        SpanKind.CLIENT: trace.SpanKind.CLIENT,
        SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    }
)


class OtlpTracer:
    """
    `Tracer` on OpenTelemetry's SDK; collector, sampler and queue by its variables.

    The queue is bounded and emptied by a thread of its own: a collector that is away or
    hangs costs spans, never a call.  The provider is ours alone and not the process':
    libraries that trace by themselves would tell document names, and so people's ids.

    Args:
        service: What this process is called, unless `OTEL_SERVICE_NAME` says.
        env: Names the collector.
    """

    def __init__(self, service: str, env: Mapping[str, str]) -> None:
        resource = Resource.create({SERVICE_NAME: service})
        resource = resource.merge(OTELResourceDetector().detect())
        # It would wait 30 s for a collector that hangs.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._processor = BatchSpanProcessor(OTLPSpanExporter(session=_session(env)))
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("parley")
        # A batch that fails is a warning for each try; that it failed, one line says.
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        atexit.register(self.close, CLOSE_PATIENCE_S)

    def begin(
        self,
        name: str,
        *,
        parent: TraceContext | None,
        kind: SpanKind,
        facts: Facts,
        at_ns: int | None,
        links: Sequence[TraceContext],
    ) -> "_OtlpSpan":
        """Begin a span; see `Tracer`."""
        context = trace.set_span_in_context(
            trace.INVALID_SPAN
            if parent is None
            else trace.NonRecordingSpan(_sdk_context(parent))
        )
        return _OtlpSpan(
            self._tracer.start_span(
                name,
                context=context,
                kind=KINDS[kind],
                attributes={fact.value: value for fact, value in facts.items()},
                links=[trace.Link(_sdk_context(each)) for each in links],
                start_time=at_ns,
                record_exception=False,
            )
        )

    def close(self, patience_s: float) -> None:
        """Hand over what was recorded; see `Tracer`."""
        atexit.unregister(self.close)
        # In a thread, as a request that hangs keeps whoever waits for it.
        closing = threading.Thread(
            target=self._processor.shutdown, name="close-traces", daemon=True
        )
        closing.start()
        closing.join(patience_s)


class _OtlpSpan:
    """`Span` on OpenTelemetry's."""

    __slots__ = ("_span", "context")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        found = span.get_span_context()
        self.context = TraceContext(
            trace.format_trace_id(found.trace_id),
            trace.format_span_id(found.span_id),
            sampled=found.trace_flags.sampled,
        )

    def name(self, name: str) -> None:
        """Call it otherwise."""
        self._span.update_name(name)

    def tell(self, facts: Facts) -> None:
        """Say more about it."""
        for fact, value in facts.items():
            self._span.set_attribute(fact.value, value)

    def end(self, *, error: str | None = None, at_ns: int | None = None) -> None:
        """End it; see `Span`."""
        if not self._span.is_recording():
            return
        if error is not None:
            self._span.set_attribute(Fact.ERROR.value, error)
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end(end_time=at_ns if at_ns is not None else time.time_ns())


def _session(env: Mapping[str, str]) -> requests.Session | None:
    """Return what sends as our account where Google itself collects; else None."""
    named = next(filter(None, map(env.get, ENDPOINTS)), "")
    if urlsplit(named).hostname != GOOGLE:
        return None
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _ = google.auth.default(scopes=[APPEND])
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # no types


def _sdk_context(context: TraceContext) -> trace.SpanContext:
    return trace.SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(context.sampled)),
    )
