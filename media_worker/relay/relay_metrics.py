"""What `/metrics` tells of a relay beside what every worker tells."""

from collections.abc import Iterator
from dataclasses import asdict

from ..metrics import Metric
from .feed import Feed
from .relay_room import RelayRoom


def relay_metrics(room: RelayRoom, feed: Feed | None) -> Iterator[Metric]:
    """
    Yield who hears the relay, and what the way over it costs.

    The hop's delay is half the way to the origin and back, and what a frame spends in
    this process: no clocks have to agree.
    """
    yield Metric("relay_index", room.index)
    yield Metric("listeners", room.listener_count)
    if feed is None:
        return
    held_s = room.held.quantile_s(0.5)
    yield Metric("relay_feed_up", int(feed.is_up))
    yield Metric("relay_feeds_opened_total", feed.opened)
    yield Metric("relay_feed_rtt_s", feed.rtt_s)
    yield Metric("relay_hop_delay_s", feed.rtt_s / 2 + held_s)
    for name, value in asdict(feed.counts).items():
        yield Metric(f"relay_feed_{name}_total", value)
    for share in (0.5, 0.99):
        labels = {"quantile": str(share)}
        yield Metric("relay_held_quantile_s", room.held.quantile_s(share), labels)
