"""A job that hangs ends itself, wherever it runs."""

import asyncio
import sys

from tests.worker_process import ROOT

# As in the first process of a container, no signal that nobody handles gets through.
HANGING = """
import signal, threading
from media_worker.recording.last_resort import end_in
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
end_in({first})
end_in({then})
threading.Event().wait({waits_s})
"""


async def run(*, first: int, then: int, waits_s: float) -> tuple[int | None, str]:
    """Run a process that hangs; return its exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c"),
        HANGING.format(first=first, then=then, waits_s=waits_s),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    return process.returncode, told.decode()


async def test_a_job_ends_that_hangs_for_longer_than_it_may() -> None:
    """
    With a code that has it tried again, and where it stood.
    """
    code, told = await run(first=600, then=1, waits_s=250)

    assert code == 1
    assert "threading.py" in told


async def test_a_job_that_got_on_is_left_alone() -> None:
    assert await run(first=1, then=0, waits_s=1.5) == (0, "")
