"""
Kills recorders and renders at random instants and counts what is lost.

    python -m tests.crash.recording --kills 100

A recorder process takes numbered packets of one speaker in real time and says each
number once it has been taken.  After `kill -9` the highest number on disk must be less
than a second behind the last one said; with the disk gone as well, less than ten
seconds behind, by the objects alone.  What is left can be played, and says where it
broke off.  A render that was killed must succeed when it is run again, with the same
sound.
"""

import argparse
import asyncio
import hashlib
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from media_worker.audio.frames import ReceivedPacket
from media_worker.recording.opening import Stores
from media_worker.recording.recorder import Recorder
from media_worker.recording.stem_set import stem_set, sweep
from media_worker.room.clock import MonotonicClock
from media_worker.room.ports import DesiredState
from spaces_contract.ids import UserId
from spaces_contract.recording import GapReason
from spaces_contract.recording_objects import RenderFile
from tests.audio import rms
from tests.long_recording import Talker, speech_packets, store_recording
from tests.room_doubles import a_member
from tests.stems import (
    RECORDING,
    a_job,
    a_recording,
    put_job,
    recording_settings,
    render,
    rendered_bytes,
    rendered_manifest,
    rendered_sound,
    stores_in,
)

ROOT: Final = Path(__file__).parents[2]
PACKET_S: Final = 0.020
PAGE_LOSS_S: Final = 1.0
MACHINE_LOSS_S: Final = 10.0
SHORTEST_S, LONGEST_S = 0.8, 3.0
AT_ONCE: Final = 4
RENDERED_S: Final = 60
_NUMBER: Final = struct.Struct(">I")
_CELT_20_MS: Final = b"\xf8"  # then four bytes of number: valid enough to be stored


@dataclass(frozen=True, slots=True)
class Loss:
    """What one kill cost, in seconds of audio."""

    process_s: float
    machine_s: float


async def record(folder: Path) -> None:
    """Record for ever; write the number of each packet to standard output."""
    clock = MonotonicClock()
    recorder = Recorder(
        epoch=1,
        storage=stores_in(folder).storage(clock),
        clock=clock,
        utc_now=lambda: datetime.now(UTC),
        fresh=lambda: True,
        warn=lambda _: None,
    )
    running = asyncio.create_task(recorder.run())
    began_at_ms = time.time_ns() // 1_000_000
    recorder.apply(
        DesiredState(
            epoch=1,
            live=True,
            title="",
            stage={UserId("ana"): a_member("ana")},
            removed=frozenset(),
            recording=a_recording("ana", began_at_ms=began_at_ms),
        )
    )
    number, due_s = 0, clock.now_s()
    while not running.done():
        if recorder.open_stems:
            recorder.packet_received(UserId("ana"), _packet(number, clock.now_s()))
            os.write(1, _NUMBER.pack(number))
            number += 1
        # On a machine that is too busy for real time, rather slow than in bursts.
        due_s = max(due_s + PACKET_S, clock.now_s())
        await clock.sleep_until(due_s)


def _packet(number: int, now_s: float) -> ReceivedPacket:
    return ReceivedPacket(
        ssrc=1,
        sequence_number=number & 0xFFFF,
        timestamp=number * 960,
        payload=_CELT_20_MS + _NUMBER.pack(number),
        level_dbov=None,
        arrival_s=now_s,
    )


