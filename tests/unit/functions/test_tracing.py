"""Each call is part of one trace, from its header to its tasks and workers."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from spaces.adapters.cloud_tasks import _task
from spaces.adapters.effect_queue import OutboxEffectQueue, TaskTarget
from spaces.adapters.firestore.outbox import _stored_effect, outbox_doc
from spaces.adapters.launchers.agones import _allocation
from spaces.adapters.launchers.traced import TracedLauncher
from spaces.domain.effects import CheckWorker, Effect, LaunchWorker, ScheduleStep
from spaces.domain.effects import StepName as Step
from spaces.http.json_log import request_formatter
from spaces.service.ports import Workload, WorkloadKind
from spaces_contract import trace_context
from spaces_contract.trace_context import TraceContext, carried, parse, within
from tests.builders import AN_OFFER, NOW, SPACE_ID, a_grant, a_runtime, a_space
from tests.tracing import MemoryTracer, remembered_spans
from tests.world import World

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
CALLER = TraceContext(TRACE, SPAN, sampled=True)
SECRET = "hunter2hunter2hunter2"
TARGET = TaskTarget(queue="q", url="http://f", service_account="s", audience="a")


@pytest.fixture
def traced() -> Iterator[MemoryTracer]:
    """Record spans."""
    with remembered_spans() as tracer:
        yield tracer


def filled(path: str, names: Mapping[str, str]) -> str:
    """Return an operation's path with values; what has no name gets the secret."""
    return re.sub(r"{\w+}", lambda name: names.get(name[0], SECRET), path)


@dataclass
class CarriedTasks:
    """A task queue that keeps what each task would carry."""

    headers: list[dict[str, str]] = field(default_factory=list)

    def create(self, effect: Effect) -> None:
        task = _task(effect, TARGET)
        self.headers.append(dict(task.http_request.headers))


def a_queue(tasks: CarriedTasks) -> OutboxEffectQueue:
    """Return a queue whose outbox nobody asks."""
    return OutboxEffectQueue(lambda: tasks, None)  # type: ignore[arg-type]  # `put` needs no outbox


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (TRACEPARENT, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01-of-a-later-version", True),
        (f" {TRACEPARENT} ", True),
    ],
)
def test_a_traceparent_is_read(header: str, sampled: bool) -> None:
    assert parse(header) == TraceContext(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"{TRACEPARENT}-more",
        f"00-{TRACE}-{SPAN}-1",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 300}",
        f"00-{TRACE}-{SPAN}-01\n00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_no_traceparent_begins_a_trace(header: str | None) -> None:
    assert parse(header) is None


def test_a_context_is_written_as_it_is_read() -> None:
    assert CALLER.traceparent == TRACEPARENT
    assert parse(trace_context.begun().traceparent) is not None


@pytest.mark.parametrize(
    ("method", "told", "name"),
    [
        ("GET", "GET", "GET /v1/spaces"),
        (SECRET, "_OTHER", "HTTP"),
    ],
)
def test_a_method_is_one_that_is_known(
    world: World, traced: MemoryTracer, method: str, told: str, name: str
) -> None:
    """
    Whoever makes methods up makes no new names of spans, and tells nothing by them.
    """
    world.call(method, "/v1/spaces", as_user="ana")

    span = traced.spans[0]
    assert span.facts["http.request.method"] == told
    assert span.title == name
    assert SECRET not in str(span).lower()


def test_a_call_is_part_of_its_callers_trace(
    world: World, traced: MemoryTracer
) -> None:
    """
    The span of a call is named by its route, and says nothing of who called.
    """
    world.database.put_space(a_space())
    headers = {"traceparent": TRACEPARENT}

    world.call("POST", f"/v1/spaces/{SPACE_ID}/start", as_user="ana", headers=headers)

    (span,) = traced.spans
    assert span.parent == CALLER
    assert span.title == "POST /v1/spaces/{space_id}/start"
    assert span.facts == {
        "http.request.method": "POST",
        "http.route": "/v1/spaces/{space_id}/start",
        "http.response.status_code": 403,
        "parley.problem": "host-only",
        "parley.space_id": SPACE_ID,
    }
    assert (span.ends, span.error) == (1, None)
    assert trace_context.current.get() is None


@pytest.mark.parametrize("header", [TRACEPARENT, "nonsense", None])
def test_lines_carry_the_trace_though_nobody_records_it(
    world: World, caplog: pytest.LogCaptureFixture, header: str | None
) -> None:
    """
    The caller's, or one that begins here; in the words of Google's log too.
    """
    found: list[dict[str, object]] = []
    formatter = request_formatter("a-project")

    class Written(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(formatter.format(record)))

    handler = Written()
    log = logging.getLogger("spaces.http.request_log")
    caplog.set_level(logging.INFO)
    log.addHandler(handler)
    headers = {} if header is None else {"traceparent": header}

    world.call("GET", "/v1/nothing", headers=headers)

    log.removeHandler(handler)
    (line,) = found
    name = line["logging.googleapis.com/trace"]
    assert name == f"projects/a-project/traces/{line['trace_id']}"
    assert re.fullmatch(r"[0-9a-f]{32}", str(line["trace_id"]))
    assert (line["trace_id"] == TRACE) is (header == TRACEPARENT)
    assert line["logging.googleapis.com/trace_sampled"] == (header == TRACEPARENT)


