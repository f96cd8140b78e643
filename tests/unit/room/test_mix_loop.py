"""The loop that ticks once per block."""

import pytest

from media_worker.room.mix_loop import LoopState, MixLoop
from tests.room_doubles import TurnedClock, settle


async def test_ticks_once_per_ptime() -> None:
    """
    In 100 ms of 20 ms blocks the loop ticks at 0, 20, 40, 60, 80 and 100 ms.
    """
    clock, ticks = TurnedClock(0.0), list[float]()

    async with MixLoop(ticks.append, ptime_s=0.020, clock=clock):
        await clock.advance(0.100)

    assert ticks == pytest.approx([0, 0.02, 0.04, 0.06, 0.08, 0.10])


async def test_an_hour_does_not_drift() -> None:
    """
    The 180,001st tick is due after one hour exactly.
    """
    clock, ticks = TurnedClock(0.0), list[float]()

    async with MixLoop(ticks.append, ptime_s=20.0, clock=clock):
        await clock.advance(3_600)

    assert ticks[-1] == pytest.approx(3_600, abs=1e-6)
    assert len(ticks) == 181


class SlowTick:
    """Takes `lasts_s` of the clock's time, once."""

    def __init__(self, clock: TurnedClock, lasts_s: float) -> None:
        self.due: list[float] = []
        self._clock = clock
        self._lasts_s = lasts_s

    def __call__(self, due_s: float) -> None:
        self.due.append(due_s)
        lasts_s, self._lasts_s = self._lasts_s, 0.0
        self._clock._now_s += lasts_s


async def test_a_short_delay_is_made_up_for() -> None:
    """
    After a tick of 50 ms, all blocks are still mixed.
    """
    clock = TurnedClock(0.0)
    tick = SlowTick(clock, 0.050)

    async with MixLoop(tick, ptime_s=0.020, clock=clock) as loop:
        await clock.advance(0.100)

    assert tick.due[:6] == pytest.approx([0, 0.02, 0.04, 0.06, 0.08, 0.10])
    assert loop.skipped_blocks == 0


async def test_a_long_delay_is_skipped_and_counted() -> None:
    """
    After a stall of half a second blocks are left out instead of bursting.
    """
    clock = TurnedClock(0.0)
    tick = SlowTick(clock, 0.500)

    async with MixLoop(tick, ptime_s=0.020, clock=clock) as loop:
        await clock.advance(0.100)

    assert loop.skipped_blocks == 24
    assert tick.due[1] == pytest.approx(0.500)


async def test_a_tick_that_raises_ends_the_loop() -> None:
    """
    The error is not lost: whoever waits for the loop gets it.
    """

    def fail(_: float) -> None:
        raise ZeroDivisionError

    loop = MixLoop(fail, ptime_s=0.020, clock=TurnedClock())
    loop.start()
    await settle()

    with pytest.raises(ZeroDivisionError):
        await loop.wait_closed()
    assert loop.state is LoopState.CLOSED


async def test_closing_is_idempotent_and_starting_is_not() -> None:
    """
    A loop closes any number of times, in any state, and starts once.
    """
    loop = MixLoop(lambda _: None, ptime_s=0.020, clock=TurnedClock())
    loop.start()

    with pytest.raises(RuntimeError, match="running"):
        loop.start()
    await loop.aclose()
    await loop.aclose()

    assert loop.state is LoopState.CLOSED
