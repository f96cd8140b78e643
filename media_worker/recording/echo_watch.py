"""Runs the echo guard beside the room: off the event loop, and only when needed."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Set
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.media import PTIME_MS, SAMPLE_RATE_HZ

from ..audio.opus import Block
from ..room.clock import Clock
from .echo_guard import EchoGuard

logger = logging.getLogger(__name__)

CHECK_TICKS: Final = 6  # 120 ms
# Pages wait so long while somebody talks who did not consent: for an echo to fill half
# of the guard's window, and for the check that finds it.
HELD_SAMPLES: Final = SAMPLE_RATE_HZ * 3 // 5
HELD_FOR_TICKS: Final = 1_500 // PTIME_MS  # after their last word
WARN_EVERY_S: Final = 60.0


class EchoWatch:
    """
    Watches for the voices of those who did not consent, in those who did.

    Idle, at the cost of a comparison a tick, while all consent or nobody does.
    Lifecycle: `run()` until cancelled.

    Args:
        warn: Told now and then whose microphone picks up others.

    Attributes:
        checks: How often it looked.
        found: How often somebody's microphone held another's voice.
    """

    def __init__(self, *, clock: Clock, warn: Callable[[UserId], None]) -> None:
        self._clock = clock
        self._warn = warn
        self._guard = EchoGuard()
        self._consenting: Set[UserId] = frozenset()
        self._others: Set[UserId] = frozenset()
        self._due = asyncio.Event()
        self._ticks = 0
        self._quiet_ticks = HELD_FOR_TICKS
        self._warned_s: dict[UserId, float] = {}
        self._checking = False
        self.checks = 0
        self.found = 0

    @property
    def is_busy(self) -> bool:
        """Whether a check is due, or under way."""
        return self._checking or self._due.is_set()

    @property
    def held_samples(self) -> int:
        """How much of what came last must not be in a page yet."""
        return HELD_SAMPLES if self._quiet_ticks < HELD_FOR_TICKS else 0

    def watch(self, *, consenting: Set[UserId], others: Set[UserId]) -> None:
        """Set who may be recorded, and whose voices must not be."""
        self._consenting, self._others = consenting, others
        if not consenting or not others:
            self._guard.forget()

    def blocks_heard(self, blocks: Mapping[UserId, Block]) -> None:
        """Take what each speaker adds to one tick of the mix."""
        if not self._consenting or not self._others:
            self._quiet_ticks = HELD_FOR_TICKS
            return
        self._guard.hear(blocks)
        heard = not self._others.isdisjoint(blocks)
        self._quiet_ticks = 0 if heard else self._quiet_ticks + 1
        self._ticks += 1
        if self._ticks % CHECK_TICKS == 0 and self.held_samples:
            self._due.set()

    async def run(self, withhold: Callable[[UserId], None]) -> None:
        """Check when it is due; `withhold` is told of everybody who echoes."""
        while True:
            await self._due.wait()
            self._due.clear()
            self._checking = True
            self.checks += 1
            echoing = await asyncio.to_thread(
                self._guard.check,
                self._guard.snapshot(),
                consenting=self._consenting,
                others=self._others,
            )
            for user_id in echoing:
                self.found += 1
                withhold(user_id)
                self._warn_of(user_id)
            self._checking = False

    def _warn_of(self, user_id: UserId) -> None:
        now_s = self._clock.now_s()
        last_s = self._warned_s.get(user_id)
        if last_s is None or now_s - last_s > WARN_EVERY_S:
            self._warned_s[user_id] = now_s
            logger.info("echo withheld", extra={"user_id": user_id})
            self._warn(user_id)
