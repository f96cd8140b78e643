"""The short run of `make crash`: what `kill -9` costs a recording."""

import asyncio

from tests.crash.recording import PAGE_LOSS_S, kill_recorders, kill_renders


def test_a_killed_recorder_loses_less_than_a_second() -> None:
    """
    Whenever the process dies, its spool holds all but the last second.
    """
    losses = kill_recorders(4, seed=7, longest_s=1.5)

    assert max(loss.process_s for loss in losses) <= PAGE_LOSS_S
    assert all(loss.process_s >= 0 for loss in losses)


async def test_a_killed_render_leaves_nothing_half_done() -> None:
    """
    Run again after any kill, a render is whole; its manifest never fits another file.
    """
    await asyncio.to_thread(kill_renders, 3, seed=7)
