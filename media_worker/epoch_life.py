"""A worker's tie to its epoch: claim it, report on it, leave it in good order."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import IntEnum
from typing import Any, Final, Protocol

from spaces_contract.runtime import HEARTBEAT_STALE_S, WorkerState

from .firestore_link.claim import GIVEN_UP, Claim, ClaimRefused, claim_epoch
from .firestore_link.connection import CallFailed, Firestore
from .firestore_link.link import FirestoreLink
from .room.clock import Clock
from .room.ports import DesiredState, Presence
from .room.room_end import RoomEnd

logger = logging.getLogger(__name__)

CLAIM_PATIENCE_S: Final = 30.0
CLAIM_RETRY_S: Final = 0.5
DRAINING_PATIENCE_S: Final = 0.8  # peers wait for that report to be told
# Nobody waits for the last one; untold, the worker is looked for in vain for 15 s.
STOPPED_PATIENCE_S: Final = 3.0
# For a machine and an image to come; whoever launched us must give as much.
RELIEF_PATIENCE_S: Final = 240.0


class ExitCode(IntEnum):
    """What the process answers to whoever launched it."""

    DONE = 0  # the Space ended, or we were asked to stop
    CRASHED = 1
    CONFIG = 2
    NOT_OURS = 3  # the epoch is another's; do not restart this one


class Served(Protocol):
    """What is run for an epoch: a room, or a relay's."""

    def end(self, reason: RoomEnd) -> None:
        """Let its task return; the first reason counts."""

    def apply(self, desired: DesiredState) -> None:
        """Take a new desired state."""

    def presence(self, state: WorkerState) -> Presence:
        """Return what a heartbeat reports."""
        ...


