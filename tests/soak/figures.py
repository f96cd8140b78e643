"""The figures of a soak that is over."""

import os
from collections import Counter
from typing import Final

from tests.soak.attendee import Attendee
from tests.soak.live_space import LISTENERS, SPEAKERS, LiveSpace
from tests.soak.processes import CLIENTS, MOST_GROWTH
from tests.soak.recordings import Recorded
from tests.soak.report import Row, promises
from tests.soak.soak import TWICE, Soak

# A join while a lost worker is being replaced is part of that, and judged there.
REPLACED_WITHIN_S: Final = 45.0
UNLABELLED_S: Final = 1.0  # of speech for each worker killed, and once more
UNITS: Final = {"rss_mb": "MB", "descriptors": "", "threads": ""}


def figures(soak: Soak, processes_left: int) -> list[Row]:
    """Return all figures: what is promised, what leaks, and what it took."""
    return [
        *promises(samples(soak)),
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
    worst = max(recordings, key=lambda each: each.unlabelled_s)
    gaps: dict[str, float] = {}
    for each in recordings:
        for reason, long_s in each.gaps_s.items():
            gaps[reason] = gaps.get(reason, 0.0) + long_s
    labelled = ", ".join(f"{reason} {long_s:.1f} s" for reason, long_s in gaps.items())
    return [
        Row(
            name="speech missing in a recording, and no gap says so",
            value=worst.unlabelled_s,
            unit="s",
            bound=f"≤ {allowed_s:g} s",
            kept=worst.unlabelled_s <= allowed_s,
            of=f"worst of {len(recordings)}; gaps: {labelled or 'none'}",
        )
    ]


def _leaks(soak: Soak, processes_left: int) -> list[Row]:
    growths = soak.watch.growths(soak.began_s, soak.ended_s)
    rows = []
    for thing, most in MOST_GROWTH.items():
        of_it = [each for each in growths if each.thing == thing]
        if not of_it:
            continue
        worst = max(of_it, key=lambda each: each.by)
        rows.append(
            Row(
                name=f"growth of {thing.replace('_mb', '')} over the second half",
                value=worst.by,
                unit=UNITS[thing],
                bound=f"≤ {most:g}",
                kept=not worst.leaks,
                of=", ".join(
                    f"{each.kind} {each.by:+.1f} to {each.to:.0f}" for each in of_it
                ),
            )
        )
    left = soak.workers_left + processes_left
    return [
        *rows,
        Row(
            name="processes left after the end",
            value=left,
            unit="",
            bound="none",
            kept=left == 0,
            of=", ".join(f"{soak.watch.most[kind]} {kind}" for kind in soak.watch.most),
        ),
    ]


def _load(soak: Soak) -> list[Row]:
    cores = os.cpu_count() or 1
    load, clients = soak.load, soak.load.cores.get(CLIENTS, 0.0)
    by_kind = ", ".join(
        f"{kind} {100 * used / cores:.1f} %" for kind, used in load.cores.items()
    )
    faults = [what.split(",")[0].split(" for ")[0] for _, what in soak.breaker.done]
    counted = ", ".join(f"{each}: {n}" for each, n in Counter(faults).most_common())
    again = soak.calls.tries_again.most_common(6)
    why = ", ".join(f"{each}: {n}" for each, n in again)
    return [
        Row(
            name="Spaces",
            value=len(soak.spaces),
            unit="",
            of=f"of {SPEAKERS} speakers and {LISTENERS} listeners",
        ),
        Row(
            name="faults",
            value=len(faults),
            unit="",
            of=f"{counted}; of all tasks {100 * TWICE:.0f} % came twice",
        ),
        Row(
            name="free of the machine",
            value=100 * (1 - load.machine / cores),
            unit="%",
            of=f"of {cores} cores; we take {100 * load.total / cores:.1f} %",
        ),
        Row(
            name="CPU of the clients",
            value=100 * clients / max(load.total, 1e-9),
            unit="% of what is used",
            of=f"of all cores: {by_kind}",
        ),
        Row(name="acknowledged", value=soak.acknowledged, unit="changes"),
        Row(
            name="tries that were made again",
            value=sum(soak.calls.tries_again.values()),
            unit="",
            of=why,
        ),
    ]
