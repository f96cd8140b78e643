"""A recorder is awake while something is recorded, and at no other time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from media_worker.recording.recorder import Recorder
from spaces_contract.recording import DesiredRecording, RecordingState
from tests.room_doubles import TurnedClock, a_member, desired
from tests.stems import RECORDING, Stage, a_recording, eventually


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
    awake = clock.sleeps
    stage.desire("ana", on_stage={}, state=RecordingState.FINISHING)
    for _ in range(10):
        await clock.advance(1)
        await eventually(lambda: not stage.stores.spool.names(RECORDING))
    rested = clock.sleeps
    await clock.advance(60)
    running.cancel()

    assert awake > 2
    assert clock.sleeps == rested
