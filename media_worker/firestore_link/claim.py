"""Claims one epoch of a Space for this worker, once and for all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc

from spaces_contract import paths
from spaces_contract.runtime import (
    RuntimeField,
    SpaceField,
    SuccessorField,
    WorkerState,
)

from .connection import CallFailed, Firestore
from .documents import LIVE, decode, document
from .protocol import Document, DocumentMask, Precondition, Write
from .stamped_write import server_time

ATTEMPTS: Final = 5
GIVEN_UP: Final = "the worker was asked to go"


class ClaimRefused(Exception):
    """Another worker has this epoch, or nobody wants it to be claimed any more."""


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


def is_mine(runtime: Mapping[str, Any], claim: Claim) -> bool:
    """Tell whether a runtime document's fields are those of `claim`."""
    return (runtime.get(RuntimeField.EPOCH), runtime.get(RuntimeField.WORKER_ID)) == (
        claim.epoch,
        claim.worker_id,
    )


async def claim_epoch(
    firestore: Firestore,
    claim: Claim,
    *,
    given_up: Callable[[], bool] = lambda: False,
) -> Any:
    """
    Write `claim` to the runtime document; return its update time, which is the fence.

    Where functions have asked for a successor of the worker that serves, the claim also
    raises the Space's epoch: in one moment there is one worker, and then the other.

    Safe to repeat: a claim whose answer was lost is found to be ours.

    Args:
        given_up: Asked last, before anything is written. What is ours already, by a
            claim whose answer was lost, is not given up: nobody else will come soon.

    Raises:
        ClaimRefused: the Space is not live in that epoch, somebody else has it, or it
            was given up.
        CallFailed: Firestore cannot be reached just now.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(firestore, claim, given_up)
        except CallFailed as error:
            if error.code() is not grpc.StatusCode.ABORTED or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def _attempt(
    firestore: Firestore, claim: Claim, given_up: Callable[[], bool]
) -> Any:
    transaction = await firestore.begin()
    names = paths.space(claim.space_id), claim.path
    found = await firestore.read(names, transaction=transaction)
    documents = {path: decode(Document.pb(d)) for path, d in found.items()}
    space = documents.get(paths.space(claim.space_id), {})
    runtime = documents.get(claim.path, {})
    try:
        _check(claim, space, runtime)
        if given_up() and not is_mine(runtime, claim):
            raise ClaimRefused(GIVEN_UP)
    except ClaimRefused:
        await firestore.rollback(transaction)
        raise
    relieves = space[SpaceField.EPOCH] != claim.epoch
    writes = _takeover(firestore, claim) if relieves else [_write(firestore, claim)]
    return await firestore.commit(writes, transaction=transaction)


def _check(claim: Claim, space: Mapping[str, Any], runtime: Mapping[str, Any]) -> None:
    if space.get(SpaceField.STATE) != LIVE:
        raise ClaimRefused("the Space is not live")
    if space.get(SpaceField.EPOCH) != claim.epoch and not _is_awaited(
        claim, space, runtime
    ):
        raise ClaimRefused("the Space is in another epoch")
    if claim.relay is not None and not runtime:
        raise ClaimRefused("no such relay is wanted")
    if runtime.get(RuntimeField.EPOCH, 0) > claim.epoch:
        raise ClaimRefused("a later epoch was launched")
    same_epoch = runtime.get(RuntimeField.EPOCH) == claim.epoch
    owner = runtime.get(RuntimeField.WORKER_ID)
    if same_epoch and owner and owner != claim.worker_id:
        raise ClaimRefused("another worker has this epoch")


def _is_awaited(
    claim: Claim, space: Mapping[str, Any], runtime: Mapping[str, Any]
) -> bool:
    """Whether functions have asked for this worker to relieve the one that serves."""
    asked = runtime.get(RuntimeField.SUCCESSOR) or {}
    return (
        claim.relay is None
        and runtime.get(RuntimeField.EPOCH) == space.get(SpaceField.EPOCH)
        and asked.get(SuccessorField.EPOCH) == claim.epoch
    )


def _takeover(firestore: Firestore, claim: Claim) -> list[Write]:
    """Lay the runtime document down anew, and raise the Space's epoch."""
    claimed = _write(firestore, claim, anew=True)
    space = document(
        firestore.name(paths.space(claim.space_id)), {SpaceField.EPOCH: claim.epoch}
    )
    raised = Write(
        update=space,
        update_mask=DocumentMask(field_paths=[SpaceField.EPOCH]),
        current_document=Precondition(exists=True),
    )
    return [claimed, raised]


def _write(firestore: Firestore, claim: Claim, *, anew: bool = False) -> Write:
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
        # Anew: what the one before reported is not ours.
        update_mask=None if anew else DocumentMask(field_paths=sorted(fields)),
        update_transforms=[server_time(RuntimeField.HEARTBEAT_AT)],
    )
