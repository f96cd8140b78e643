"""A collector of traces: OTLP over HTTP, in the protocol's own protobuf classes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """One span as a collector sees it."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    facts: dict[str, str | int | bool]
    failed: bool
    links: tuple[tuple[str, str], ...]  # trace and span


class OtlpReceiver:
    """
    Keeps what it is sent.

    Attributes:
        bodies: Of the requests, to look for what must not be in any.
        hangs: While set, requests are taken and not answered.
    """

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.hangs = threading.Event()
        self.asked = threading.Event()  # somebody has called
        self.released = threading.Event()
        self._changed = threading.Condition()

    def take(self, body: bytes) -> None:
        """Take a request."""
        with self._changed:
            self.bodies.append(body)
            self._changed.notify_all()

    def spans(self) -> list[ReceivedSpan]:
        """Return all spans so far, in the order of their starts."""
        with self._changed:
            bodies = list(self.bodies)
        spans = [span for body in bodies for span in _spans(body)]
        return sorted(spans, key=lambda span: span.start_ns)

    def resource_names(self) -> set[str]:
        """Return the names of all that was said of those who sent."""
        requests = map(ExportTraceServiceRequest.FromString, self.bodies)
        of_all = (each.resource for r in requests for each in r.resource_spans)
        return {fact.key for resource in of_all for fact in resource.attributes}

    def wait_until(
        self, are_there: Callable[[list[ReceivedSpan]], bool], *, timeout_s: float
    ) -> list[ReceivedSpan]:
        """
        Return all spans so far once they are what is waited for.

        Raises:
            TimeoutError: it tells what there is.
        """
        with self._changed:
            there = self._changed.wait_for(lambda: are_there(self.spans()), timeout_s)
        spans = self.spans()
        if not there:
            raise TimeoutError(f"only {sorted(span.name for span in spans)}")
        return spans


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """Serve on loopback until the end of the block."""
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.asked.set()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.hangs.is_set():
                receiver.released.wait()
                self.close_connection = True
                return
            assert self.path == "/v1/traces"
            assert self.headers["Content-Type"] == "application/x-protobuf"
            receiver.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: tests look at spans."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _spans(body: bytes) -> Iterator[ReceivedSpan]:
    request = ExportTraceServiceRequest.FromString(body)
    for of_resource in request.resource_spans:
        resource = {a.key: _value(a.value) for a in of_resource.resource.attributes}
        for span in (s for scope in of_resource.scope_spans for s in scope.spans):
            yield ReceivedSpan(
                service=str(resource["service.name"]),
                name=span.name,
                kind=span.kind,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                start_ns=span.start_time_unix_nano,
                end_ns=span.end_time_unix_nano,
                facts={a.key: _value(a.value) for a in span.attributes},
                failed=span.status.code == 2,
                links=tuple((k.trace_id.hex(), k.span_id.hex()) for k in span.links),
            )


def _value(value: AnyValue) -> Any:
    return getattr(value, str(value.WhichOneof("value")))
