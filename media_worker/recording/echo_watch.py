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
HELD_FOR_TICKS: Final = 1_500 // PTIME_MS  # after their last word, or their going
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
        # In ticks; of those who are no others any more.
        self._until: dict[UserId, int] = {}
        self._due = asyncio.Event()
        self._ticks = 0
        self._checked_s = 0.0  # what came before it is checked, but for `HELD_SAMPLES`
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
        """
        How much of what came last must not be in a page yet: more, while checks take
        longer than they should, or ticks stay away.
        """
        if self._quiet_ticks >= HELD_FOR_TICKS:
            return 0
        late_s = self._clock.now_s() - self._checked_s - CHECK_TICKS * PTIME_MS / 1_000
        return HELD_SAMPLES + max(0, round(late_s * SAMPLE_RATE_HZ))

    def watch(self, *, consenting: Set[UserId], others: Set[UserId]) -> None:
        """
        Set who may be recorded, and whose voices must not be.

        Whoever is muted, leaves or agrees is watched for a moment longer: what they
        said last is still on its way through loudspeakers.
        """
        for user_id in self._others - others:
            self._until[user_id] = self._ticks + HELD_FOR_TICKS
        self._consenting, self._others = consenting, others
        if not consenting:
            self._until.clear()
        if not consenting or not self._voices:
            self._guard.forget()

    def blocks_heard(self, blocks: Mapping[UserId, Block]) -> None:
        """Take what each speaker adds to one tick of the mix."""
        if not self._consenting or not self._voices:
            self._quiet_ticks = HELD_FOR_TICKS
            return
        self._ticks += 1
        self._guard.hear(blocks)
        heard = not self._voices.isdisjoint(blocks)
        if self._quiet_ticks >= HELD_FOR_TICKS:  # nothing had to be checked
            self._checked_s = self._clock.now_s()
        self._quiet_ticks = 0 if heard else self._quiet_ticks + 1
        self._let_go()
        if self._ticks % CHECK_TICKS == 0 and self.held_samples:
            self._due.set()

    async def run(self, withhold: Callable[[UserId], None]) -> None:
        """Check when it is due; `withhold` is told of everybody who echoes."""
        while True:
            await self._due.wait()
            self._due.clear()
            self._checking = True
            self.checks += 1
            began_s = self._clock.now_s()
            echoing = await asyncio.to_thread(
                self._guard.check,
                self._guard.snapshot(),
                consenting=self._consenting,
                others=self._voices,
            )
            for user_id in echoing:
                self.found += 1
                withhold(user_id)
                self._warn_of(user_id)
            self._checking, self._checked_s = False, began_s

    @property
    def _voices(self) -> Set[UserId]:
        return self._others | self._until.keys()

    def _let_go(self) -> None:
        """Watch those no longer whose last words have died away."""
        over = [uid for uid, tick in self._until.items() if tick <= self._ticks]
        for user_id in over:
            del self._until[user_id]
        if over and not self._voices:
            self._guard.forget()

    def _warn_of(self, user_id: UserId) -> None:
        now_s = self._clock.now_s()
        last_s = self._warned_s.get(user_id)
        if last_s is None or now_s - last_s > WARN_EVERY_S:
            self._warned_s[user_id] = now_s
            logger.info("echo withheld", extra={"user_id": user_id})
            self._warn(user_id)
