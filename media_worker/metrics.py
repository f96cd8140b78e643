"""What `/metrics` tells, in Prometheus' text format."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from .egress.processes.child import EgressProcess
from .egress.processes.spread import SpreadEndpoint
from .firestore_link.link import FirestoreLink
from .live_edge.hls_broadcast import HlsBroadcast
from .process_memory import rss_bytes
from .recording.recorder import Recorder
from .room.durations import BOUNDS_S, Durations
from .room.room import Room
from .room.speaker import Speaker

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


def room_metrics(room: Room) -> Iterator[Metric]:
    """Yield what a room counts."""
    book, loop = room.book, room.loop
    for kind, number in book.count_by_kind().items():
        yield Metric("sessions", number, {"kind": kind.value})
    yield Metric("participants", book.participant_count())
    yield Metric("listeners", book.listener_count(room.desired))
    for index, report in room.relays.current().items():
        yield Metric("relay_listeners", report.listeners, {"relay": str(index)})
    yield Metric("long_frame_hearers", room.care.long_hearers)
    yield Metric("listener_fec_percent", room.care.fec_percent)
    yield Metric("room_version", room.board.room.version)
    yield Metric("skipped_blocks_total", loop.skipped_blocks)
    for share in (0.5, 0.99):
        labels = {"quantile": str(share)}
        yield Metric("loop_lag_quantile_s", loop.lag.quantile_s(share), labels)
        yield Metric("tick_quantile_s", loop.work.quantile_s(share), labels)
    for speaker in room.stage.speakers.values():
        yield from _speaker_metrics(speaker)


def tick_histograms(room: Room, endpoint: SpreadEndpoint) -> dict[str, Durations]:
    """Return how late ticks began, how long they took, and each part of them."""
    return {
        "loop_lag_s": room.loop.lag,
        "tick_s": room.loop.work,
        "tick_collect_s": endpoint.collecting,
        "tick_mix_s": room.mixing,
        "tick_send_s": endpoint.sending,
    }


def link_metrics(link: FirestoreLink) -> Iterator[Metric]:
    """Yield how well the worker knows what Firestore wants."""
    yield Metric("heartbeat_age_s", link.heartbeat_age_s)
    yield Metric("knowledge_stale", int(link.knowledge_stale))
    yield Metric("watch_rebuilds_total", link.rebuilds)
    yield Metric("failed_reports_total", link.failed_reports)


def recording_metrics(recorder: Recorder) -> Iterator[Metric]:
    """Yield how recording goes."""
    yield Metric("recording_open_stems", recorder.open_stems)
    yield Metric("recording_store_failures_total", recorder.store_failures)
    yield Metric("recording_echo_checks_total", recorder.echo.checks)
    yield Metric("recording_echoes_total", recorder.echo.found)


def hls_metrics(hls: HlsBroadcast) -> Iterator[Metric]:
    """Yield how HLS goes; never a key, nor what leads to one."""
    counts = hls.counts
    yield Metric("hls_playable", int(hls.is_playable))
    yield Metric("hls_listeners", hls.listener_count)
    yield Metric("hls_publish_delay_s", counts.publish_delay_s)
    yield Metric("hls_make_s_total", counts.make_s)
    yield Metric("hls_segments_total", counts.segments)
    yield Metric("hls_lost_segments_total", counts.lost_segments)
    yield Metric("hls_stale_batches_total", counts.stale_batches)
    yield Metric("hls_playlist_failures_total", counts.playlist_failures)
    yield Metric("hls_dropped_blocks_total", hls.dropped_blocks)


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
        yield Metric("egress_lossy_listeners", process.lossy, labels)
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


def _speaker_metrics(speaker: Speaker) -> Iterator[Metric]:
    labels = {"csrc": str(speaker.csrc)}
    delay = speaker.playout.buffer.delay
    yield Metric("speaker_jitter_s", delay.jitter_s, labels)
    yield Metric("speaker_hold_s", delay.hold_s, labels)
    yield Metric("speaker_level_dbov", speaker.level_dbov, labels)
    yield Metric("speaker_muted_packets_total", speaker.muted_packets, labels)
    for counts in (speaker.playout.buffer.counts, speaker.playout.counts):
        for name, value in asdict(counts).items():
            yield Metric(f"speaker_{name}_total", value, labels)


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
