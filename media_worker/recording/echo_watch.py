"""Runs the echo guard beside the room: off the event loop, and only when needed."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Set
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.media import BLOCK_SAMPLES, PTIME_MS, SAMPLE_RATE_HZ

from ..audio.opus import Block
from ..room.clock import Clock
from .echo_guard import EchoGuard

logger = logging.getLogger(__name__)

CHECK_TICKS: Final = 6  # 120 ms
# Pages wait so long while somebody talks who did not consent: for an echo to fill half
# of the guard's window, and for the check that finds it.
HELD_SAMPLES: Final = SAMPLE_RATE_HZ * 3 // 5
# No more waits while checks come in time: one may be due, or under way.
ORDINARY_SAMPLES: Final = HELD_SAMPLES + CHECK_TICKS * BLOCK_SAMPLES
HELD_FOR_TICKS: Final = 1_500 // PTIME_MS  # after their last word, or their going
WARN_EVERY_S: Final = 60.0


class _People:
    """Some people, and for a moment those who were among them until now."""

    def __init__(self) -> None:
        self._now: Set[UserId] = frozenset()
        self._until: dict[UserId, int] = {}  # ticks

    @property
    def all(self) -> Set[UserId]:
        """Both."""
        return self._now | self._until.keys()

    def become(self, people: Set[UserId], tick: int) -> None:
        """Be these from `tick` on."""
        for user_id in self._now - people:
            self._until[user_id] = tick + HELD_FOR_TICKS
        self._now = people

    def let_go(self, tick: int) -> None:
        """Forget those whose moment is over at `tick`."""
        for user_id in [uid for uid, until in self._until.items() if until <= tick]:
            del self._until[user_id]


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
        self._consenting = _People()
        self._others = _People()
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

        Whoever is muted, leaves or changes sides is watched for a moment longer: what
        was said last is still on its way through loudspeakers, or waits to be checked.
        """
        self._consenting.become(consenting, self._ticks)
        self._others.become(others, self._ticks)

    def forget(self) -> None:
        """Watch nobody, and let go of what was heard: there is no recording."""
        self._consenting, self._others = _People(), _People()
        self._quiet_ticks = HELD_FOR_TICKS
        self._guard.forget()

    def blocks_heard(self, blocks: Mapping[UserId, Block]) -> None:
        """Take what each speaker adds to one tick of the mix."""
        self._ticks += 1
        self._consenting.let_go(self._ticks)
        self._others.let_go(self._ticks)
        if not self._consenting.all or not self._others.all:
            if self._quiet_ticks < HELD_FOR_TICKS:
                self._guard.forget()
            self._quiet_ticks = HELD_FOR_TICKS
            return
        self._guard.hear(blocks)
        heard = not self._others.all.isdisjoint(blocks)
        if self._quiet_ticks >= HELD_FOR_TICKS:  # nothing had to be checked
            self._checked_s = self._clock.now_s()
        self._quiet_ticks = 0 if heard else self._quiet_ticks + 1
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
                consenting=self._consenting.all,
                others=self._others.all,
            )
            for user_id in echoing:
                self.found += 1
                withhold(user_id)
                self._warn_of(user_id)
            self._checking, self._checked_s = False, began_s

    def _warn_of(self, user_id: UserId) -> None:
        now_s = self._clock.now_s()
        last_s = self._warned_s.get(user_id)
        if last_s is None or now_s - last_s > WARN_EVERY_S:
            self._warned_s[user_id] = now_s
            logger.info("echo withheld", extra={"user_id": user_id})
            self._warn(user_id)
