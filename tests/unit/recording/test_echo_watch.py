"""Who did not consent is listened to only as long as there is a reason."""

import asyncio
import weakref

import numpy as np
import pytest

from media_worker.recording.echo_watch import (
    CHECK_TICKS,
    HELD_FOR_TICKS,
    HELD_SAMPLES,
    EchoWatch,
)
from spaces_contract.ids import UserId
from spaces_contract.media import PTIME_MS, SAMPLE_RATE_HZ
from tests.audio import tone
from tests.room_doubles import TurnedClock
from tests.stems import eventually

ANA, BO = UserId("ana"), UserId("bo")


@pytest.mark.parametrize(
    ("consenting", "others"), [((ANA,), ()), ((), (BO,)), ((), ())]
)
def test_a_voice_is_let_go_once_it_is_of_no_use(
    consenting: tuple[UserId, ...], others: tuple[UserId, ...]
) -> None:
    """
    Nobody left whom it could echo to, or whose it is: for a moment last words may still
    be on their way back, or unchecked; then nothing of it stays in memory.
    """
    watch = EchoWatch(clock=TurnedClock(), warn=lambda _: None)
    watch.watch(consenting={ANA}, others={BO})
    block = np.array(tone(450, seconds=0.02))
    said = weakref.ref(block)
    watch.blocks_heard({BO: block})
    del block

    watch.watch(consenting=set(consenting), others=set(others))
    waits, held = [], []
    for _ in range(HELD_FOR_TICKS):
        watch.blocks_heard({})
        waits.append(said() is not None)
        held.append(watch.held_samples)

    assert all(waits[: 400 // PTIME_MS])
    assert min(held[: 600 // PTIME_MS]) == HELD_SAMPLES
    assert (said(), held[-1]) == (None, 0)


@pytest.mark.parametrize("ticks", [100, 1])
async def test_what_was_not_checked_is_held_however_long_that_takes(ticks: int) -> None:
    """
    A machine with no time for checks, or for ticks, closes no page over what they would
    have seen.
    """
    clock = TurnedClock()
    watch = EchoWatch(clock=clock, warn=lambda _: None)
    watch.watch(consenting={ANA}, others={BO})
    block = np.array(tone(450, seconds=0.02))
    for _ in range(ticks):
        watch.blocks_heard({BO: block})
        await clock.advance(2.0 / ticks)
    late = watch.held_samples
    checking = asyncio.create_task(watch.run(lambda _: None))
    for _ in range(CHECK_TICKS):
        watch.blocks_heard({BO: block})
    await eventually(lambda: watch.checks > 0 and not watch.is_busy)
    checking.cancel()

    assert late > 1.8 * SAMPLE_RATE_HZ + HELD_SAMPLES
    assert watch.held_samples == HELD_SAMPLES
