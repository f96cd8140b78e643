"""A recorder is awake while something is recorded, and at no other time."""

import asyncio
import threading
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from media_worker.recording.recorder import Recorder
from spaces_contract.ids import UserId
from spaces_contract.recording import DesiredRecording, RecordingState
from tests.audio import tone
from tests.room_doubles import TurnedClock, a_member, desired
from tests.stems import (
    PATIENCE_S,
    RECORDING,
    Stage,
    a_recording,
    eventually,
    pages_below,
)


class CountingClock(TurnedClock):
    """Counts how often somebody asked to be woken."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeps = 0

    async def sleep_until(self, due_s: float) -> None:
        """Count, and sleep."""
        self.sleeps += 1
        await super().sleep_until(due_s)


def a_recorder(clock: TurnedClock) -> Recorder:
    """Return a recorder of a worker that has no store."""
    return Recorder(
        epoch=1,
        storage=None,
        clock=clock,
        utc_now=lambda: datetime.now(UTC),
        fresh=lambda: True,
        warn=lambda _: None,
    )


async def test_an_idle_recorder_is_never_woken() -> None:
    """
    Not in a minute, be a recording off, asked for, or over.
    """
    clock = CountingClock()
    recorder = a_recorder(clock)
    running = asyncio.create_task(recorder.run())
    pending = a_recording(state=RecordingState.PENDING, began_at_ms=0)
    for recording in (DesiredRecording(), pending):
        recorder.apply(replace(desired(a_member("ana")), recording=recording))
        await clock.advance(60)
    running.cancel()

    assert clock.sleeps == 0


async def test_it_wakes_for_a_recording_and_sleeps_after_it(tmp_path: Path) -> None:
    """
    What was taken is stored without anybody's asking; then it is at rest again.
    """
    clock = CountingClock()
    stage = Stage(tmp_path, clock=clock)
    running = asyncio.create_task(stage.recorder.run())
    stage.desire("ana", on_stage={"ana": False})
    await stage.keyed(1)
    await clock.advance(2)
    spool = stage.stores.spool
    await eventually(lambda: spool.names(RECORDING) != [])
    awake = clock.sleeps
    stage.desire("ana", on_stage={}, state=RecordingState.FINISHING)
    async with asyncio.timeout(PATIENCE_S):
        while spool.holders(RECORDING):  # what it lets go last, once all is stored
            await clock.advance(0.2)
            await asyncio.sleep(0.001)
    rested = clock.sleeps
    await clock.advance(60)
    running.cancel()

    assert awake > 2
    assert spool.names(RECORDING) == []
    assert clock.sleeps == rested


async def test_who_declined_is_let_go_with_the_recording(tmp_path: Path) -> None:
    """
    Once it is over, nothing that the echo guard heard of them stays in memory.
    """
    stage = Stage(tmp_path)
    everybody = {"ana": False, "bo": False}
    stage.desire("ana", on_stage=everybody)
    await stage.keyed(1)
    block = np.array(tone(450, seconds=0.02))
    said = weakref.ref(block)
    stage.recorder.blocks_heard({UserId("bo"): block})
    del block
    kept = said() is not None

    stage.desire("ana", on_stage=everybody, state=RecordingState.FINISHING)

    assert kept
    assert said() is None


async def test_a_slow_disk_lets_no_unchecked_page_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Bo, who declined, begins to talk while pages wait for the disk: what Ana's
    microphone sends meanwhile stays in memory, since it may be Bo.
    """
    stage = Stage(tmp_path)
    stage.desire("ana", on_stage={"ana": False, "bo": False})
    await stage.keyed(1)
    goes_on = threading.Event()
    write, spool = stage.stores.spool.replace, type(stage.stores.spool)
    monkeypatch.setattr(
        spool,
        "replace",
        lambda _, *told: (goes_on.wait(PATIENCE_S), write(*told)),
    )
    flushing = [asyncio.create_task(stage.recorder.flush()) for _ in range(2)]
    await asyncio.sleep(0)
    stage.recorder.blocks_heard({UserId("bo"): np.array(tone(450, seconds=0.02))})
    await stage.talk({"ana": tone(450, seconds=0.4)})
    goes_on.set()
    await asyncio.gather(*flushing)

    assert pages_below(tmp_path) == []


@pytest.mark.parametrize("by", ["host", "worker"])
async def test_what_nobody_will_check_any_more_is_not_stored(
    tmp_path: Path, by: str
) -> None:
    """
    The recording, or its worker, ends in the midst of what Bo says, who declined: what
    Ana's microphone sent meanwhile, and no check has seen, is gone with it.
    """
    stage = Stage(tmp_path)
    everybody = {"ana": False, "bo": False}
    stage.desire("ana", on_stage=everybody)
    await stage.keyed(1)
    stage.recorder.blocks_heard({UserId("bo"): np.array(tone(450, seconds=0.02))})
    await stage.talk({"ana": tone(450, seconds=0.4)})
    if by == "host":
        stage.desire("ana", on_stage=everybody, state=RecordingState.FINISHING)
    await stage.finish()

    assert pages_below(tmp_path) == []
