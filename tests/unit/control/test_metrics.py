"""Prometheus can read what the worker tells."""

import json
import logging
from typing import Any

import pytest

from media_worker.egress.fan_out import FanOutCounters
from media_worker.egress.processes.spread import AUDIBLE_LOSS, SpreadEndpoint
from media_worker.metrics import Metric, endpoint_metrics, process_metrics, render
from media_worker.room.durations import Durations
from media_worker.transport.counters import EndpointCounters
from spaces_contract.json_lines import JsonFormatter


def test_metrics_are_rendered_with_types_and_labels() -> None:
    """
    Totals are counters, the rest gauges; each type is declared once.
    """
    text = render(
        [
            Metric("sessions", 1, {"kind": "whip"}),
            Metric("sessions", 2, {"kind": "whep"}),
            Metric("packets_total", 3),
        ],
        {},
    )

    assert text.splitlines() == [
        "# TYPE parley_worker_sessions gauge",
        'parley_worker_sessions{kind="whip"} 1',
        'parley_worker_sessions{kind="whep"} 2',
        "# TYPE parley_worker_packets_total counter",
        "parley_worker_packets_total 3",
    ]


def test_histograms_are_cumulative() -> None:
    """
    Each bucket counts what is at most its bound; +Inf counts all.
    """
    durations = Durations()
    for seconds in (0.0001, 0.004, 0.004, 9.0):
        durations.observe(seconds)

    lines = render([], {"tick_s": durations}).splitlines()

    assert 'parley_worker_tick_s_bucket{le="0.0002"} 1' in lines
    assert 'parley_worker_tick_s_bucket{le="0.005"} 3' in lines
    assert 'parley_worker_tick_s_bucket{le="+Inf"} 4' in lines
    assert "parley_worker_tick_s_count 4" in lines


def test_quantiles_are_bounds_that_hold() -> None:
    """
    99 of 100 short ones: p50 and p99 are the short bound, the maximum is exact.
    """
    durations = Durations()
    for _ in range(99):
        durations.observe(0.0009)
    durations.observe(0.3)

    assert durations.quantile_s(0.5) == 0.001
    assert durations.quantile_s(0.99) == 0.001
    assert durations.quantile_s(1.0) == pytest.approx(0.3)


def test_the_process_knows_its_cpu_time() -> None:
    """
    CPU seconds are told everywhere, memory where the system tells it.
    """
    names = {metric.name for metric in process_metrics()}

    assert "cpu_s_total" in names


def test_a_log_line_is_json_with_its_extras() -> None:
    """
    `severity` and `message` as Cloud Logging wants them, and what was given besides.
    """
    record = logging.makeLogRecord(
        {"levelname": "WARNING", "msg": "late by %d", "args": (3,), "peer": "ana"}
    )

    line = json.loads(JsonFormatter(lambda: {"space_id": "s"}).format(record))

    assert line["severity"] == "WARNING"
    assert line["message"] == "late by 3"
    assert (line["peer"], line["space_id"]) == ("ana", "s")


class UnstartedEndpoint:
    """What metrics read of a room's own endpoint."""

    counters = EndpointCounters()
    fan_out_counters = FanOutCounters()

    def losses(self) -> dict[str, float]:
        """Return what listeners reported."""
        return {"a": 0.5, "b": AUDIBLE_LOSS, "c": AUDIBLE_LOSS / 2}


def test_everything_that_the_transport_drops_is_told() -> None:
    """
    A loss that is counted can be scraped.
    """
    own: Any = UnstartedEndpoint()
    spread = SpreadEndpoint(own, [], egress_from=200)

    told = {metric.name: metric.value for metric in endpoint_metrics(spread)}

    assert told["egress_lossy_listeners"] == 2
    assert told.keys() >= {
        "transport_datagrams_unsent_total",
        "transport_handshakes_dropped_total",
        "transport_stage_messages_dropped_total",
        "transport_stage_datagrams_dropped_total",
        "transport_stage_datagrams_refused_total",
        "fan_out_packets_dropped_total",
    }
