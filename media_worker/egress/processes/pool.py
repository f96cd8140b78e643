"""The egress processes of a room: as many as the audience needs, replaced when dead."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from spaces_contract.roles import PeerCloseReason

from .child import ChildOwner, ChildState, EgressProcess, Spawn
from .placement import Limits, processes_wanted

LOOK_EVERY_S: Final = 2.5  # reports, replacements, processes that nobody needs
IDLE_LOOKS: Final = 24  # a minute without a listener, before a process is let go
SOON_S: Final = 10.0  # a process that lived no longer failed to start
MAX_PAUSE_S: Final = 30.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Slot:
    """A UDP port, and the process that has it, if any."""

    spawn: Spawn
    child: EgressProcess | None = None
    running: asyncio.Task[None] | None = None
    started_s: float = 0.0
    not_before_s: float = 0.0
    failures: int = 0
    idle_looks: int = 0


class EgressPool:
    """
    Starts, watches, replaces and ends egress processes.

    Lifecycle: nothing runs before the first `scale` that asks for a process; `aclose`
    ends them all.

    Args:
        spawns: One for each process that may run.
        owner: Told what happens in them.
        audience: Returns how many listen, in all processes.

    Attributes:
        started: Processes so far, replacements included.
    """

    def __init__(
        self,
        spawns: Sequence[Spawn],
        owner: ChildOwner,
        limits: Limits,
        *,
        audience: Callable[[], int],
    ) -> None:
        self.limits = limits
        self.started = 0
        self._slots = [_Slot(spawn) for spawn in spawns]
        self._owner = owner
        self._audience = audience
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def children(self) -> list[EgressProcess]:
        """The processes that run, or are being started."""
        return [slot.child for slot in self._slots if slot.child is not None]

    def scale(self) -> None:
        """Start what the audience needs; cheap, for every join."""
        wanted = processes_wanted(self._audience(), self.limits)
        for _ in range(wanted - len(self.children)):
            self._start_one()

    async def aclose(self, reason: PeerCloseReason) -> None:
        """End all processes and their sessions."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        tasks = [slot.running for slot in self._slots if slot.running is not None]
        try:
            await asyncio.gather(*(child.stop(reason) for child in self.children))
            await asyncio.gather(*tasks)
        finally:
            for child in self.children:
                child.kill()

    def _start_one(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        slot = next(
            (s for s in self._slots if s.child is None and s.not_before_s <= now_s),
            None,
        )
        if slot is None or self._closed:
            return
        if self._looking is None:
            self._looking = loop.create_task(self._look(), name="egress-pool")
            self._looking.add_done_callback(_tell_crash)
        self.started += 1
        slot.started_s, slot.idle_looks = now_s, 0
        child = slot.child = EgressProcess(self.started, slot.spawn, self._owner)
        slot.running = loop.create_task(child.run(), name=f"egress-{child.number}")
        slot.running.add_done_callback(lambda task: self._ended(slot, task))

    def _ended(self, slot: _Slot, task: "asyncio.Task[None]") -> None:
        """Let a replacement come, at once unless they die as fast as they come."""
        now_s = task.get_loop().time()
        _tell_crash(task)
        slot.child = slot.running = None
        early = now_s - slot.started_s < SOON_S
        slot.failures = slot.failures + 1 if early else 0
        pause_s = min(MAX_PAUSE_S, 2.0 ** (slot.failures - 1)) if early else 0.0
        slot.not_before_s = now_s + pause_s
        if not self._closed:
            self.scale()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.refresh()
            self.scale()
            wanted = processes_wanted(self._audience(), self.limits)
            for slot in self._slots:
                self._look_at(slot, spare=len(self.children) > wanted)

    def _look_at(self, slot: _Slot, *, spare: bool) -> None:
        if slot.child is None:
            return
        idle = spare and slot.child.state is ChildState.READY
        idle = idle and not slot.child.load.sessions
        slot.idle_looks = slot.idle_looks + 1 if idle else 0
        if slot.idle_looks >= IDLE_LOOKS:
            slot.child.retire()

    async def refresh(self) -> None:
        """Bring the reports of all processes up to date."""
        await asyncio.gather(*(child.refresh() for child in self.children))


def _tell_crash(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("%s crashed", task.get_name(), exc_info=task.exception())