class EpochLife:
    """
    Claims an epoch for what is served, and tells both of each other.

    Lifecycle: `run` once; `stop` lets it drain and return, at any time.

    Args:
        finish: Called when serving has ended, before the last report.
        on_relief: Called at the moment in which a successor has taken over.

    Attributes:
        link: None until the epoch is claimed.
        claimed: Set from then on.
    """

    def __init__(
        self,
        firestore: Firestore,
        served: Served,
        *,
        clock: Clock,
        finish: Callable[[], Awaitable[None]] | None = None,
        on_relief: Callable[[], None] | None = None,
    ) -> None:
        self._firestore = firestore
        self._served = served
        self._clock = clock
        self._finish = finish
        self._on_relief = on_relief
        self._stopping = asyncio.Event()
        self._leaving = False
        self._lost = False
        self._committing = False  # a claim is on its way, or its answer is
        self.state = WorkerState.LAUNCHING
        self.link: FirestoreLink | None = None
        self.claimed = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """Whether the epoch is ours and nobody has asked us to leave."""
        return self.state is WorkerState.READY and not self._stopping.is_set()

    @property
    def knows(self) -> bool:
        """Whether what Firestore wants is known, as of the last seconds."""
        return self.link is not None and not self.link.knowledge_stale

    @property
    def holds(self) -> bool:
        """Whether no other worker can have the epoch, as of the last seconds."""
        return self.knows and not self._lost

    def leave(self) -> None:
        """
        Ask for a successor, and serve until it is there; then `served` is `RELIEVED`.

        Stops at once where nobody can be asked, where the epoch is not ours yet, or is
        asked a second time; and where nobody comes for `RELIEF_PATIENCE_S`.
        """
        claimed = self.link is not None
        if self._leaving or (claimed and not (self.is_ready and self.holds)):
            self.stop()
            return
        logger.info("leaving")
        self._leaving = True
        if self.link is not None:
            self.link.report_soon()
        self._clock.call_at(self._clock.now_s() + RELIEF_PATIENCE_S, self.stop)

    def stop(self) -> None:
        """Drain: no new sessions, tell peers, close."""
        self._stopping.set()
        self._served.end(RoomEnd.WORKER_STOPPING)

    async def run(self, claim: Claim, serving: "asyncio.Task[RoomEnd]") -> ExitCode:
        """
        Hold the epoch until the Space ends, the epoch is lost or `stop` is called.

        Args:
            serving: What runs `served`.

        Raises:
            CallFailed: Firestore could not be reached for `CLAIM_PATIENCE_S`.
            ExceptionGroup: what is served, or the link, crashed.
        """
        try:
            fence = await self._claim_beside(serving, claim)
        except ClaimRefused as error:
            if self._is_going:
                self.stop()
                await serving  # raises, where it had crashed
                return ExitCode.DONE
            logger.error("claim refused", extra={"reason": str(error)})
            return ExitCode.NOT_OURS
        self.state = WorkerState.READY
        logger.info("ready", extra={"control_url": claim.control_url})
        self.link = FirestoreLink(
            self._firestore,
            claim,
            fence=fence,
            presence=self._presence,
            events=self,
            clock=self._clock,
        )
        self.claimed.set()
        return await self._run_linked(self.link, serving)

    def desired_changed(self, desired: DesiredState) -> None:
        """Reconcile with a new desired state."""
        self._served.apply(desired)

    def epoch_lost(self, *, relieved: bool) -> None:
        """Stop at once, or hand everybody over to whoever is there."""
        self._lost = True
        if relieved and self._on_relief is not None:
            self._on_relief()
        self._served.end(RoomEnd.RELIEVED if relieved else RoomEnd.SUPERSEDED)

    def _presence(self) -> Presence:
        return replace(self._served.presence(self.state), leaving=self._leaving)

    async def _run_linked(
        self, link: FirestoreLink, serving: "asyncio.Task[RoomEnd]"
    ) -> ExitCode:
        linking = asyncio.create_task(link.run(), name="link")
        linking.add_done_callback(lambda _: self._served.end(RoomEnd.WORKER_STOPPING))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await cancelled(linking)
            if not serving.done():
                self.state = WorkerState.DRAINING
                await self._report(link, DRAINING_PATIENCE_S)
            end = await serving
            if self._finish is not None:
                await self._finish()
        finally:
            await cancelled(stopping)
            await cancelled(linking)
        if end is RoomEnd.SUPERSEDED:
            return ExitCode.NOT_OURS
        if end is RoomEnd.RELIEVED:
            logger.info("stopped", extra={"reason": end.value})
            return ExitCode.DONE  # the document is another's: there is nobody to tell
        self.state = WorkerState.STOPPED
        await self._report(link, STOPPED_PATIENCE_S)
        if not linking.cancelled():
            linking.result()  # a link that ends by itself has crashed
        logger.info("stopped", extra={"reason": end.value})
        return ExitCode.DONE

    @property
    def _is_going(self) -> bool:
        return self._leaving or self._stopping.is_set()

    async def _claim_beside(
        self, serving: "asyncio.Task[RoomEnd]", claim: Claim
    ) -> Any:
        """Claim, unless what is served ends before that."""
        claiming = asyncio.create_task(self._claim_epoch(claim), name="claim")
        try:
            await asyncio.wait({claiming, serving}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                self._stopping.set()
            return await claiming
        finally:
            await cancelled(claiming)

    async def _claim_epoch(self, claim: Claim) -> Any:
        """
        Claim, waiting out an outage of Firestore for a while.

        Whoever is asked to go meanwhile does not claim any more. But what is being
        committed is waited for: the epoch may be ours, and nobody else's. Where that
        answer is lost, it is asked whether it is, for as long as nobody else would find
        out that this worker is not there.
        """
        deadline_s = self._clock.now_s() + CLAIM_PATIENCE_S
        unsure_until_s = self._clock.now_s()
        while not self._is_going or self._clock.now_s() < unsure_until_s:
            self._committing = False
            try:
                return await claim_epoch(
                    self._firestore, claim, given_up=self._gives_up
                )
            except CallFailed as error:
                if not self._is_going and self._clock.now_s() > deadline_s:
                    raise
                logger.warning("claim failed", extra={"error": type(error).__name__})
                if self._committing:
                    unsure_until_s = self._clock.now_s() + HEARTBEAT_STALE_S
            await asyncio.sleep(CLAIM_RETRY_S)
        raise ClaimRefused(GIVEN_UP)

    def _gives_up(self) -> bool:
        """Whether nothing new is to be committed; asked just before that."""
        self._committing = not self._is_going
        return self._is_going

    async def _report(self, link: FirestoreLink, patience_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await link.report_last()


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and wait for its end; how it ended is its owner's to ask."""
    task.cancel()
    await asyncio.wait([task])
