"""Who is suspended, in Firestore."""

from collections.abc import Sequence
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore import ArrayRemove, FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.effects import ShutOut
from ...domain.errors import ListFull
from ...domain.suspension import MAX_SUSPENDED
from .client import dependency_errors, run_transaction
from .hosted import open_hosted
from .outbox import outbox_doc, outbox_path

SUSPENDED: Final = "operator/suspended"


class FirestoreSuspensionStore:
    """`SuspensionStore` on one document, which every instance reads now and then."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def all(self) -> frozenset[UserId]:
        """Read one document; see `SuspensionStore`."""
        with dependency_errors():
            return _listed(self._ref().get())

    def add(self, effect: ShutOut) -> None:
        """Read one document, write it and another; see `SuspensionStore`."""
        ref = self._ref()

        def body(transaction: firestore.Transaction) -> None:
            listed = _listed(ref.get(transaction=transaction))
            if effect.user_id not in listed:
                if len(listed) >= MAX_SUSPENDED:
                    raise ListFull("suspended people", MAX_SUSPENDED)
                everybody = sorted({*listed, effect.user_id})
                transaction.set(ref, {"user_ids": everybody})
            outbox_ref = self._client.document(outbox_path(effect))
            transaction.set(outbox_ref, outbox_doc(effect, effect.at))

        run_transaction(self._client, body)

    def remove(self, user_id: UserId) -> None:
        """Write one document; see `SuspensionStore`."""
        with dependency_errors():
            self._ref().set({"user_ids": ArrayRemove([user_id])}, merge=True)

    def open_hosted(self, user_id: UserId) -> Sequence[SpaceId]:
        """Query by host and state; see `SuspensionStore`."""
        return open_hosted(self._client, user_id)

    def present_in(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Query participants of all Spaces; see `SuspensionStore`."""
        query = (
            self._client.collection_group(paths.PARTICIPANTS)
            .where(filter=FieldFilter("uid", "==", user_id))
            .where(filter=FieldFilter("left_at", "==", None))
            .where(filter=FieldFilter("removed", "==", False))
            .order_by("joined_at", direction=firestore.Query.DESCENDING)
            .select([])
            .limit(limit)
        )
        with dependency_errors():
            return [SpaceId(doc.reference.parent.parent.id) for doc in query.stream()]

    def _ref(self) -> Any:
        return self._client.document(SUSPENDED)


def _listed(doc: Any) -> frozenset[UserId]:
    return frozenset((doc.to_dict() or {}).get("user_ids", ()))
