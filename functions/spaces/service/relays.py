"""Placing relays: more workers for a Space whose audience grows."""

import logging
from dataclasses import dataclass

from spaces_contract.grants import Forward, body_digest
from spaces_contract.ids import SpaceId
from spaces_contract.relays import FEED, FEED_LIFETIME_S, relay_user
from spaces_contract.roles import Role

from ..domain.relays import RelayBook, RelayLimits, RelayPlan, concerns, plan
from ..domain.runtime import Runtime
from .errors import NoCapacity
from .ports import Clock, GrantSigner, Launcher, LaunchRefused, Workload, WorkloadKind
from .relay_ports import RelayStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayService:
    """Looks at a Space's load with each look at its worker."""

    store: RelayStore
    launcher: Launcher
    grants: GrantSigner
    now: Clock
    limits: RelayLimits

    def look(self, space_id: SpaceId, runtime: Runtime) -> None:
        """
        Launch a relay where all workers are nearly full; stop one that is to spare.

        Where there is no room for one now, HLS carries who comes; it is tried anew.

        Raises:
            DependencyUnavailable, Contended: the next look goes on.
        """
        if not concerns(runtime, self.limits):
            return

        def decide(book: RelayBook | None) -> RelayPlan:
            return plan(book, runtime, now=self.now(), limits=self.limits)

        def forward_for(index: int) -> str:
            return self._forward(space_id, runtime.epoch, index)

        planned = self.store.plan(space_id, decide, forward_for)
        stop = [*planned.stop, *self._found(space_id, runtime.epoch, planned)]
        for ref in stop:
            self.launcher.terminate(ref)
        if stop:
            logger.info("relays stopped", extra={"refs": stop})
        if planned.place is not None:
            self._launch(space_id, runtime.epoch, planned.place)

    def _found(self, space_id: SpaceId, epoch: int, planned: RelayPlan) -> list[str]:
        """Ask the launcher for references that were lost between it and the store."""
        if not planned.stop_unnamed:
            return []
        wanted = {_relay(space_id, epoch, index) for index in planned.stop_unnamed}
        return [
            each.ref for each in self.launcher.workloads() if each.workload in wanted
        ]

    def _launch(self, space_id: SpaceId, epoch: int, index: int) -> None:
        about = {"space_id": space_id, "epoch": epoch, "relay": index}
        try:
            ref = self.launcher.launch(_relay(space_id, epoch, index))
        except (NoCapacity, LaunchRefused) as error:
            logger.warning("no relay", extra={**about, "error": type(error).__name__})
            return
        self.store.launched(space_id, epoch, index, ref)
        logger.info("relay launched", extra={**about, "ref": ref})

    def _forward(self, space_id: SpaceId, epoch: int, index: int) -> str:
        issued_at_s = int(self.now().timestamp())
        return self.grants.sign_forward(
            Forward(
                method=FEED,
                space_id=space_id,
                epoch=epoch,
                user_id=relay_user(index),
                role=Role.LISTENER,
                anonymous=True,
                grant_id=FEED,
                body_sha256=body_digest(b""),
                issued_at_s=issued_at_s,
                expires_at_s=issued_at_s + FEED_LIFETIME_S,
                session_id=str(index),
            )
        )


def _relay(space_id: SpaceId, epoch: int, index: int) -> Workload:
    return Workload(kind=WorkloadKind.RELAY, key=space_id, epoch=epoch, index=index)
