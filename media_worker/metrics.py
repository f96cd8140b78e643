"""What `/metrics` tells, in Prometheus' text format."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .egress.processes.child import EgressProcess
from .egress.processes.spread import SpreadEndpoint
from .firestore_link.link import FirestoreLink
from .process_memory import rss_bytes
from .room.durations import BOUNDS_S, Durations

PREFIX: Final = "parley_worker_"


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One value.  Names that end in `_total` are counters, others gauges.

    Args:
        name: Without the prefix that all share.
    """

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def render(metrics: Iterable[Metric], histograms: Mapping[str, Durations]) -> str:
    """Return the text that Prometheus scrapes."""
    lines: list[str] = []
    typed: set[str] = set()
    for metric in metrics:
        if metric.name not in typed:
            typed.add(metric.name)
            kind = "counter" if metric.name.endswith("_total") else "gauge"
            lines.append(f"# TYPE {PREFIX}{metric.name} {kind}")
        lines.append(_line(metric.name, metric.value, metric.labels))
    for name, durations in histograms.items():
        lines.extend(_histogram(name, durations))
    return "\n".join(lines) + "\n"


def link_metrics(link: FirestoreLink) -> Iterator[Metric]:
    """Yield how well the worker knows what Firestore wants."""
    yield Metric("heartbeat_age_s", link.heartbeat_age_s)
    yield Metric("knowledge_stale", int(link.knowledge_stale))
    yield Metric("watch_rebuilds_total", link.rebuilds)
    yield Metric("failed_reports_total", link.failed_reports)


def process_metrics() -> Iterator[Metric]:
    """Yield what the operating system knows of this process."""
    times = os.times()
    yield Metric("cpu_s_total", times.user + times.system)
    if resident := rss_bytes():
        yield Metric("rss_bytes", resident)


def endpoint_metrics(endpoint: SpreadEndpoint) -> Iterator[Metric]:
    """Yield what all processes have sent, and how each egress process is."""
    for name, value in endpoint.totals().items():
        yield Metric(f"{name}_total", value)
    yield Metric("egress_started_total", endpoint.egresses_started)
    processes = endpoint.by_process()
    for process in processes:
        labels = {"egress": process.name}
        yield Metric("egress_listeners", process.listeners, labels)
    for process in processes:
        labels = {"egress": process.name}
        yield Metric("egress_lossy_listeners", process.disturbed, labels)
    for process in processes:
        if process.child is not None:
            yield from _egress_metrics(process.child)


def _egress_metrics(child: EgressProcess) -> Iterator[Metric]:
    labels = {"egress": str(child.number)}
    yield Metric("egress_ready", int(child.load.ready), labels)
    yield Metric("egress_feed_dropped_total", child.feed_dropped, labels)
    if child.report is not None:
        yield Metric("egress_cpu_s_total", child.report.cpu_s, labels)
        yield Metric("egress_rss_bytes", child.report.rss_bytes, labels)


def _histogram(name: str, durations: Durations) -> Iterator[str]:
    yield f"# TYPE {PREFIX}{name} histogram"
    below = 0
    for bound_s, count in zip(BOUNDS_S, durations.counts, strict=False):
        below += count
        yield _line(f"{name}_bucket", below, {"le": str(bound_s)})
    yield _line(f"{name}_bucket", durations.total, {"le": "+Inf"})
    yield _line(f"{name}_sum", durations.sum_s, {})
    yield _line(f"{name}_count", durations.total, {})


def _line(name: str, value: float, labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{PREFIX}{name}{{{inner}}} {value}" if inner else f"{PREFIX}{name} {value}"