def kill_recorder(folder: Path, life_s: float) -> Loss:
    """Let a recorder take so many seconds of sound; return what its end cost."""
    command = [sys.executable, "-m", "tests.crash.recording", "--record", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        # In sound, not in time: a busy machine gives the recorder little of its own.
        packets = 1 + int(life_s / PACKET_S)
        said = process.stdout.read(packets * _NUMBER.size)
        time.sleep(life_s % PACKET_S)
        spool = stores_in(folder).spool
        if spool.names(RECORDING) and spool.holders(RECORDING) != {1: True}:
            raise AssertionError("others would take what it still writes")
        process.kill()
        said += process.stdout.read()
    if any(spool.holders(RECORDING).values()):
        raise AssertionError("nobody takes what it left")
    taken = len(said) // _NUMBER.size
    # Another machine sees the objects alone.
    machine_s = (taken - _stored(folder, spool="elsewhere")) * PACKET_S
    stored = _stored(folder, spool="spool")
    _check_partial(folder, round(stored * PACKET_S * 1_000))
    return Loss((taken - stored) * PACKET_S, machine_s)


def _check_partial(folder: Path, stored_ms: int) -> None:
    """
    Render what is left of a killed recorder.

    Raises:
        AssertionError: it cannot be played, or does not say where it broke off.
    """
    stores = stores_in(folder)
    render(stores, a_job("ana"))
    manifest = rendered_manifest(stores)
    lost = [gap for gap in manifest.gaps if gap.reason is GapReason.WORKER_LOST]
    if not manifest.partial or len(lost) != 1:
        raise AssertionError("it does not say that it is partial")
    if abs(lost[0].from_ms - manifest.duration_ms) > PAGE_LOSS_S * 1_000:
        raise AssertionError(f"the gap is not where it broke off: {lost[0]}")
    played_ms = len(rendered_sound(stores)) / 48
    if played_ms < stored_ms - 20:
        raise AssertionError(f"{played_ms} ms of {stored_ms} can be played")


def _stored(folder: Path, *, spool: str) -> int:
    """Return how many packets a render would find, all of them whole and in order."""
    stores, job = stores_in(folder, spool=spool), a_job("ana")
    sweep(job, stores)
    packets = [
        packet
        for item in stem_set(job, stores).epochs
        for page in item.reader.pages()
        for packet in page.packets
    ]
    numbers = [_NUMBER.unpack_from(packet, 1)[0] for packet in packets]
    if numbers != list(range(len(numbers))):
        raise AssertionError("packets are missing before the end")
    return len(numbers)


def kill_recorders(
    kills: int, *, seed: int, longest_s: float = LONGEST_S
) -> list[Loss]:
    """Kill so many recorders, some at once; return what each end cost."""
    chance = random.Random(seed)
    lives = [chance.uniform(SHORTEST_S, longest_s) for _ in range(kills)]

    async def all_of_them() -> list[Loss]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(life_s: float) -> Loss:
            async with slots:
                with tempfile.TemporaryDirectory() as folder:
                    return await asyncio.to_thread(kill_recorder, Path(folder), life_s)

        return await asyncio.gather(*(one(life_s) for life_s in lives))

    return asyncio.run(all_of_them())


def kill_renders(kills: int, *, seed: int) -> None:
    """
    Kill so many renders of one job; then let one be done, with nobody the wiser.

    Raises:
        AssertionError: a killed render left a result, or spoiled the last one's.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder, stores = Path(name), stores_in(Path(name))
        talker = Talker("ana", speech_packets()[0])
        store_recording(stores, [talker], seconds=RENDERED_S)
        job = a_job("ana")
        put_job(stores, job)
        whole_s = _timed_render(folder / "warm-up")
        for _ in range(kills):
            _kill_render(folder, chance.uniform(0, whole_s))
            _check_whole(stores)
        last = subprocess.run(_render_command(), env=_render_env(folder), cwd=ROOT)
        if last.returncode != 0 or not _check_whole(stores):
            raise AssertionError("the render did not recover")
        sound = rendered_sound(stores)
        if abs(len(sound) / 48_000 - RENDERED_S) > 0.1 or rms(sound) < 1_000:
            raise AssertionError("the render is not what was recorded")


def _timed_render(folder: Path) -> float:
    stores = stores_in(folder)
    talker = Talker("ana", speech_packets()[0])
    store_recording(stores, [talker], seconds=RENDERED_S)
    put_job(stores, a_job("ana"))
    began_s = time.monotonic()
    subprocess.run(_render_command(), env=_render_env(folder), cwd=ROOT, check=True)
    return time.monotonic() - began_s


def _kill_render(folder: Path, life_s: float) -> None:
    with subprocess.Popen(
        _render_command(), env=_render_env(folder), cwd=ROOT
    ) as process:
        try:
            process.wait(life_s)
        except subprocess.TimeoutExpired:
            process.kill()


def _check_whole(stores: Stores) -> bool:
    """Return whether there is a manifest; where there is one, its file must fit."""
    try:
        manifest = rendered_manifest(stores)
    except FileNotFoundError:
        return False
    audio = rendered_bytes(stores, RenderFile.AUDIO)
    if hashlib.sha256(audio).hexdigest() != manifest.audio_sha256:
        raise AssertionError("a manifest stands beside a file that is not its own")
    return True


def _render_command() -> list[str]:
    module = (sys.executable, "-m", "media_worker.recording", "render")
    return [*module, "--recording", RECORDING, "--version", "1"]


def _render_env(folder: Path) -> dict[str, str]:
    return {**os.environ, **recording_settings(folder)}


def main() -> int:
    """Run as the module's docstring says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, help="be the process that is killed")
    options = parser.parse_args()
    if options.record:
        asyncio.run(record(options.record))
        return 1
    # Half of them live long enough for objects: the machine's loss shows there.
    short = kill_recorders(options.kills // 2, seed=options.seed)
    longest_s = 2.5 * MACHINE_LOSS_S
    long = kill_recorders(
        options.kills - len(short), seed=options.seed + 1, longest_s=longest_s
    )
    losses = short + long
    kill_renders(options.kills, seed=options.seed)
    process_s = max(loss.process_s for loss in losses)
    machine_s = max(loss.machine_s for loss in losses)
    sys.stdout.write(
        f"{len(losses)} recorders killed: at most {process_s:.2f} s lost with the"
        f" process, {machine_s:.2f} s with the machine; {options.kills} renders killed,"
        " the next one whole\n"
    )
    return int(process_s > PAGE_LOSS_S or machine_s > MACHINE_LOSS_S)


if __name__ == "__main__":
    sys.exit(main())
