"""What recording costs a worker, and what a render of two hours takes."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.opus import Decoder
from media_worker.recording.opening import Stores
from media_worker.recording.recorder import FLUSH_S, UPLOAD_CHECK_S, Recorder
from spaces_contract.ids import UserId
from tests.audio import alignment
from tests.benchmarks.echo_talk import (
    CLEAN_S,
    SPEEDS,
    withheld_clean,
    withheld_echo,
)
from tests.benchmarks.ffmpeg_render import Took, ffmpeg_render, timed
from tests.long_recording import Talker, speech_packets, store_recording
from tests.room_doubles import a_member, desired
from tests.stems import (
    RECORDING,
    a_job,
    a_recording,
    put_job,
    recording_settings,
    rendered_manifest,
    rendered_sound,
    stores_in,
)

ROOT: Final = Path(__file__).parents[2]
STAGE: Final = tuple(f"user-{number:02}" for number in range(13))
BUDGET_CPU_PERCENT: Final = 2.0
BUDGET_SPEED: Final = 100.0
BUDGET_RSS_MB: Final = 300.0
BUDGET_ALIGNMENT_MS: Final = 20.0
BUDGET_FALSE_PERCENT: Final = 1.0
ECHO_DB: Final = -20
RECORDED_S: Final = 120
RENDERED_S: Final = 7_200
BY_FFMPEG_S: Final = 600  # it takes four times as long
DRIFT: Final = 1e-4  # 100 ppm, the worst that sound cards do
TICK_S: Final = 0.020
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
QUIET: Final = b"\xf8\x01\x02"


class CountedClock:
    """Shows what it is set to: a recorder is driven as fast as it goes."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_s(self) -> float:
        """Return the time that it was set to."""
        return self.at_s

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Any:
        """Fail: nothing here is due at a time."""
        raise AssertionError("the recorder asked to be called at a time")

    async def sleep_until(self, due_s: float) -> None:
        """Let others run."""
        await asyncio.sleep(0)


async def _record(folder: Path, consenting: tuple[str, ...], seconds: int) -> float:
    """Record a full stage of whom two talk; return the share of a core."""
    clock = CountedClock()
    recorder = Recorder(
        epoch=1,
        storage=stores_in(folder).storage(clock),
        clock=clock,
        utc_now=lambda: BEGAN + timedelta(seconds=clock.at_s),
        fresh=lambda: True,
        warn=lambda _: None,
    )
    room = desired(*(a_member(user_id) for user_id in STAGE))
    began_at_ms = round(BEGAN.timestamp() * 1_000)
    recording = a_recording(*consenting, began_at_ms=began_at_ms)
    recorder.apply(replace(room, recording=recording))
    while recorder.open_stems < len(consenting):  # noqa: ASYNC110 - a thread's work
        await asyncio.sleep(0.01)
    running = asyncio.create_task(recorder.echo.run(lambda _: None))
    voices = [packets * 200 for packets in speech_packets()]
    blocks = [_decoded(packets[:100]) * 200 for packets in voices]
    began_s = time.process_time()
    for tick in range(round(seconds / TICK_S)):
        for number, user_id in enumerate(STAGE):
            packet = voices[number][tick] if number < 2 else QUIET
            level = 30 if number < 2 else 127
            recorder.packet_received(
                UserId(user_id), _packet(tick, packet, level, clock.at_s)
            )
        recorder.blocks_heard(
            {UserId(STAGE[i]): voice[tick] for i, voice in enumerate(blocks)}
        )
        clock.at_s += TICK_S
        if tick % round(FLUSH_S / TICK_S) == 0:
            await recorder.flush()
        if tick % round(UPLOAD_CHECK_S / TICK_S) == 0:
            await recorder.upload()
        while recorder.echo.is_busy:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.001)  # looking more often would be the dearer part
    used_s = time.process_time() - began_s
    running.cancel()
    return 100 * used_s / seconds


def _decoded(packets: list[bytes]) -> list[Any]:
    with Decoder() as decoder:
        return [decoder.decode(packet) for packet in packets]


def _packet(tick: int, payload: bytes, level: int, now_s: float) -> ReceivedPacket:
    return ReceivedPacket(
        ssrc=1,
        sequence_number=tick & 0xFFFF,
        timestamp=tick * 960,
        payload=payload,
        level_dbov=level,
        arrival_s=now_s,
    )


