"""Heartbeats: writes who is connected, and learns when the epoch is lost."""

import logging
from typing import Any, Final

import grpc

from spaces_contract import paths
from spaces_contract.runtime import RuntimeField, SpaceField, WorkerState

from ..room.ports import Presence
from .claim import Claim, is_mine
from .connection import CallFailed, Firestore
from .documents import Writable, decode, document
from .protocol import Document, DocumentMask, Precondition, Write
from .stamped_write import server_time

logger = logging.getLogger(__name__)


FENCE_CODES: Final = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)


class EpochLost(Exception):
    """
    Another worker runs the Space now; this one must stop.

    Args:
        relieved: It serves already.
    """

    def __init__(self, *, relieved: bool) -> None:
        super().__init__(relieved)
        self.relieved = relieved


class Reporter:
    """
    Writes one worker's heartbeats, each fenced by the update time of the one before.

    Args:
        fence: Update time of the claim.

    Attributes:
        sequence: Of the last heartbeat that was tried.
    """

    def __init__(self, firestore: Firestore, claim: Claim, *, fence: Any) -> None:
        self._firestore = firestore
        self._claim = claim
        self._fence = fence
        self._counted: int | None = None  # as it stands in the Space document
        self.sequence = 0

    async def report(self, presence: Presence) -> None:
        """
        Write one heartbeat, and the Space's `participant_count` where it changed.

        Raises:
            EpochLost: the runtime document is no longer this worker's.
            CallFailed: Firestore cannot be reached just now; report again.
        """
        self.sequence += 1
        try:
            await self._commit(presence)
        except CallFailed as error:
            if error.code() not in FENCE_CODES:
                raise
            # Either the fence fell, or our own last commit's answer was lost.
            await self._find_fence()
            await self._commit(presence)

    async def _commit(self, presence: Presence) -> None:
        writes = [self._heartbeat(presence)]
        # A relay's are in its origin's count already.
        origin = self._claim.relay is None
        if origin and presence.participant_count != self._counted:
            writes.append(self._count(presence.participant_count))
        self._fence = await self._firestore.commit(writes)
        self._counted = presence.participant_count

    def _heartbeat(self, presence: Presence) -> Write:
        fields: dict[str, Writable] = {
            RuntimeField.STATE: presence.state,
            RuntimeField.LEAVING: presence.leaving,
            RuntimeField.HEARTBEAT_SEQ: self.sequence,
            RuntimeField.LISTENER_COUNT: presence.listener_count,
            RuntimeField.HLS_LISTENER_COUNT: presence.hls_listener_count,
            RuntimeField.CAPACITY: presence.capacity,
            RuntimeField.PARTICIPANT_COUNT: presence.participant_count,
            RuntimeField.CONNECTED_IDS: presence.connected_ids,
            RuntimeField.RELAYS: {
                str(index): report.to_fields()
                for index, report in presence.relays.items()
            },
        }
        name = self._firestore.name(self._claim.path)
        return Write(
            update=document(name, fields),
            update_mask=DocumentMask(field_paths=sorted(fields)),
            update_transforms=[server_time(RuntimeField.HEARTBEAT_AT)],
            current_document=Precondition(update_time=self._fence),
        )

    def _count(self, participant_count: int) -> Write:
        field = SpaceField.PARTICIPANT_COUNT
        name = self._firestore.name(paths.space(self._claim.space_id))
        return Write(
            update=document(name, {field: participant_count}),
            update_mask=DocumentMask(field_paths=[field]),
            current_document=Precondition(exists=True),
        )

    async def _find_fence(self) -> None:
        path = self._claim.path
        found = (await self._firestore.read([path])).get(path)
        runtime = {} if found is None else decode(Document.pb(found))
        if found is None or not is_mine(runtime, self._claim):
            raise EpochLost(relieved=is_relieved(runtime, self._claim))
        logger.warning("heartbeat fence found again")
        self._fence = found.update_time


def is_relieved(runtime: dict[str, Any], claim: Claim) -> bool:
    """Tell whether a runtime document is that of a later worker, which serves."""
    later = int(runtime.get(RuntimeField.EPOCH, 0)) > claim.epoch
    return later and runtime.get(RuntimeField.STATE) == WorkerState.READY