def test_no_span_holds_a_person_or_a_token(world: World, traced: MemoryTracer) -> None:
    """
    Of no operation, with secrets and people in headers, queries, paths and bodies.
    """
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = a_runtime()
    token = world.signer.sign_grant(a_grant())
    paths = [(each.method, each.path) for each in world.operations]
    unknown: dict[str, str] = {}
    known = {"{space_id}": SPACE_ID, "{user_id}": "ana"}
    of_people = [path for path in paths if "{user_id}" in path[1]]
    for names, called in ((unknown, paths), (known, of_people)):
        for method, path in called:
            world.call(
                method,
                filled(path, names) + f"?t={SECRET}",
                as_user="ana",
                headers={"Cookie": f"t={SECRET}", "traceparent": TRACEPARENT},
                json={"token": SECRET, "title": SECRET},
            )
    world.post_sdp(f"/v1/spaces/{SPACE_ID}/whep", token, AN_OFFER)

    told = "".join(f"{span.title} {span.facts} {span.error}\n" for span in traced.spans)
    assert len(traced.spans) > len(world.operations)
    for secret in (SECRET, "ana", token, "opus", "127.0.0.1"):
        assert secret not in told


def test_a_fault_is_told_by_its_status_alone(
    world: World, traced: MemoryTracer
) -> None:
    """
    What an error says may be a person's words.
    """
    world.id_tokens.error = RuntimeError(SECRET)

    world.call("GET", "/v1/me", as_user="ana")

    (span,) = traced.spans
    assert span.error == "500"
    assert SECRET not in str(span)


def test_the_watch_is_part_of_a_trace_and_no_span(
    world: World, traced: MemoryTracer, caplog: pytest.LogCaptureFixture
) -> None:
    """
    It goes on for hours; what it logs, and launches, belongs to the start.
    """
    caplog.set_level(logging.INFO)
    seen: list[str] = []
    record_factory = logging.getLogRecordFactory()

    def spy(*args: object, **kwargs: object) -> logging.LogRecord:
        seen.extend(carried().values())
        return record_factory(*args, **kwargs)

    logging.setLogRecordFactory(spy)
    body = {"space_id": SPACE_ID, "epoch": 3, "n": 1}
    world.tasks.test_client().post(
        "/tasks/watchdog",
        json=body,
        headers={"Authorization": "Bearer queue", "traceparent": TRACEPARENT},
    )
    logging.setLogRecordFactory(record_factory)

    assert TRACEPARENT in seen
    assert traced.spans == []


def test_a_task_carries_the_span_that_enqueued_it(traced: MemoryTracer) -> None:
    tasks = CarriedTasks()

    with within(CALLER):
        a_queue(tasks).put(LaunchWorker(SPACE_ID, 1))

    (span,) = traced.spans
    assert (span.parent, span.title) == (CALLER, "enqueue task")
    assert span.facts == {"parley.task": "LaunchWorker"}
    assert tasks.headers[0]["traceparent"] == span.context.traceparent


def test_without_a_collector_a_task_carries_the_trace_all_the_same() -> None:
    tasks = CarriedTasks()

    with within(CALLER):
        a_queue(tasks).put(LaunchWorker(SPACE_ID, 1))
    a_queue(tasks).put(CheckWorker(SPACE_ID, 1, 1, NOW))

    assert [each.get("traceparent") for each in tasks.headers] == [TRACEPARENT, None]


def test_the_watch_carries_the_trace_and_makes_no_span(traced: MemoryTracer) -> None:
    tasks = CarriedTasks()

    with within(CALLER):
        a_queue(tasks).put(CheckWorker(SPACE_ID, 1, 1, NOW))

    assert tasks.headers[0]["traceparent"] == TRACEPARENT
    assert traced.spans == []


def test_what_is_due_in_months_is_a_trace_of_its_own() -> None:
    tasks = CarriedTasks()

    with within(CALLER):
        a_queue(tasks).put(
            ScheduleStep(SPACE_ID, 1, Step("due"), NOW + timedelta(days=90))
        )

    assert "traceparent" not in tasks.headers[0]


def test_a_launch_that_was_left_behind_keeps_its_trace() -> None:
    """
    The sweep that finds it in the outbox has another.
    """
    with within(CALLER):
        stored = outbox_doc(LaunchWorker(SPACE_ID, 1), NOW)
    left = _stored_effect(stored)
    tasks = CarriedTasks()

    with within(trace_context.begun()):
        a_queue(tasks).put(left)

    assert left == LaunchWorker(SPACE_ID, 1)
    assert tasks.headers[0]["traceparent"] == TRACEPARENT


def test_a_launch_that_was_stored_before_there_were_traces_is_launched() -> None:
    fields = {"kind": "launch", "space_id": SPACE_ID, "epoch": 1}
    tasks = CarriedTasks()

    a_queue(tasks).put(_stored_effect(fields))

    assert parse(tasks.headers[0]["traceparent"]) is not None


def test_a_warm_worker_is_told_the_trace_by_its_allocation() -> None:
    room = Workload(kind=WorkloadKind.ROOM, key=SPACE_ID, epoch=1)

    with within(CALLER):
        told = _allocation("workers", room, NOW)
    untold = _allocation("workers", room, NOW)

    name = "parley.dev/traceparent"
    assert told["spec"]["metadata"]["annotations"][name] == TRACEPARENT
    assert name not in untold["spec"]["metadata"]["annotations"]


def test_a_launch_is_a_span_and_its_worker_part_of_it(
    world: World, traced: MemoryTracer
) -> None:
    room = Workload(kind=WorkloadKind.ROOM, key=SPACE_ID, epoch=1)

    TracedLauncher(world.launcher).launch(room)

    (span,) = traced.spans
    assert span.facts == {"parley.workload": "room", "parley.epoch": 1}
