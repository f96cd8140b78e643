"""How far announcements are, in Firestore."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from google.cloud import firestore

from spaces_contract.ids import SpaceId, UserId

from ...domain.announcement import Announcement, AnnouncementKind
from ...domain.fan_out import FanOut, Waiting
from .client import run_transaction
from .codec import instant

FAN_OUTS: Final = "fan_outs"
KEPT: Final = timedelta(days=7)  # longer than any task of it may live


class FirestoreFanOutStore:
    """`FanOutStore` on `fan_outs/{announcement}`."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def update(
        self, announcement: Announcement, decide: Callable[[FanOut | None], FanOut]
    ) -> FanOut:
        """Read and write one document in a transaction; see `FanOutStore`."""
        ref = self._client.document(f"{FAN_OUTS}/{announcement.id}")

        def body(transaction: firestore.Transaction) -> FanOut:
            fields = ref.get(transaction=transaction).to_dict()
            before = None if fields is None else _from_doc(fields)
            after = decide(before)
            if after != before:
                transaction.set(ref, _to_doc(after))
            return after

        fan_out, _ = run_transaction(self._client, body)
        return fan_out


def _to_doc(fan_out: FanOut) -> dict[str, Any]:
    return {
        "space_id": fan_out.announcement.space_id,
        "kind": fan_out.announcement.kind.value,
        "version": fan_out.announcement.version,
        "uid": fan_out.announcement.user_id,
        "began_at": fan_out.began_at,
        "page": fan_out.page,
        "cursor": fan_out.cursor,
        "complete": fan_out.complete,
        "waiting": [
            {
                "uid": each.user_id,
                "device_id": each.device_id,
                "attempts": each.attempts,
                "due_at": each.due_at,
            }
            for each in fan_out.waiting
        ],
        "slowdowns": fan_out.slowdowns,
        "next_at": fan_out.next_at,
        "lease_owner": fan_out.lease_owner,
        "leased_until": fan_out.leased_until,
        "sent": fan_out.sent,
        "expires_at": fan_out.began_at + KEPT,
    }


def _from_doc(doc: Mapping[str, Any]) -> FanOut:
    return FanOut(
        announcement=Announcement(
            SpaceId(doc["space_id"]),
            AnnouncementKind(doc["kind"]),
            doc["version"],
            UserId(doc["uid"]) if doc.get("uid") else None,
        ),
        began_at=_required(doc["began_at"]),
        page=doc["page"],
        cursor=UserId(doc["cursor"]) if doc["cursor"] else None,
        complete=doc["complete"],
        waiting=tuple(
            Waiting(
                user_id=UserId(each["uid"]),
                device_id=each["device_id"],
                attempts=each["attempts"],
                due_at=_required(each["due_at"]),
            )
            for each in doc["waiting"]
        ),
        slowdowns=doc["slowdowns"],
        next_at=instant(doc["next_at"]),
        lease_owner=doc["lease_owner"],
        leased_until=instant(doc["leased_until"]),
        sent=doc["sent"],
    )


def _required(value: Any) -> datetime:
    found = instant(value)
    if found is None:
        raise ValueError("a fan-out lacks a time that it must have")
    return found