def _render(folder: Path) -> Took:
    """Render in a process of its own."""
    command = (
        *(sys.executable, "-m", "media_worker.recording", "render"),
        *("--recording", RECORDING, "--version", "1"),
    )
    return timed(command, env={**os.environ, **recording_settings(folder)})


def _misalignment_ms(stores: Stores, talker: Talker) -> float:
    """Return how far the drifting talker's last turn is from its place."""
    (stem,) = (s for s in rendered_manifest(stores).stems if s.uid == talker.user_id)
    sound = rendered_sound(stores)
    said = np.concatenate(_decoded(list(talker.packets)))
    turn_s = round(stem.heard[-1][0] / 10_000) * 10
    number = turn_s * 50 + 100  # two seconds into the turn
    place = round(number * 960 / (1 + talker.drift))
    phase = number % len(talker.packets) * 960
    expected = np.tile(said, 2)[phase : phase + 48_000]
    heard = sound[place - 4_800 : place + 48_000 + 4_800]
    return abs(alignment(expected, heard) - 4_800) / 48


def run() -> list[dict[str, Any]]:
    """Return the rows of `bench.json`."""
    with tempfile.TemporaryDirectory() as name:
        return [
            *_recording(Path(name) / "live"),
            *_guarding(),
            *_rendering(Path(name) / "kept"),
        ]


def _recording(folder: Path) -> list[dict[str, Any]]:
    plain = asyncio.run(_record(folder / "plain", STAGE, RECORDED_S))
    consenting = (STAGE[0], *STAGE[2:])
    guarded = asyncio.run(_record(folder / "guarded", consenting, RECORDED_S))
    stage = "recording, 13 on stage of whom 2 talk: CPU"
    core, budget = "% of a core", BUDGET_CPU_PERCENT
    declines = f"{stage}, one who talks declines"
    return [
        _row(stage, plain, core, "budget", budget),
        _row(declines, guarded, core, "budget", budget),
    ]


def _guarding() -> list[dict[str, Any]]:
    clean, echo = 100 * withheld_clean(), 100 * withheld_echo(ECHO_DB)
    minutes = len(SPEEDS) * CLEAN_S // 60
    return [
        _row(
            f"echo guard: withheld of {minutes} min of clean talk, two at once",
            clean,
            "%",
            "budget",
            BUDGET_FALSE_PERCENT,
        ),
        _row(
            f"echo guard: withheld of an echo at {ECHO_DB} dB under talk",
            echo,
            "%",
            "all of it",
            100.0,
        ),
    ]


def _rendering(folder: Path) -> list[dict[str, Any]]:
    stores, talkers = stores_in(folder), _talkers()
    store_recording(stores, talkers, seconds=RENDERED_S)
    put_job(stores, a_job(*STAGE))
    took = _render(folder)
    speed = RENDERED_S / took.wall_s
    render = f"render of {RENDERED_S // 3_600} h, 13 stems: "
    off_ms = _misalignment_ms(stores, talkers[-1])
    off = f"{render}misalignment at the end, clock 100 ppm off"
    by_ffmpeg = _by_ffmpeg(folder / "ffmpeg")
    per_core = RENDERED_S / took.cpu_s
    return [
        _row(f"{render}speed", speed, "x", "budget", BUDGET_SPEED),
        _row(f"{render}speed on one core", per_core, "x", *by_ffmpeg),
        _row(f"{render}peak memory", took.peak_mb, "MB", "budget", BUDGET_RSS_MB),
        _row(off, off_ms, "ms", "budget", BUDGET_ALIGNMENT_MS),
    ]


def _talkers() -> list[Talker]:
    """Return a stage of whom two talk at any time, in turns."""
    packets = speech_packets()
    return [
        Talker(user_id, packets[i % 2], i // 2, 7, DRIFT if i == 12 else 0.0)
        for i, user_id in enumerate(STAGE)
    ]


def _by_ffmpeg(folder: Path) -> tuple[str, float | None]:
    """Return how fast the first minutes of the same stems are, on one core."""
    stores = stores_in(folder)
    store_recording(stores, _talkers(), seconds=BY_FFMPEG_S)
    took = ffmpeg_render(stores, a_job(*STAGE), folder)
    if took is None:
        return "ffmpeg is not installed here", None
    return "ffmpeg: amix, loudnorm, aac", BY_FFMPEG_S / took.cpu_s


def _row(
    name: str, value: float, unit: str, baseline: str, baseline_value: float | None
) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": baseline,
        "baseline_value": baseline_value,
        "ratio": None if baseline_value is None else value / baseline_value,
    }
