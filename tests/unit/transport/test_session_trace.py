"""A session's spans: from its offer to its first packet."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from media_worker.start_trace import StartTrace, join_trace, process_began_ns
from media_worker.transport.session_trace import SessionTraces, Step, recorded
from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.trace_context import TraceContext, current, within
from spaces_tracing.spans import Fact
from tests.tracing import MemoryTracer, remembered_spans

CALLER = TraceContext("a" * 32, "b" * 16, sampled=True)
LAUNCH = TraceContext("c" * 32, "d" * 16, sampled=True)
ANA, BO = SessionId("ana-s"), SessionId("bo-s")


@pytest.fixture
def traced() -> Iterator[MemoryTracer]:
    """Record spans."""
    with remembered_spans() as tracer:
        yield tracer


@dataclass
class Heard:
    """Keeps the steps that it is told of."""

    steps: list[Step] = field(default_factory=list)

    def __call__(
        self, step: Step, since_ns: int, at_ns: int, context: TraceContext
    ) -> None:
        assert since_ns <= at_ns
        self.steps.append(step)


def opened(traces: SessionTraces, session_id: SessionId, kind: PeerKind) -> None:
    """Open a session as a request does."""
    with within(CALLER):
        traces.open(session_id, kind)


@pytest.mark.parametrize(
    ("kind", "last"), [(PeerKind.WHIP, Step.RTP_IN), (PeerKind.WHEP, Step.RTP_OUT)]
)
def test_a_session_is_a_span_of_its_steps(
    traced: MemoryTracer, kind: PeerKind, last: Step
) -> None:
    """
    Each from the one before it; repeated, they change nothing; the last ends it.
    """
    heard = Heard()
    traces = SessionTraces(recorded(heard))
    opened(traces, ANA, kind)
    for step in (Step.STUN, Step.STUN, Step.DTLS, last, last, Step.STUN):
        traces.reach(ANA, step)

    session = traced.named("open session")
    parts = [span for span in traced.spans if span.parent == session.context]
    assert session.parent == CALLER
    assert session.facts == {"parley.session_kind": kind.value}
    assert [part.title for part in parts] == [Step.STUN, Step.DTLS, last]
    ends = [session.began_ns, *(part.ended_ns for part in parts)]
    assert [part.began_ns for part in parts] == ends[:-1]
    assert (session.ends, session.error) == (1, None)
    assert heard.steps == [Step.STUN, Step.DTLS, last]
    assert not traces


def test_who_has_keys_waits_for_a_packet(traced: MemoryTracer) -> None:
    traces = SessionTraces(recorded(Heard()))
    opened(traces, ANA, PeerKind.WHEP)
    opened(traces, BO, PeerKind.WHEP)

    traces.reach(ANA, Step.DTLS)
    waiting = list(traces)
    traces.reach(ANA, Step.RTP_OUT)

    assert waiting == [ANA]
    assert list(traces) == []
    assert traces


def test_a_session_that_came_to_nothing_says_so(traced: MemoryTracer) -> None:
    traces = SessionTraces(recorded(Heard()))
    opened(traces, ANA, PeerKind.WHIP)
    traces.close(ANA, PeerCloseReason.DTLS_FAILED)
    traces.close(ANA, PeerCloseReason.LEFT)
    traces.reach(ANA, Step.DTLS)

    (span,) = traced.spans
    assert span.facts[Fact.REASON] == "dtls_failed"
    assert (span.error, span.ends) == ("SessionClosed", 1)


def test_nobody_looks_closely_where_nobody_records() -> None:
    traces = SessionTraces(recorded(Heard()))
    opened(traces, ANA, PeerKind.WHIP)

    traces.reach(ANA, Step.STUN)

    assert not traces


def test_a_start_is_part_of_its_launch(traced: MemoryTracer) -> None:
    """
    The first of each step is told beside it, with a link to the session's own trace.
    """
    with within(LAUNCH):
        start = StartTrace(5, {Fact.EPOCH: 3})
    traces = SessionTraces(recorded(start.reached))
    start.loaded()
    start.ready()
    for session_id in (ANA, BO):
        opened(traces, session_id, PeerKind.WHIP)
        traces.reach(session_id, Step.STUN)

    boot = traced.named("worker boot")
    assert (boot.parent, boot.began_ns, boot.ends) == (LAUNCH, 5, 1)
    load, claim = traced.named("load worker"), traced.named("claim epoch")
    assert load.parent == claim.parent == boot.context
    assert (load.began_ns, load.ended_ns) == (5, claim.began_ns)
    assert claim.ended_ns == boot.ended_ns
    stuns = [span for span in traced.spans if span.title == Step.STUN]
    (told,) = [span for span in stuns if span.parent == LAUNCH]
    assert told.links == (stuns[0].context,)
    assert (told.began_ns, told.ended_ns) == (stuns[0].began_ns, stuns[0].ended_ns)


def test_steps_made_elsewhere_have_the_time_that_is_told(traced: MemoryTracer) -> None:
    """
    And the last of them ends the session's span.
    """
    traces = SessionTraces(recorded(Heard()))
    with within(CALLER):
        context = traces.open(ANA, PeerKind.WHEP)
    session = traced.named("open session")
    assert session.began_ns is not None
    at_ns = [session.began_ns + 1_000 * n for n in (1, 2, 3)]
    for step, when_ns in zip((Step.STUN, Step.DTLS, Step.RTP_OUT), at_ns, strict=True):
        traces.reach(ANA, step, when_ns)

    assert context == session.context
    assert [span.ended_ns for span in traced.spans[1:]] == at_ns
    assert session.ended_ns == at_ns[-1]


def test_a_session_that_was_refused_is_no_span(traced: MemoryTracer) -> None:
    traces = SessionTraces(recorded(Heard()))
    opened(traces, ANA, PeerKind.WHEP)

    traces.drop(ANA)
    traces.drop(BO)
    traces.close(ANA, PeerCloseReason.LEFT)

    assert not traces
    assert [span.ends for span in traced.spans] == [0]


@pytest.mark.parametrize("header", [CALLER.traceparent, "", None, "nonsense"])
def test_a_worker_joins_the_trace_of_its_launch(header: str | None) -> None:
    with within(LAUNCH):
        join_trace({} if header is None else {"TRACEPARENT": header})
        joined = current.get()

    assert joined is not None
    assert (joined == CALLER) is (header == CALLER.traceparent)
    assert joined != LAUNCH


def test_a_process_knows_when_it_began() -> None:
    """
    The same whenever it is asked, but for the clock's ticks of 10 ms.
    """
    first_ns, second_ns = process_began_ns(), process_began_ns()

    assert abs(first_ns - second_ns) < 1_000_000_000
    assert first_ns < time.time_ns()
