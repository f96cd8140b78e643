"""Effects that wait in Firestore until the task queue has them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.trace_context import HEADER, carried

from ...domain.effects import (
    AnnounceSchedule,
    Effect,
    EraseAccount,
    LaunchWorker,
    RecordingStep,
    RecordingTask,
    ShutOut,
    TellWebhooks,
)
from .client import dependency_errors
from .codec import required_instant

OUTBOX: Final = "outbox"
LAUNCH: Final = "launch"
ANNOUNCE: Final = "announce_schedule"
RECORDING: Final = "recording"
ERASE: Final = "erase_account"
EVENT: Final = "event"
SHUT_OUT: Final = "shut_out"


def outbox_path(effect: Effect) -> str:
    """Document of an effect, by the name that it is enqueued under."""
    return f"{OUTBOX}/{effect.name}"


def outbox_doc(effect: Effect, created_at: datetime) -> dict[str, Any]:
    """
    Return the fields of a stored effect.

    Raises:
        ValueError: the effect is of a kind that is never stored.
    """
    fields: dict[str, Any]
    match effect:
        case LaunchWorker(space_id, epoch):
            fields = {"kind": LAUNCH, "space_id": space_id, "epoch": epoch}
            fields |= carried()  # so that a launch that was left behind is told of
        case AnnounceSchedule(space_id, version):
            fields = {"kind": ANNOUNCE, "space_id": space_id, "version": version}
        case RecordingTask(space_id, step, version, n, at):
            about = {"step": step.value, "version": version, "n": n, "at": at}
            fields = {"kind": RECORDING, "space_id": space_id, **about}
        case TellWebhooks(space_id, event, version, at):
            about = {"event": event, "version": version, "at": at}
            fields = {"kind": EVENT, "space_id": space_id, **about}
        case EraseAccount(user_id, version, n):
            fields = {"kind": ERASE, "user_id": user_id, "version": version, "n": n}
        case ShutOut(user_id, version, n=0, at=at):
            about = {"version": version, "at": at}
            fields = {"kind": SHUT_OUT, "user_id": user_id, **about}
        case _:
            raise ValueError(f"{effect.name} is not stored: it is enqueued at once")
    return {**fields, "created_at": created_at}


def _stored_effect(doc: Mapping[str, Any]) -> Effect:
    if doc["kind"] == ERASE:
        return EraseAccount(UserId(doc["user_id"]), doc["version"], doc["n"])
    if doc["kind"] == SHUT_OUT:
        at = required_instant(doc["at"])
        return ShutOut(UserId(doc["user_id"]), doc["version"], 0, at)
    space_id = SpaceId(doc["space_id"])
    if doc["kind"] == ANNOUNCE:
        return AnnounceSchedule(space_id, doc["version"])
    if doc["kind"] == EVENT:
        at = required_instant(doc["at"])
        return TellWebhooks(space_id, doc["event"], doc["version"], at)
    if doc["kind"] == RECORDING:
        step = RecordingStep(doc["step"])
        at = required_instant(doc["at"])
        return RecordingTask(space_id, step, doc["version"], doc["n"], at)
    return LaunchWorker(space_id, doc["epoch"], traceparent=doc.get(HEADER))


class FirestoreOutbox:
    """Reads and forgets stored effects; transactions store them."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def delete(self, effect: Effect) -> None:
        """Forget the effect; one that is forgotten already is no error."""
        with dependency_errors():
            self._client.document(outbox_path(effect)).delete()

    def stored_before(self, before: datetime, *, limit: int) -> Sequence[Effect]:
        """Return effects stored before that time, the oldest first."""
        query = (
            self._client.collection(OUTBOX)
            .where(filter=FieldFilter("created_at", "<", before))
            .order_by("created_at")
            .limit(limit)
        )
        with dependency_errors():
            found = [doc.to_dict() or {} for doc in query.stream()]
        return [_stored_effect(doc) for doc in found]
