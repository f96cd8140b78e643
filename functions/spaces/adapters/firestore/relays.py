"""Which relays a Space has been given, in Firestore."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from google.cloud import firestore

from spaces_contract import paths
from spaces_contract.ids import SpaceId
from spaces_contract.runtime import RuntimeField, WorkerState

from ...domain.relays import PlacedRelay, RelayBook, RelayPlan
from .client import run_transaction
from .codec import required_instant

RELAYS: Final = "relays"


class FirestoreRelayStore:
    """
    `RelayStore` on Firestore.

    One document holds what was asked for; each relay has another, which is its own from
    its claim on.
    """

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def plan(
        self,
        space_id: SpaceId,
        decide: Callable[[RelayBook | None], RelayPlan],
        forward_for: Callable[[int], str],
    ) -> RelayPlan:
        """Read one document, and write what has changed; see `RelayStore`."""
        ref = self._book(space_id)

        def body(transaction: firestore.Transaction) -> RelayPlan:
            before = _read(ref.get(transaction=transaction).to_dict())
            planned = decide(before)
            if planned.book != before:
                transaction.set(ref, _book_doc(planned.book))
            if planned.place is not None:
                relay = self._client.document(
                    paths.runtime_relay(space_id, planned.place)
                )
                forward = forward_for(planned.place)
                transaction.set(relay, _relay_doc(planned, planned.place, forward))
            return planned

        planned, _ = run_transaction(self._client, body)
        return planned

    def launched(self, space_id: SpaceId, epoch: int, index: int, ref: str) -> None:
        """Read the book and write it where the relay is still in it."""
        doc = self._book(space_id)

        def body(transaction: firestore.Transaction) -> None:
            book = _read(doc.get(transaction=transaction).to_dict())
            if book is None or book.epoch != epoch or index not in book.placed:
                return
            known = replace(book.placed[index], ref=ref)
            placed = {**book.placed, index: known}
            transaction.set(doc, _book_doc(replace(book, placed=placed)))

        run_transaction(self._client, body)

    def _book(self, space_id: SpaceId) -> Any:
        path = f"{paths.space(space_id)}/{paths.RUNTIME}/{RELAYS}"
        return self._client.document(path)


def _book_doc(book: RelayBook) -> dict[str, Any]:
    return {
        "epoch": book.epoch,
        "next_index": book.next_index,
        "placed": {
            str(index): {"placed_at": each.placed_at, "ref": each.ref}
            for index, each in book.placed.items()
        },
    }


def _read(doc: Mapping[str, Any] | None) -> RelayBook | None:
    if doc is None:
        return None
    return RelayBook(
        epoch=doc["epoch"],
        next_index=doc["next_index"],
        placed={
            int(index): PlacedRelay(
                placed_at=required_instant(each["placed_at"]), ref=each["ref"]
            )
            for index, each in doc["placed"].items()
        },
    )


def _relay_doc(planned: RelayPlan, index: int, forward: str) -> dict[str, Any]:
    return {
        RuntimeField.EPOCH.value: planned.book.epoch,
        RuntimeField.STATE.value: WorkerState.LAUNCHING.value,
        RuntimeField.LAUNCHED_AT.value: planned.book.placed[index].placed_at,
        RuntimeField.FEED_FORWARD.value: forward,
    }
