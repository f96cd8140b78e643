"""A worker is killed: how long the watchdog takes, and then the audio."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from spaces_contract.roles import PeerKind
from tests import speech
from tests.api import Api
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.running_stack import RunningStack, running_stack

ROUNDS: Final = 3
POLL_S: Final = 0.1
BUDGET_WATCHDOG_S: Final = 20.0  # 15 s without a heartbeat, looked at every 5 s
BUDGET_AUDIO_S: Final = 10.0


async def _round(stack: RunningStack) -> tuple[float, float]:
    """Return seconds from the kill to the new epoch, and from there to a packet."""
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(stack.url, "rec_host"))
        guest = await opened.enter_async_context(Api(stack.url, "rec_guest"))
        space_id = await host.open_space("recovery")
        opened.push_async_callback(host.call, "POST", f"/v1/spaces/{space_id}/end")
        await _hear(opened, host, guest, space_id)
        (worker,) = stack.workers(space_id)

        worker.kill()
        killed_s = time.monotonic()
        while True:
            space = await host.call("GET", f"/v1/spaces/{space_id}")
            if space["epoch"] > 1:
                break
            await asyncio.sleep(POLL_S)
        acted_s = time.monotonic()
        ears = await _hear(opened, host, guest, space_id)
        return acted_s - killed_s, ears.arrivals.first_s - acted_s


async def _hear(
    opened: contextlib.AsyncExitStack, host: Api, guest: Api, space_id: str
) -> LightPeer:
    """Let the host talk and the guest listen; return once a packet has arrived."""
    joined = await host.join(space_id)
    (said,) = speech.conversation(1)
    speaker = LightSpeaker(host, opus_frames(said))
    opened.push_async_callback(speaker.aclose)
    await speaker.connect(joined["whip_url"], joined["grant"])
    speaker.start_talking()
    joined = await guest.join(space_id)
    ears = LightPeer(guest, PeerKind.WHEP)
    opened.push_async_callback(ears.aclose)
    await ears.connect(joined["whep_url"], joined["grant"])
    await ears.heard.wait()
    return ears


async def _run(stack: RunningStack) -> list[dict[str, Any]]:
    rounds = [await _round(stack) for _ in range(ROUNDS)]
    names = ("kill to new epoch", "new epoch to audio at a listener")
    budgets = (BUDGET_WATCHDOG_S, BUDGET_AUDIO_S)
    return [
        {
            "name": f"worker killed: {name}",
            "value": max(values),
            "unit": "s, worst",
            "baseline": "budget",
            "baseline_value": budget,
            "ratio": max(values) / budget,
            "spread": f"{min(values):.2f} to {max(values):.2f}",
        }
        for name, budget, values in zip(
            names, budgets, zip(*rounds, strict=True), strict=True
        )
    ]


def run() -> list[dict[str, Any]]:
    """Start a stack of its own, and kill a worker in it three times."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
    ):
        return asyncio.run(_run(stack))
