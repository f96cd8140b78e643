"""What `/metrics` tells of a room: its people, its sound, what is made of it."""

from collections.abc import Iterator
from dataclasses import asdict

from .egress.processes.spread import SpreadEndpoint
from .live_edge.hls_broadcast import HlsBroadcast
from .metrics import Metric
from .recording.recorder import Recorder
from .room.durations import Durations
from .room.room import Room
from .room.speaker import Speaker


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
