"""What an egress process tells of a session that the room traces."""

import pytest

from media_worker.egress.processes.messages import Reached
from media_worker.egress.processes.told_steps import told
from media_worker.transport.session_trace import SessionTraces, Step
from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.trace_context import TraceContext, within

ANA, BO = SessionId("ana-s"), SessionId("bo-s")


def test_each_step_of_a_traced_session_is_told_once() -> None:
    """
    With its time, up to the first packet out; of others nothing.
    """
    said: list[Reached] = []
    traces = SessionTraces(told(said.append))
    traces.open(BO, PeerKind.WHEP)
    with within(TraceContext("a" * 32, "b" * 16, sampled=True)):
        traces.open(ANA, PeerKind.WHEP)
    for step in (Step.STUN, Step.STUN, Step.DTLS):
        traces.reach(BO, step)
        traces.reach(ANA, step)
    waiting = list(traces)
    for step in (Step.RTP_OUT, Step.RTP_OUT, Step.STUN):
        traces.reach(ANA, step)

    assert waiting == [ANA]
    assert [(each.session_id, each.step) for each in said] == [
        (ANA, "first stun"),
        (ANA, "dtls"),
        (ANA, "first rtp out"),
    ]
    times = [each.at_ns for each in said]
    assert times == sorted(times)
    assert not traces


@pytest.mark.parametrize("reason", list(PeerCloseReason))
def test_an_end_is_told_by_the_session_alone(reason: PeerCloseReason) -> None:
    said: list[Reached] = []
    traces = SessionTraces(told(said.append))
    with within(TraceContext("a" * 32, "b" * 16, sampled=True)):
        traces.open(ANA, PeerKind.WHEP)

    traces.close(ANA, reason)

    assert not traces
    assert said == []
