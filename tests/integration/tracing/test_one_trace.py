"""A start is one trace, to the first packet that a listener gets; a join is one too."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import psutil
import pytest

from spaces_contract.roles import PeerKind
from spaces_tracing.spans import Fact
from tests.api import Api
from tests.asked_metrics import used_metrics
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.otlp_receiver import ReceivedSpan, otlp_receiver
from tests.running_stack import RunningStack, running_stack

PATIENCE_S: Final = 60.0
TONE: Final = (np.sin(np.arange(48_000) * 0.06) * 8_000).astype(np.int16)
CALLER: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT: Final = f"00-{CALLER}-00f067aa0ba902b7-01"
# Span -> what it is a part of.
OF_A_START: Final = {
    "firestore transaction": "POST /v1/spaces/{space_id}/start",
    "enqueue task": "POST /v1/spaces/{space_id}/start",
    "POST /tasks/launch": "enqueue task",
    "launch workload": "POST /tasks/launch",
    "worker boot": "launch workload",
    "load worker": "worker boot",
    "claim epoch": "worker boot",
    "first stun": "launch workload",
    "dtls": "launch workload",
    "first rtp in": "launch workload",
    "first rtp out": "launch workload",
}
OF_A_JOIN: Final = {
    "forward to worker": "POST /v1/spaces/{space_id}/whep",
    "POST /sessions": "forward to worker",
    "open session": "POST /sessions",
    "first stun": "open session",
    "dtls": "open session",
    "first rtp out": "open session",
}
OF_OTHERS: Final = re.compile("parley_worker_(relay_|egress_(cpu|rss|feed))")
RESOURCE: Final = {
    "service.instance.id",  # random
    "service.name",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    A Space in which one talked and another listened.

    Args:
        own: What is people's own.
        metrics: Names of all that its worker told meanwhile.
    """

    space_id: str
    own: list[str]
    metrics: set[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """
    What became of one stack.

    Args:
        held: A Space while the collector answered.
        spans: All that the collector got.
        bodies: As they came.
        resources: Names of what processes said of themselves.
        log: Lines of that Space's worker.
        left: Processes that a stop left behind.
    """

    held: Held
    spans: list[ReceivedSpan]
    bodies: list[bytes]
    resources: set[str]
    log: list[dict[str, str]]
    left: list[psutil.Process]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """
    Hold a Space, and another one while the collector hangs; then stop.

    One stack, for it takes seconds to come and go.
    """
    data = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch, otlp_receiver() as receiver:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        patch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")  # s, unlike others'
        with running_stack(data) as stack:
            held = asyncio.run(hold_space(stack))
            spans = receiver.wait_until(are_whole, timeout_s=PATIENCE_S)
            bodies, resources = list(receiver.bodies), receiver.resource_names()
            receiver.asked.clear()
            receiver.hangs.set()
            asyncio.run(hold_space(stack))
            assert receiver.asked.wait(PATIENCE_S)
            left = stack.stop()
    (log,) = (data / "logs").glob(f"room-{held.space_id}-*.log")
    return Evening(
        held=held,
        spans=spans,
        bodies=bodies,
        resources=resources,
        log=[json.loads(line) for line in log.read_text().splitlines()],
        left=left,
    )


def are_whole(spans: list[ReceivedSpan]) -> bool:
    """Whether all processes have told all that they have of the start and the join."""
    started = [span for span in spans if span.trace_id == CALLER]
    joined = {trace for span in started for trace, _ in span.links}
    join = [span for span in spans if span.trace_id in joined]
    return all(
        {*wanted, *wanted.values()} <= {span.name for span in found}
        for found, wanted in ((started, OF_A_START), (join, OF_A_JOIN))
    )


async def hold_space(stack: RunningStack) -> Held:
    """Let one talk and another hear it."""
    handles = ("ana_of_spans", "bo_of_spans")
    async with Api(stack.url, handles[0]) as ana, Api(stack.url, handles[1]) as bo:
        space = await ana.call("POST", "/v1/spaces", {"title": "A title of ours"})
        space_id = str(space["id"])
        await ana.call(
            "POST",
            f"/v1/spaces/{space_id}/start",
            headers={"traceparent": TRACEPARENT},
        )
        spoken = await ana.join(space_id, "speaker")
        heard = await bo.join(space_id)
        speaker = LightSpeaker(ana, opus_frames(TONE))
        listener = LightPeer(bo, PeerKind.WHEP)
        try:
            await speaker.connect(spoken["whip_url"], spoken["grant"])
            await listener.connect(heard["whep_url"], heard["grant"])
            speaker.start_talking()
            async with asyncio.timeout(PATIENCE_S):
                await listener.heard.wait()
            (worker,) = stack.workers(space_id)
            told = await asyncio.to_thread(stack.metrics, worker)
        finally:
            await asyncio.gather(speaker.aclose(), listener.aclose())
        await ana.call("POST", f"/v1/spaces/{space_id}/end")
    people = [ana.uid, bo.uid, *handles, "A title of ours"]
    return Held(
        space_id=space_id,
        own=[*people, spoken["grant"], heard["grant"]],
        metrics={name.partition("{")[0] for name in told},
    )


def test_a_start_is_a_trace(evening: Evening) -> None:
    """
    From the call through its transaction, task and worker to the first packet out.
    """
    started = [span for span in evening.spans if span.trace_id == CALLER]

    assert parents_of(started, OF_A_START) == OF_A_START
    (call,) = [span for span in started if span.name.endswith("/start")]
    assert call.parent_id == TRACEPARENT.split("-")[2]
    assert in_order(started, "worker boot", "first stun", "dtls", "first rtp in")
    assert {span.service for span in started} == {"parley-functions", "parley-worker"}
    assert not [span for span in started if span.failed]


def test_a_join_is_a_trace(evening: Evening) -> None:
    """
    Its own, which the start's first packet out leads to.
    """
    (out,) = [
        span
        for span in evening.spans
        if span.trace_id == CALLER and span.name == "first rtp out"
    ]
    ((joined, packet),) = out.links

    join = [span for span in evening.spans if span.trace_id == joined]
    assert parents_of(join, OF_A_JOIN) == OF_A_JOIN
    assert packet in {span.span_id for span in join}
    assert not [span for span in join if span.failed]


def test_a_worker_logs_the_trace_that_started_it(evening: Evening) -> None:
    (ready,) = [line for line in evening.log if line["message"] == "ready"]

    assert ready["trace_id"] == CALLER


def test_spans_tell_nothing_of_people(evening: Evening) -> None:
    """
    No id, name, title, token or address of anybody; no fact that is not of ours.
    """
    sent = b"".join(evening.bodies)

    for secret in (*evening.held.own, "127.0.0.1", "eyJ"):
        assert secret.encode() not in sent
    assert {name for span in evening.spans for name in span.facts} <= {*Fact}
    assert evening.resources <= RESOURCE


def test_a_worker_tells_what_rules_and_dashboards_ask_for(evening: Evening) -> None:
    """
    All but what only a relay tells, or a worker with egress processes.
    """
    elsewhere = {name for name in used_metrics() if OF_OTHERS.match(name)}

    assert used_metrics() - evening.held.metrics == elsewhere


def test_a_collector_that_hangs_costs_nobody_a_word(evening: Evening) -> None:
    """
    It took requests and never answered: a Space was held, and the stack stopped.
    """
    assert evening.left == []


def parents_of(
    spans: list[ReceivedSpan], wanted: dict[str, str]
) -> dict[str, str | None]:
    """Return the names of the parents of the wanted spans, first of each name."""
    names = {span.span_id: span.name for span in spans}
    found: dict[str, str | None] = {}
    for span in spans:
        if span.name in wanted:
            found.setdefault(span.name, names.get(span.parent_id))
    return found


def in_order(spans: list[ReceivedSpan], *names: str) -> bool:
    """Whether the spans of these names ended one after the other."""
    by_name = {span.name: span for span in spans}
    ends = [by_name[name].end_ns for name in names]
    return ends == sorted(ends)
