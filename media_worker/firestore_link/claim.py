"""Claims one epoch of a Space for this worker, once and for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc

from spaces_contract import paths
from spaces_contract.runtime import RuntimeField, SpaceField, WorkerState

from .connection import CallFailed, Firestore
from .documents import LIVE, decode, document
from .protocol import Document, DocumentMask, Write
from .stamped_write import server_time

ATTEMPTS: Final = 5


class ClaimRefused(Exception):
    """Another worker has this epoch, or the Space does not want it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    What a worker writes to make an epoch its own.

    Args:
        worker_id: Random per process.
        udp_endpoints: "host:port", as announced to clients.
        relay: Number of the relay that claims; None: the Space's own worker.
    """

    space_id: str
    epoch: int
    worker_id: str
    control_url: str
    udp_endpoints: tuple[str, ...]
    relay: int | None = None

    @property
    def path(self) -> str:
        """The runtime document that is claimed."""
        if self.relay is None:
            return paths.runtime_worker(self.space_id)
        return paths.runtime_relay(self.space_id, self.relay)


async def claim_epoch(firestore: Firestore, claim: Claim) -> Any:
    """
    Write `claim` to the runtime document; return its update time, which is the fence.

    Safe to repeat: a claim whose answer was lost is found to be ours.

    Raises:
        ClaimRefused: the Space is not live in that epoch, or somebody else has it.
        CallFailed: Firestore cannot be reached just now.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(firestore, claim)
        except CallFailed as error:
            if error.code() is not grpc.StatusCode.ABORTED or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def _attempt(firestore: Firestore, claim: Claim) -> Any:
    transaction = await firestore.begin()
    names = paths.space(claim.space_id), claim.path
    found = await firestore.read(names, transaction=transaction)
    try:
        _check(claim, {path: decode(Document.pb(d)) for path, d in found.items()})
    except ClaimRefused:
        await firestore.rollback(transaction)
        raise
    return await firestore.commit([_write(firestore, claim)], transaction=transaction)


def _check(claim: Claim, found: Mapping[str, Mapping[str, Any]]) -> None:
    space = found.get(paths.space(claim.space_id), {})
    runtime = found.get(claim.path, {})
    if space.get(SpaceField.STATE) != LIVE:
        raise ClaimRefused("the Space is not live")
    if space.get(SpaceField.EPOCH) != claim.epoch:
        raise ClaimRefused("the Space is in another epoch")
    if claim.relay is not None and not runtime:
        raise ClaimRefused("no such relay is wanted")
    if runtime.get(RuntimeField.EPOCH, 0) > claim.epoch:
        raise ClaimRefused("a later epoch was launched")
    same_epoch = runtime.get(RuntimeField.EPOCH) == claim.epoch
    owner = runtime.get(RuntimeField.WORKER_ID)
    if same_epoch and owner and owner != claim.worker_id:
        raise ClaimRefused("another worker has this epoch")


def _write(firestore: Firestore, claim: Claim) -> Write:
    fields: dict[str, str | int | tuple[str, ...]] = {
        RuntimeField.EPOCH: claim.epoch,
        RuntimeField.STATE: WorkerState.READY,
        RuntimeField.WORKER_ID: claim.worker_id,
        RuntimeField.CONTROL_URL: claim.control_url,
        RuntimeField.UDP_ENDPOINTS: claim.udp_endpoints,
        RuntimeField.HEARTBEAT_SEQ: 0,
        RuntimeField.LISTENER_COUNT: 0,
        RuntimeField.PARTICIPANT_COUNT: 0,
        RuntimeField.CONNECTED_IDS: (),
    }
    return Write(
        update=document(firestore.name(claim.path), fields),
        update_mask=DocumentMask(field_paths=sorted(fields)),
        update_transforms=[server_time(RuntimeField.HEARTBEAT_AT)],
    )
