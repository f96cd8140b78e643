"""A running worker's tie to Firestore: desired state in, heartbeats out."""

import asyncio
import logging
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, Protocol

from spaces_contract import paths
from spaces_contract.runtime import (
    HEARTBEAT_INTERVAL_S,
    HEARTBEAT_STALE_S,
    ParticipantField,
    RuntimeField,
)

from ..room.clock import Clock
from ..room.ports import DesiredState, Presence
from .claim import Claim, is_mine
from .connection import CallFailed, Firestore
from .documents import decode, desired_state
from .listener import Listener, document_target, flag_target
from .reporter import EpochLost, Reporter, is_relieved
from .target_view import View

logger = logging.getLogger(__name__)

RETRY_S: Final = 1.0  # after a heartbeat that did not get through


class Watched(IntEnum):
    """Ids of the targets on the one stream."""

    SPACE = 1
    RUNTIME = 2
    STAGE = 3
    REMOVED = 4
    RECORDING = 5


class LinkEvents(Protocol):
    """What a link tells its owner, always on the event loop."""

    def desired_changed(self, desired: DesiredState) -> None:
        """Reconcile with a new desired state."""

    def epoch_lost(self, *, relieved: bool) -> None:
        """Stop: another worker runs the Space, and serves already where `relieved`."""


class FirestoreLink:
    """
    Watches a Space and reports on it, over any outage of Firestore.

    Lifecycle: `run()` once, until cancelled or the epoch is lost.

    Args:
        presence: Called for each heartbeat.

    Attributes:
        rebuilds: How often the watches were built anew because they had gone quiet.
    """

    def __init__(
        self,
        firestore: Firestore,
        claim: Claim,
        *,
        fence: Any,
        presence: Callable[[], Presence],
        events: LinkEvents,
        clock: Clock,
    ) -> None:
        self._firestore = firestore
        self._claim = claim
        self._presence = presence
        self._events = events
        self._clock = clock
        self._reporter = Reporter(firestore, claim, fence=fence)
        self._told: DesiredState | None = None
        self._hurry = asyncio.Event()
        self._echo_at_s = clock.now_s()
        self._reported_at_s = clock.now_s()
        self.rebuilds = 0
        self.failed_reports = 0

    @property
    def knowledge_stale(self) -> bool:
        """Whether a withdrawal might have gone unseen: no echo for 15 s."""
        return self._clock.now_s() - self._echo_at_s > HEARTBEAT_STALE_S

    @property
    def heartbeat_age_s(self) -> float:
        """Seconds since a heartbeat was acknowledged."""
        return self._clock.now_s() - self._reported_at_s

    async def run(self) -> None:
        """Watch and report until the epoch is lost."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._keep_watching(), name="watch")
            try:
                await self._keep_reporting()
            except EpochLost as lost:
                self._events.epoch_lost(relieved=lost.relieved)
            finally:
                watching.cancel()

    def report_soon(self) -> None:
        """Write a heartbeat now: something has changed that others wait for."""
        self._hurry.set()

    async def report_last(self) -> None:
        """
        Write what `presence` says once more, e.g. that the worker has stopped.

        Failures are logged: the watchdog will find out by itself.
        """
        try:
            await self._reporter.report(self._presence())
        except (EpochLost, CallFailed) as error:
            logger.warning("last report failed", extra={"error": type(error).__name__})

    async def _keep_reporting(self) -> None:
        due_s = self._clock.now_s()
        while True:
            await self._until_due(due_s)
            due_s = self._clock.now_s() + HEARTBEAT_INTERVAL_S
            try:
                await self._reporter.report(self._presence())
                self._reported_at_s = self._clock.now_s()
            except CallFailed as error:
                self.failed_reports += 1
                logger.warning(
                    "heartbeat failed", extra={"error": type(error).__name__}
                )
                due_s = self._clock.now_s() + RETRY_S

    async def _until_due(self, due_s: float) -> None:
        timer = self._clock.call_at(due_s, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()
        self._hurry.clear()

    async def _keep_watching(self) -> None:
        """Listen; begin anew when the echo stays away."""
        while True:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listener().run())
                await self._until_quiet()
                listening.cancel()
            self.rebuilds += 1
            logger.error("watch went quiet", extra={"rebuilds": self.rebuilds})

    async def _until_quiet(self) -> None:
        began_s = self._clock.now_s()
        while True:
            quiet_since_s = max(began_s, self._echo_at_s)
            if self._clock.now_s() - quiet_since_s > HEARTBEAT_STALE_S:
                return
            await self._clock.sleep_until(quiet_since_s + HEARTBEAT_STALE_S + 0.1)

    def _listener(self) -> Listener:
        space_id, firestore = self._claim.space_id, self._firestore
        space = firestore.name(paths.space(space_id))
        runtime = firestore.name(self._claim.path)
        recording = firestore.name(paths.runtime_recording(space_id))
        people, field = paths.PARTICIPANTS, ParticipantField
        targets = (
            document_target(Watched.SPACE, space),
            document_target(Watched.RUNTIME, runtime),
            flag_target(Watched.STAGE, space, people, field.ON_STAGE),
            flag_target(Watched.REMOVED, space, people, field.REMOVED),
            document_target(Watched.RECORDING, recording),
        )
        return Listener(firestore, targets, self._view_changed)

    def _view_changed(self, view: View) -> None:
        seen = {target: _by_id(view, target) for target in Watched}
        runtime = next(iter(seen[Watched.RUNTIME].values()), {})
        if not is_mine(runtime, self._claim):
            relieved = is_relieved(runtime, self._claim)
            self._events.epoch_lost(relieved=relieved)
            if not relieved:
                return  # whoever is relieved has people to look after for a moment
        space = next(iter(seen[Watched.SPACE].values()), None)
        recording = next(iter(seen[Watched.RECORDING].values()), None)
        stage, removed = seen[Watched.STAGE].values(), seen[Watched.REMOVED]
        desired = desired_state(space, stage, removed, recording)
        if desired != self._told:  # our own heartbeats change nothing that is desired
            self._told = desired
            self._events.desired_changed(desired)
        # The view is of one moment: with the echo, all that was before it was seen.
        if runtime.get(RuntimeField.HEARTBEAT_SEQ) == self._reporter.sequence:
            self._echo_at_s = self._clock.now_s()


def _by_id(view: View, target: Watched) -> dict[str, dict[str, Any]]:
    return {
        name.rpartition("/")[2]: decode(document)
        for name, document in view[target].items()
    }
