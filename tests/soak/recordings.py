"""What became of the recordings: that they can be played, and what they miss."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Final

import aiohttp

from spaces_contract.recording import GapReason
from spaces_contract.recording_manifest import Manifest
from tests.soak.hearing import Interval, overlap
from tests.soak.live_space import LiveSpace

READY_S: Final = 240.0  # the worker settles for 15 s, then the render runs
OVER: Final = frozenset({"ready", "failed", "erased"})
SAME_S: Final = 0.5  # a file as long as its manifest says, but for the encoder's delay
SPEECH_S: Final = 1.0  # how exactly a manifest tells when somebody is heard
# Who was heard again after a fault is recorded again after so long.
SETTLES_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    One Space's recording; without more than its state where it is not ready.

    Args:
        lost_s: For each worker killed, the audio before it that is not there.
        unlabelled_s: Speech that is missing, and no gap says so.
        gaps_s: Seconds by the reason that is given.
    """

    number: int
    state: str
    playable: bool = False
    duration_s: float = 0.0
    lost_s: tuple[float, ...] = ()
    unlabelled_s: float = 0.0
    gaps_s: dict[str, float] = field(default_factory=dict)


async def recorded(
    space: LiveSpace, loops: Sequence[Sequence[Interval]], loop_s: float
) -> Recorded:
    """
    Wait until a Space's recording is over, and check it.

    Args:
        loops: When each speaker speaks, in seconds of the loop that all repeat.
    """
    state = await _final_state(space)
    if state != "ready":
        return Recorded(number=space.number, state=state)
    manifest, audio = await _downloaded(space)
    played_s = await asyncio.to_thread(_played_s, audio)
    began_s = datetime.fromisoformat(manifest.began_at).timestamp()
    return Recorded(
        number=space.number,
        state=state,
        playable=abs(played_s - manifest.duration_ms / 1_000) < SAME_S,
        duration_s=played_s,
        lost_s=tuple(_lost_s(manifest, began_s, at_s) for at_s in space.losses),
        unlabelled_s=_unlabelled_s(space, manifest, began_s, loops, loop_s),
        gaps_s=_gaps_s(manifest),
    )


async def _downloaded(space: LiveSpace) -> tuple[Manifest, bytes]:
    """Return manifest and audio, by the URLs that a player gets."""
    urls = await space.host.call("GET", f"/v1/recordings/{space.id}/playback")
    async with aiohttp.ClientSession() as http:
        async with http.get(urls["manifest_url"]) as answer:
            manifest = Manifest.from_json(await answer.json(content_type=None))
        async with http.get(urls["audio_url"]) as answer:
            return manifest, await answer.read()


def _gaps_s(manifest: Manifest) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for gap in manifest.gaps:
        found[gap.reason] += (gap.to_ms - gap.from_ms) / 1_000
    return dict(found)


async def _final_state(space: LiveSpace) -> str:
    deadline_s = time.monotonic() + READY_S
    while True:
        mine = await space.host.call("GET", f"/v1/recordings/{space.id}")
        if mine["state"] in OVER or time.monotonic() > deadline_s:
            return str(mine["state"])
        await asyncio.sleep(1.0)


def _played_s(audio: bytes) -> float:
    """Decode all of it, and return how long it is."""
    import av

    with av.open(BytesIO(audio), "r") as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        return samples / (stream.rate or 1)


def _lost_s(manifest: Manifest, began_s: float, killed_s: float) -> float:
    """Return how long before a kill the gap begins that it made."""
    killed_ms = 1_000 * (killed_s - began_s)
    begun_ms = [
        gap.from_ms
        for gap in manifest.gaps
        if gap.reason is GapReason.WORKER_LOST
        and gap.from_ms - 1_000 <= killed_ms <= gap.to_ms
    ]
    return max((killed_ms - min(begun_ms)) / 1_000, 0.0) if begun_ms else float("inf")


def _unlabelled_s(
    space: LiveSpace,
    manifest: Manifest,
    began_s: float,
    loops: Sequence[Sequence[Interval]],
    loop_s: float,
) -> float:
    """Return the speech that was sent, is not heard, and lies in no gap."""
    missing_s = 0.0
    for speaker, loop in zip(space.speakers, loops, strict=True):
        there = [
            (from_ms / 1_000 - SPEECH_S, to_ms / 1_000 + SPEECH_S)
            for stem in manifest.stems
            if stem.uid == speaker.uid
            for from_ms, to_ms in stem.heard
        ]
        there += [
            (gap.from_ms / 1_000 - SPEECH_S, gap.to_ms / 1_000 + SETTLES_S)
            for gap in manifest.gaps
            if gap.uid in ("", speaker.uid)
        ]
        for said in _said(space, speaker.uid, loop, loop_s):
            moved = said[0] - began_s, said[1] - began_s
            missing_s += without(moved, there)
    return missing_s


def _said(
    space: LiveSpace, uid: str, loop: Sequence[Interval], loop_s: float
) -> list[Interval]:
    """Return when somebody spoke to a worker that lived, once all had agreed."""
    found: list[Interval] = []
    for attendee in space.attendees:
        for talk in attendee.talks if attendee.api.uid == uid else ():
            begin_s = max(talk.from_s, space.recorded_s) + SETTLES_S
            deaths = [at_s for at_s in space.losses if at_s > talk.from_s]
            end_s = min([talk.to_s or space.ended_s, space.ended_s, *deaths])
            turn_s = talk.from_s
            while turn_s < end_s:
                for from_s, to_s in loop:
                    part = max(begin_s, turn_s + from_s), min(end_s, turn_s + to_s)
                    if part[0] < part[1]:
                        found.append(part)
                turn_s += loop_s
    return found


def without(interval: Interval, others: Sequence[Interval]) -> float:
    """Return how many seconds of an interval no other one covers."""
    start_s, end_s = interval
    left_s = 0.0
    for other in sorted(others):
        if other[0] > start_s:
            left_s += overlap((start_s, end_s), (start_s, other[0]))
        start_s = max(start_s, other[1])
        if start_s >= end_s:
            return left_s
    return left_s + end_s - start_s
