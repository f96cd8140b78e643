"""A worker that starts before it knows its Space: the life of a pod of the fleet."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from spaces_contract.trace_context import VARIABLE

from .agones import PORT_VARIABLE, Allocation, Sidecar, SidecarLost
from .config import RELAY, ROOM
from .stop_signals import STOPS

CLIP: Final = "clip"
RENDER: Final = "render"

T = TypeVar("T")
RunRoom = Callable[[Mapping[str, str]], Awaitable[int]]


def is_warm(env: Mapping[str, str]) -> bool:
    """Whether this process waits for a workload, instead of being told at its start."""
    return bool(env.get(PORT_VARIABLE)) and not env.get("PARLEY_SPACE_ID")


async def run_warm(env: Mapping[str, str], run_room: RunRoom) -> int:
    """
    Wait for a workload, run it, give the place back; return the exit code.

    Args:
        run_room: Runs a room by the environment it is given.

    Raises:
        SidecarLost: it never answered.
    """
    sidecar = Sidecar(int(env[PORT_VARIABLE]))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPS:
        loop.add_signal_handler(number, stopped.set)
    async with sidecar.kept_healthy():
        await sidecar.ready()
        allocation = await _unless(stopped, sidecar.allocation())
        if allocation is None:
            return 0
        try:
            return await _run(allocation, env, run_room, stopped)
        finally:
            with contextlib.suppress(SidecarLost):
                await sidecar.shutdown()


async def _run(
    allocation: Allocation,
    env: Mapping[str, str],
    run_room: RunRoom,
    stopped: asyncio.Event,
) -> int:
    if allocation.kind in (ROOM, RELAY):
        return await run_room(allocation.room_environment(env))
    job = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "media_worker.recording", *job_of(allocation)),
        env=dict(env) | {VARIABLE: allocation.traceparent},
    )
    code = await _unless(stopped, job.wait())
    if code is None:
        job.terminate()  # its task starts it again, elsewhere
        code = await job.wait()
    return code


def job_of(allocation: Allocation) -> tuple[str, ...]:
    """Return how `media_worker.recording` is told of a render, or of a clip."""
    number = "--clip" if allocation.kind == CLIP else "--version"
    told = ("--recording", allocation.key, number, str(allocation.epoch))
    return (CLIP if allocation.kind == CLIP else RENDER, *told)


async def _unless(stopped: asyncio.Event, wanted: Awaitable[T]) -> T | None:
    """Return what was wanted; None where the pod is stopped before that."""
    working = asyncio.ensure_future(wanted)
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait({working, stopping})
