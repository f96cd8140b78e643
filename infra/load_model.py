"""
What one Space costs for an hour, by how many listen: `python -m infra.load_model`.

Figures are measured (`python -m tests.benchmarks swarm hls listeners relays calls`; ADR
25 says where and when); prices are list prices to be replaced by one's own:
`--price firestore_read_usd=0.0000003`.
"""

import argparse
import dataclasses
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

HOUR_S: Final = 3_600
MILLION: Final = 1_000_000
AUDIENCES: Final = (1, 10_000, MILLION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    What was measured, or follows from how it is made.

    Args:
        webrtc_capacity: Listeners by WebRTC before a Space sends people to HLS.
        come_within_s: How fast an audience comes, for the peak of joins.
        spread_s: Over which clients spread the fetching of a key.
        cdn_keys_from: From so many on keys come from the CDN.
        key_links_last_s: How long its signatures do: whoever hears on begins anew, with
            another token and their own playlist.
    """

    webrtc_capacity: int = 5_000
    webrtc_listeners_a_core: int = 2_500
    webrtc_bytes_a_second: float = 5_500.0
    room_cores: float = 0.07
    hls_cores: float = 0.014
    segment_bytes: float = 9_200.0
    playlist_bytes: float = 1_200.0
    room_json_bytes: float = 1_500.0
    edge_polls_a_second: float = 1.0
    origin_requests_a_second: float = 2.0
    store_writes_a_second: float = 3.0
    join_cpu_ms: float = 15.5
    token_cpu_ms: float = 7.8
    own_playlist_cpu_ms: float = 6.6
    key_cpu_ms: float = 6.0
    join_reads: int = 5
    join_writes: int = 1
    token_reads: int = 5
    own_playlist_reads: int = 2
    key_reads: int = 1
    key_period_s: float = 300.0
    token_period_s: float = 480.0
    come_within_s: float = 300.0
    spread_s: float = 60.0
    cdn_keys_from: int = 10_000
    key_links_last_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """List prices in US dollars, rounded; a contract has others."""

    core_hour_usd: float = 0.035
    function_core_hour_usd: float = 0.086
    function_request_usd: float = 0.40 / MILLION
    machine_egress_gb_usd: float = 0.085
    cdn_egress_gb_usd: float = 0.04
    cdn_request_usd: float = 0.75 / MILLION
    store_write_usd: float = 5.0 / MILLION
    store_read_usd: float = 0.4 / MILLION
    firestore_read_usd: float = 0.6 / MILLION
    firestore_write_usd: float = 1.8 / MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """
    One Space for an hour.

    Args:
        worker_cores: Of room, relays and HLS.
        function_cores: At the peak: everybody comes within `come_within_s`, or fetches
            a key within `spread_s`.
        function_requests: Of the hour, as those of the CDN and of its origin are.
    """

    webrtc: int
    hls: int
    worker_cores: float
    function_cores: float
    function_requests: float
    function_cpu_hours: float
    cdn_requests: float
    origin_requests: float
    store_writes: float
    machine_gb: float
    cdn_gb: float
    firestore_reads: float
    firestore_writes: float


F = TypeVar("F", Figures, Prices)


def load_of(listeners: int, figures: Figures) -> Load:
    """Return the load of a Space with one person talking and so many listening."""
    webrtc = min(listeners, figures.webrtc_capacity)
    hls = listeners - webrtc
    on = 1 if hls else 0
    by_cdn = hls >= figures.cdn_keys_from
    keys = 0 if by_cdn else hls * HOUR_S / figures.key_period_s
    renewed_s = figures.key_links_last_s if by_cdn else figures.token_period_s
    tokens = hls * HOUR_S / renewed_s
    playlists = listeners + (tokens if by_cdn else 0)
    # A join, and a POST of SDP or one's own playlist, which cost alike.
    cpu_ms = (
        listeners * figures.join_cpu_ms
        + playlists * figures.own_playlist_cpu_ms
        + tokens * figures.token_cpu_ms
        + keys * figures.key_cpu_ms
    )
    polls = hls * figures.edge_polls_a_second * HOUR_S
    second_bytes = (
        figures.segment_bytes + figures.playlist_bytes + figures.room_json_bytes
    )
    # People who hear by WebRTC read room.json from the CDN too.
    rooms = webrtc * figures.edge_polls_a_second * HOUR_S
    return Load(
        webrtc=webrtc,
        hls=hls,
        worker_cores=figures.room_cores
        + webrtc / figures.webrtc_listeners_a_core
        + on * figures.hls_cores,
        function_cores=_peak_cores(listeners, hls, figures),
        function_requests=listeners + playlists + tokens + keys,
        function_cpu_hours=cpu_ms / 1000 / HOUR_S,
        cdn_requests=3 * polls + rooms,
        origin_requests=figures.origin_requests_a_second * HOUR_S,
        store_writes=(1 + on * (figures.store_writes_a_second - 1)) * HOUR_S,
        machine_gb=webrtc * figures.webrtc_bytes_a_second * HOUR_S / 1e9,
        cdn_gb=(polls * second_bytes + rooms * figures.room_json_bytes) / 1e9,
        firestore_reads=listeners * figures.join_reads
        + playlists * figures.own_playlist_reads
        + tokens * figures.token_reads
        + keys * figures.key_reads,
        firestore_writes=float(listeners * figures.join_writes),
    )


def _peak_cores(listeners: int, hls: int, figures: Figures) -> float:
    come_ms = figures.join_cpu_ms + figures.own_playlist_cpu_ms
    coming = listeners * come_ms / 1000 / figures.come_within_s
    if hls >= figures.cdn_keys_from:
        return coming
    return max(coming, hls * figures.key_cpu_ms / 1000 / figures.spread_s)


def cost_of(load: Load, prices: Prices) -> dict[str, float]:
    """Return US dollars of the hour, by what they are for."""
    return {
        "workers": load.worker_cores * prices.core_hour_usd,
        "functions": load.function_cpu_hours * prices.function_core_hour_usd
        + load.function_requests * prices.function_request_usd,
        "egress of workers": load.machine_gb * prices.machine_egress_gb_usd,
        "egress of the CDN": load.cdn_gb * prices.cdn_egress_gb_usd,
        "requests at the CDN": load.cdn_requests * prices.cdn_request_usd,
        "object store": load.store_writes * prices.store_write_usd
        + load.origin_requests * prices.store_read_usd,
        "Firestore": load.firestore_reads * prices.firestore_read_usd
        + load.firestore_writes * prices.firestore_write_usd,
    }


def report(audiences: Sequence[int], figures: Figures, prices: Prices) -> str:
    """Return the table, one column for each audience."""
    loads = [load_of(listeners, figures) for listeners in audiences]
    costs = [cost_of(load, prices) for load in loads]
    rows = [["listeners", *(f"{each:,}" for each in audiences)]]
    for field in dataclasses.fields(Load):
        values = (getattr(load, field.name) for load in loads)
        name = field.name.replace("_", " ")
        rows.append([name, *(_figure(value) for value in values)])
    for name in costs[0]:
        rows.append([f"$ {name}", *(_figure(cost[name]) for cost in costs)])
    sums = [sum(cost.values()) for cost in costs]
    rows.append(["$ of the hour", *(_figure(total) for total in sums)])
    each = (total / count for total, count in zip(sums, audiences, strict=True))
    rows.append(["$ a listener", *(_figure(value) for value in each)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def _figure(value: float) -> str:
    """Three digits that count; people are whole."""
    if isinstance(value, int) or not value:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.{digits}f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listeners", nargs="*", type=int, default=AUDIENCES)
    for kind in ("figure", "price"):
        parser.add_argument(
            f"--{kind}", action="append", default=[], metavar="NAME=VALUE"
        )
    given = parser.parse_args(arguments)
    try:
        figures = _changed(Figures(), given.figure)
        prices = _changed(Prices(), given.price)
    except (AttributeError, ValueError) as error:
        parser.error(str(error))
    sys.stdout.write(report(given.listeners, figures, prices) + "\n")


def _changed(figures: F, pairs: Sequence[str]) -> F:
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        changes[name] = type(getattr(figures, name))(value)
    return dataclasses.replace(figures, **changes)


if __name__ == "__main__":
    main()
