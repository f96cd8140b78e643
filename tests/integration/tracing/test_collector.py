"""A collector that is away, hangs or refuses costs spans, and nothing else."""

import asyncio
import os
import threading
from collections.abc import Iterator
from typing import Any

import google.auth
import pytest
from google.oauth2.credentials import Credentials
from requests import Response
from requests.adapters import HTTPAdapter

from infra.local.ports import free_port
from spaces_contract.trace_context import TraceContext, current
from spaces_tracing import spans
from tests.otlp_receiver import OtlpReceiver, otlp_receiver

MANY = 5_000  # more than twice what the queue holds
CALLER = TraceContext("a" * 32, "b" * 16, sampled=True)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    """A collector that this process exports to."""
    with otlp_receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")  # s
        yield receiver
        spans.uninstall()


def install() -> None:
    """Record, as this process' environment says."""
    spans.install(os.environ, "parley-test")


def test_what_was_recorded_is_handed_over_at_the_end(receiver: OtlpReceiver) -> None:
    """
    With kinds, times, facts, errors and parents, in the protocol's own words.
    """
    install()
    outer = spans.begin("outer", parent=CALLER, kind=spans.SpanKind.SERVER, at_ns=5)
    with pytest.raises(KeyError), spans.span("inner"):
        raise KeyError("a person's words")
    outer.end(at_ns=7)
    outer.end(at_ns=9)

    spans.uninstall(patience_s=60)

    found = {span.name: span for span in receiver.spans()}
    assert found["outer"].service == "parley-test"
    assert (found["outer"].trace_id, found["outer"].parent_id) == ("a" * 32, "b" * 16)
    assert (found["outer"].start_ns, found["outer"].end_ns) == (5, 7)
    assert found["outer"].kind == 2
    assert found["inner"].failed
    assert found["inner"].facts == {"error.type": "KeyError"}
    assert b"a person's words" not in b"".join(receiver.bodies)
    assert current.get() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ],
)
def test_nothing_is_recorded_where_nobody_asks(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    install()

    assert not spans.is_recording()


def test_a_caller_who_does_not_sample_is_followed(receiver: OtlpReceiver) -> None:
    """
    As the standard's default sampler has it; the trace is carried on all the same.
    """
    install()
    unsampled = TraceContext("c" * 32, "d" * 16, sampled=False)
    span = spans.begin("unsampled", parent=unsampled)
    span.end()
    spans.begin("sampled", parent=None).end()

    spans.uninstall(patience_s=60)

    assert [found.name for found in receiver.spans()] == ["sampled"]
    assert (span.context.trace_id, span.context.sampled) == ("c" * 32, False)


def test_the_environment_says_who_we_are(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "parley-of-ours")
    install()
    spans.begin("one", parent=None).end()

    spans.uninstall(patience_s=60)

    assert [found.service for found in receiver.spans()] == ["parley-of-ours"]


@pytest.mark.parametrize("away", [False, True], ids=["hangs", "is away"])
async def test_a_collector_that_does_not_answer_holds_nobody_up(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    """
    The queue is bounded, what is full drops, and the end does not wait for it: its
    request would last longer than this test may.
    """
    receiver.hangs.set()
    if away:
        nobody = f"http://127.0.0.1:{free_port()}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", nobody)
    install()

    for number in range(MANY):
        spans.begin(str(number), parent=None).end()
    if not away:
        assert await asyncio.to_thread(receiver.asked.wait, 30)
    spans.uninstall(patience_s=0.1)

    assert not spans.is_recording()
    assert receiver.bodies == []
    assert "close-traces" in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("endpoint", "token"),
    [
        ("https://telemetry.googleapis.com", "Bearer a-token"),
        ("https://telemetry.googleapis.com.example", None),
    ],
)
def test_google_is_sent_the_accounts_token_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, token: str | None
) -> None:
    """
    Its collector takes spans of an account that may append to traces.
    """
    asked: list[list[str]] = []
    sent: list[str | None] = []

    def default(scopes: list[str]) -> tuple[Credentials, str]:
        asked.append(scopes)
        return Credentials("a-token"), "a-project"  # type: ignore[no-untyped-call]  # no types

    class Answering(HTTPAdapter):
        def send(self, request: Any, *_: Any, **__: Any) -> Response:
            sent.append(request.headers.get("Authorization"))
            answer = Response()
            answer.status_code = 200
            return answer

    monkeypatch.setattr(google.auth, "default", default)
    monkeypatch.setattr(HTTPAdapter, "send", Answering.send)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    install()
    spans.begin("one", parent=None).end()
    spans.uninstall(patience_s=60)

    assert sent == [token]
    scope = "https://www.googleapis.com/auth/trace.append"
    assert asked == ([[scope]] if token else [])
