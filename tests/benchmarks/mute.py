"""
A host's word against a voice: how long it is still heard once the call was sent.

Someone whistles without a pause; a delay ends with the last packet that a listener
was sent with the whistle in it, or with the last packet at all where the listener is
removed.  What packets need to arrive, and a player to play them, comes on top.
"""

import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from spaces_contract.roles import PeerKind
from tests.api import Api
from tests.light_clients import LightPeer
from tests.running_stack import RunningStack, running_stack
from tests.whistled_space import WhistledSpace, whistled_space
from tests.worker_process import until

ROUNDS: Final = 20
BUDGET_MS: Final = 300.0
QUIET_S: Final = 0.3  # so long without: no more will come
SHARES: Final = (50, 95)


@dataclass(slots=True)
class Delays:
    """
    What was measured, one value a round, in ms after the call was sent.

    Args:
        answered: When the host had the answer.
        ended: When the last packet came that was not to come any more.
    """

    answered: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    async def take(
        self,
        space: WhistledSpace,
        whom: Api,
        change: dict[str, bool],
        last_s: Callable[[], float],
    ) -> None:
        """Have the host say it, and wait until it is quiet."""
        await asyncio.sleep(random.uniform(0, 0.02))  # at any phase of a tick
        sent_s = time.monotonic()
        await space.change(space.host, whom, change)
        self.answered.append(1_000 * (time.monotonic() - sent_s))
        await until(lambda: time.monotonic() - last_s() > QUIET_S)
        self.ended.append(1_000 * (last_s() - sent_s))


async def _mute(space: WhistledSpace, delays: Delays) -> None:
    """Mute the whistler, who unmutes themselves."""
    await delays.take(space, space.whistler, {"muted": True}, lambda: space.ear.loud_s)
    await space.change(space.whistler, space.whistler, {"muted": False})
    await space.heard_again()


async def _remove_speaker(space: WhistledSpace, delays: Delays) -> None:
    """Remove the whistler, who is let back and whistles again."""
    whistler = space.whistler
    await delays.take(space, whistler, {"removed": True}, lambda: space.ear.loud_s)
    await space.change(space.host, whistler, {"removed": False})
    await space.whistle()


async def _remove_listener(space: WhistledSpace, guest: Api, delays: Delays) -> None:
    """Let a guest listen, and remove them."""
    joined = await guest.join(space.space_id)
    peer = LightPeer(guest, PeerKind.WHEP)
    await peer.connect(joined["whep_url"], joined["grant"])
    await peer.heard.wait()
    await delays.take(space, guest, {"removed": True}, lambda: peer.arrivals.last_s)
    await peer.aclose()
    await space.change(space.host, guest, {"removed": False})


async def _run(stack: RunningStack) -> list[dict[str, Any]]:
    muted, removed, gone = Delays(), Delays(), Delays()
    async with contextlib.AsyncExitStack() as opened:
        guest = await opened.enter_async_context(Api(stack.url, "guest"))
        space = await opened.enter_async_context(whistled_space(stack.url))
        await space.whistle()
        for _ in range(ROUNDS):
            await _mute(space, muted)
            await _remove_speaker(space, removed)
            await _remove_listener(space, guest, gone)
    return [
        *_rows("muted: last sound at a listener", muted),
        *_rows("speaker removed: last sound at a listener", removed),
        *_rows("listener removed: their last packet", gone),
    ]


def _rows(name: str, delays: Delays) -> list[dict[str, Any]]:
    spread = f"{min(delays.ended):.0f}-{max(delays.ended):.0f}, {ROUNDS} times; "
    answered_ms = statistics.median(delays.answered)
    return [
        {
            "name": f"{name}, p{share}",
            "value": value,
            "unit": "ms",
            "baseline": "budget",
            "baseline_value": BUDGET_MS,
            "ratio": value / BUDGET_MS,
            "spread": f"{spread}the host has the answer after {answered_ms:.0f}",
        }
        for share in SHARES
        for value in [float(np.percentile(delays.ended, share))]
    ]


def run() -> list[dict[str, Any]]:
    """Start a stack of its own, and mute and remove in it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
    ):
        return asyncio.run(_run(stack))
