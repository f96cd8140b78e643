"""Keeping live Spaces alive: launching workers, watching them, clearing up."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from spaces_contract.ids import SpaceId

from ..domain import host_drop
from ..domain import space as rules
from ..domain.errors import DependencyUnavailable
from ..domain.runtime import Runtime, is_lost, is_slow, wants_successor
from ..domain.space import Space
from ..domain.states import SpaceState
from ..domain.watch import DRAIN_S, next_check
from .discovery_ports import SpaceFinder
from .independent import all_of
from .live_spaces import every_live
from .ports import (
    Clock,
    EffectQueue,
    Launched,
    LaunchedWorkload,
    Launcher,
    LaunchRefused,
    LaunchStore,
    SpaceStore,
    Workload,
    WorkloadKind,
)

OUTBOX_GRACE: Final = timedelta(seconds=15)  # whoever wrote it may be at it still
# A Space that ended has its worker stopped by its watch; what is left, nobody watches.
ORPHAN_GRACE: Final = timedelta(seconds=60)
SWEEP_PAGE: Final = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepService:
    """
    What tasks do.  Each may run twice, late, or for an epoch that is over.

    `SpaceNotFound` and `LaunchRefused` are for good; `Unavailable` errors pass.

    Args:
        finder: Knows how many Spaces a host has live.
        tell_live: Sees that a Space's subscribers are told that it is live, once.
        space_over: Each sees that something of a Space that is over ends; again and
            again is harmless.
        mend_live_edge: Sees that nothing is left there of Spaces but these.
        mend_recordings: Sees that all are rendered, and none outlives its time.
        place_relays: Looks at how full a Space's workers are.
    """

    spaces: SpaceStore
    launches: LaunchStore
    launcher: Launcher
    effects: EffectQueue
    now: Clock
    finder: SpaceFinder
    tell_live: Callable[[Space], None]
    space_over: tuple[Callable[[Space], None], ...]
    mend_live_edge: Callable[[Collection[SpaceId]], None]
    mend_recordings: Callable[[], None]
    place_relays: Callable[[SpaceId, Runtime], None]

    def launch(self, space_id: SpaceId, epoch: int) -> None:
        """
        Start the worker of `epoch`, and see that somebody watches it.

        Raises:
            SpaceNotFound, LaunchRefused, DependencyUnavailable.
        """
        space, runtime = self.spaces.get_with_runtime(space_id)
        relieves = _is_awaited(runtime, epoch)
        if space.state is not SpaceState.LIVE:
            if space.epoch == epoch:  # it ended before; nobody else clears up
                now = self.now()
                self.effects.put(next_check(space_id, epoch=epoch, now=now))
            return
        if space.epoch != epoch and not relieves:
            return
        # First, so that the watchdog starts over where this does not succeed.
        self.effects.put(next_check(space_id, epoch=epoch, now=self.now()))
        if self._crowd_out(space):
            return
        room = Workload(kind=WorkloadKind.ROOM, key=space_id, epoch=epoch)
        self.tell_live(space)
        ref = self.launcher.launch(room)
        superseded = self.launches.put(space_id, Launched(epoch, ref))
        logger.info(
            "worker launched", extra={"space_id": space_id, "epoch": epoch, "ref": ref}
        )
        if superseded is None:
            return
        # Whom it relieves serves until it is there, and then leaves by itself.
        if not relieves or superseded.epoch != space.epoch:
            self.launcher.terminate(superseded.ref)

    def check(self, space_id: SpaceId, epoch: int) -> None:
        """
        Look after the worker of `epoch`: replace it if lost, ask for a successor if it
        is leaving; note whether the host is there, and look again later.

        Raises:
            SpaceNotFound, DependencyUnavailable, Contended.
        """
        space, runtime = self.spaces.get_with_runtime(space_id)
        now = self.now()
        if space.epoch != epoch:
            # Of a Space that is over nothing takes the successor's name away any more.
            if space.state is SpaceState.LIVE and _is_awaited(runtime, epoch):
                self.effects.put(next_check(space_id, epoch=epoch, now=now))
            return
        if space.state is not SpaceState.LIVE:
            self._clear_up(space, now)
        elif is_lost(runtime, epoch=epoch, now=now):
            self._replace_worker(space_id, epoch, now)
        elif is_slow(runtime, now=now) and self._is_gone(space_id, epoch):
            self._replace_worker(space_id, epoch, now, gone=True)
        else:
            self._look_after(space, runtime, now)

    def sweep(self) -> None:
        """
        Release what was left behind, mend the watch over every live Space, stop the
        workers of none, and do what tasks of recordings should have done.

        What fails holds up nothing but itself, and what cannot do without it.

        Raises:
            Exception: the first failure, when all else is done; the next sweep goes on.
        """
        now = self.now()
        all_of(
            partial(self._release_leftovers, now),
            partial(self._mend_live, now),
            self.mend_recordings,  # last: where many are to be erased, it takes a while
        )

    def _release_leftovers(self, now: datetime) -> None:
        for effect in self.effects.leftovers(
            before=now - OUTBOX_GRACE, limit=SWEEP_PAGE
        ):
            logger.warning("effect left behind", extra={"effect": effect.name})
            self.effects.release(effect)

    def _mend_live(self, now: datetime) -> None:
        live = {space.id: space.epoch for space in every_live(self.spaces)}
        all_of(
            partial(self._mend_watch, live, now),
            partial(self._clear_orphans, live, now),
            partial(self.mend_live_edge, live.keys()),
        )

    def _mend_watch(self, live: Mapping[SpaceId, int], now: datetime) -> None:
        for space_id, epoch in live.items():
            self.effects.put(next_check(space_id, epoch=epoch, now=now))

    def _clear_orphans(self, live: Mapping[SpaceId, int], now: datetime) -> None:
        found = self.launcher.workloads()
        # Whom another has relieved lets its people go over first.
        relieved_at = {
            each.workload.key: each.launched_at
            for each in found
            if each.workload.kind is WorkloadKind.ROOM and _is_served(each, live)
        }
        for each in found:
            relieved = relieved_at.get(each.workload.key, each.launched_at)
            since = max(each.launched_at, relieved)
            if not _is_served(each, live) and now - since > ORPHAN_GRACE:
                self._clear_orphan(each)

    def _look_after(self, space: Space, runtime: Runtime | None, now: datetime) -> None:
        """See to what a worker that serves may need."""
        if host_drop.look(space, runtime, now=now).space != space:
            self._note_host(space.id, now)
        self.effects.put(next_check(space.id, epoch=space.epoch, now=now))
        if wants_successor(runtime, epoch=space.epoch, now=now):
            self._relieve_worker(space.id, space.epoch, now)
        elif runtime is not None:
            self.place_relays(space.id, runtime)

    def _clear_orphan(self, orphan: LaunchedWorkload) -> None:
        """Stop what no live Space has, and let go of its place."""
        if orphan.workload.kind in (WorkloadKind.ROOM, WorkloadKind.RELAY):
            self.launcher.terminate(orphan.ref)
            logger.warning("orphan cleared", extra={"ref": orphan.ref})

    def _note_host(self, space_id: SpaceId, now: datetime) -> None:
        """Store how the Space is led by now; what the look saw may have changed."""
        decision = self.spaces.supervise(
            space_id, lambda space, runtime: host_drop.look(space, runtime, now=now)
        )
        for effect in decision.effects:
            self.effects.release(effect)
        after = decision.space
        logger.info(
            "host presence changed",
            extra={
                "space_id": space_id,
                "host_state": after.host_presence.state.value,
                "space_state": after.state.value,
            },
        )

    def _crowd_out(self, space: Space) -> bool:
        """End a Space that is one too many of its host's; return whether it is over."""
        # Here and not only when it goes live: of those that do at the same moment, each
        # is counted by now.
        older = self.finder.count_live(
            space.creator_id,
            started_before=space.started_at or space.created_at,
            at_most=rules.MAX_LIVE,
        )
        rule = partial(rules.crowd_out, older=older, now=self.now())
        if rule(space).space == space:
            return False  # as nearly all are: not worth a transaction
        decision = self.spaces.update(space.id, rule)
        for effect in decision.effects:
            self.effects.release(effect)
        if decision.space.end_reason is rules.EndReason.TOO_MANY_LIVE:
            logger.warning("too many live", extra={"space_id": space.id})
        return decision.space.state is not SpaceState.LIVE

    def _is_gone(self, space_id: SpaceId, epoch: int) -> bool:
        """Whether the worker of `epoch` was launched, and is not there any more."""
        launched = self.launches.get(space_id)
        if launched is None or launched.epoch != epoch:
            return False  # its launch may still succeed
        try:
            known = self.launcher.workloads()
        except (DependencyUnavailable, LaunchRefused):
            return False
        room = Workload(kind=WorkloadKind.ROOM, key=space_id, epoch=epoch)
        return not any(each.workload == room and each.runs for each in known)

    def _replace_worker(
        self, space_id: SpaceId, epoch: int, now: datetime, *, gone: bool = False
    ) -> None:
        rule = partial(rules.relaunch, epoch=epoch, now=now, gone=gone)
        decision = self.spaces.supervise(space_id, rule)
        if not decision.effects:  # its heartbeat came just now, or the Space ended
            self.effects.put(next_check(space_id, epoch=epoch, now=now))
            return
        in_vain = decision.runtime.in_vain if decision.runtime else 0
        logger.warning(
            "worker lost",
            extra={"space_id": space_id, "epoch": epoch, "in_vain": in_vain},
        )
        for effect in decision.effects:
            self.effects.release(effect)

    def _relieve_worker(self, space_id: SpaceId, epoch: int, now: datetime) -> None:
        decision = self.spaces.supervise(
            space_id,
            lambda space, runtime: rules.relieve(space, runtime, epoch=epoch, now=now),
        )
        for effect in decision.effects:
            logger.info("worker leaving", extra={"space_id": space_id, "epoch": epoch})
            self.effects.release(effect)

    def _clear_up(self, space: Space, now: datetime) -> None:
        """Stop the worker of a Space that is over, unless it left by itself."""
        for see in self.space_over:
            see(space)
        ended_at = space.ended_at or space.updated_at
        if (now - ended_at).total_seconds() < DRAIN_S:
            self.effects.put(next_check(space.id, epoch=space.epoch, now=now))
            return
        launched = self.launches.get(space.id)
        if launched is not None:
            self.launcher.terminate(launched.ref)
            self.launches.clear(space.id)


def _is_awaited(runtime: Runtime | None, epoch: int) -> bool:
    """Whether the worker of `epoch` is to relieve the one that serves."""
    successor = None if runtime is None else runtime.successor
    return successor is not None and successor.epoch == epoch


def _is_served(launched: LaunchedWorkload, live: Mapping[SpaceId, int]) -> bool:
    """Whether a live Space of that epoch has it."""
    return live.get(SpaceId(launched.workload.key)) == launched.workload.epoch
