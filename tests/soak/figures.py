"""The figures of a soak that is over."""

import os
from collections import Counter, defaultdict
from typing import Final

from tests.soak.attendee import Attendee
from tests.soak.live_space import LISTENERS, SPEAKERS, LiveSpace
from tests.soak.processes import CLIENTS, MOST_GROWTH, Growth
from tests.soak.recordings import Recorded
from tests.soak.report import Row, promises
from tests.soak.soak import TWICE, Soak

# A join while a lost worker is being replaced is part of that, and judged there.
REPLACED_WITHIN_S: Final = 45.0
UNLABELLED_S: Final = 1.0  # of speech for each worker killed, and once more
WHOLE_S: Final = 600.0  # a soak as long as that measures everything
UNITS: Final = {"rss_mb": "MB", "descriptors": "", "threads": ""}


def figures(soak: Soak, processes_left: int) -> list[Row]:
    """Return all figures: what is promised, what leaks, and what it took."""
    return [
        *promises(samples(soak), whole=soak.options.duration_s >= WHOLE_S),
        *_recordings(soak.recordings),
        *_leaks(soak, processes_left),
        *_load(soak),
    ]


def samples(soak: Soak) -> dict[str, list[float]]:
    """Return what was measured, by the promise that it belongs to."""
    pairs = [(space, each) for space in soak.spaces for each in space.attendees]
    return {
        "api-availability": soak.calls.outcomes,
        "api-read-latency": soak.calls.took_s["read"],
        "api-write-latency": soak.calls.took_s["write"],
        "api-join-latency": soak.calls.took_s["join"],
        "start-to-audio": [space.start_to_audio_s for space in soak.spaces],
        "join-to-audio": [
            took_s for space, each in pairs for took_s in _joins(space, each)
        ],
        "audio-continuity": [
            good for space, each in pairs for good in each.hearing.minutes(space.losses)
        ],
        "audio-after-loss": [
            took_s
            for space, each in pairs
            for took_s in each.hearing.recoveries(space.losses)
        ],
        "reminder-lateness": soak.reminders.late_s,
        "acknowledged-lost": [1.0] * len(soak.lost),
        "recordings-playable": [float(each.playable) for each in soak.recordings],
        "recording-loss-process": [
            lost_s for each in soak.recordings for lost_s in each.lost_s
        ],
    }


def _joins(space: LiveSpace, attendee: Attendee) -> list[float]:
    """Return how long joins of a Space took that was live, and whose worker lived."""
    return [
        took_s
        for began_s, took_s in attendee.joins_s
        if began_s > space.heard_from_s
        and not any(
            at_s - took_s <= began_s < at_s + REPLACED_WITHIN_S for at_s in space.losses
        )
    ]


def _recordings(recordings: list[Recorded]) -> list[Row]:
    if not recordings:
        return []
    allowed_s = UNLABELLED_S * max(1 + len(each.lost_s) for each in recordings)
    worst_s = max(each.unlabelled_s for each in recordings)
    gaps: defaultdict[str, float] = defaultdict(float)
    for each in recordings:
        for reason, long_s in each.gaps_s.items():
            gaps[reason] += long_s
    labelled = ", ".join(f"{reason} {long_s:.1f} s" for reason, long_s in gaps.items())
    of = f"worst of {len(recordings)}; gaps in all: {labelled or 'none'}"
    name = "recorded speech missing without a gap that says so"
    return [_row(name, worst_s, of, unit="s", most=allowed_s)]


def _leaks(soak: Soak, processes_left: int) -> list[Row]:
    growths = soak.watch.growths(soak.began_s, soak.ended_s)
    rows = [
        _growth(thing, [each for each in growths if each.thing == thing])
        for thing in MOST_GROWTH
        if any(each.thing == thing for each in growths)
    ]
    left = soak.workers_left + processes_left
    most = ", ".join(f"{count} {kind}" for kind, count in soak.watch.most.items())
    of = f"at most at a time: {most}"
    rows.append(_row("processes left after the end", left, of, most=0))
    return rows


def _growth(thing: str, growths: list[Growth]) -> Row:
    worst = max(growths, key=lambda each: each.by)
    of = ", ".join(f"{each.kind} {each.by:+.1f} to {each.to:.0f}" for each in growths)
    name = f"growth of {thing.removesuffix('_mb')} over the second half"
    return _row(name, worst.by, of, unit=UNITS[thing], most=MOST_GROWTH[thing])


def _load(soak: Soak) -> list[Row]:
    cores = os.cpu_count() or 1
    load = soak.load
    kinds = ", ".join(f"{k} {100 * n / cores:.1f} %" for k, n in load.cores.items())
    clients = 100 * load.cores.get(CLIENTS, 0.0) / max(load.total, 1e-9)
    ours = f"of {cores} cores; we take {100 * load.total / cores:.1f} %"
    people = f"of {SPEAKERS} speakers and {LISTENERS} listeners"
    faults = [what.split(",")[0].split(" for ")[0] for _, what in soak.breaker.done]
    broken = f"{_counted(Counter(faults))}; {100 * TWICE:.0f} % of tasks came twice"
    again = soak.calls.tries_again
    return [
        _row("Spaces", len(soak.spaces), people),
        _row("faults", len(faults), broken),
        _row("free", 100 * (1 - load.machine / cores), ours, unit="% of the machine"),
        _row("clients' CPU", clients, f"of all cores: {kinds}", unit="% of ours"),
        _row("acknowledged", soak.acknowledged, "", unit="changes"),
        _row("tries that were made again", again.total(), _counted(again)),
    ]


def _row(
    name: str, value: float, of: str, *, unit: str = "", most: float | None = None
) -> Row:
    """Return a figure that is no promise; `most`: what it may be all the same."""
    if most is None:
        return Row(name=name, value=value, unit=unit, of=of)
    bound = f"≤ {most:g} {unit}".rstrip() if most else "none"
    kept = value <= most
    return Row(name=name, value=value, unit=unit, bound=bound, kept=kept, of=of)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{each}: {n}" for each, n in counts.most_common(6))
