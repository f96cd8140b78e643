"""Who wants to be reminded of a Space, in Firestore."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from google.api_core import exceptions
from google.cloud import firestore

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from .client import dependency_errors

SUBSCRIBERS: Final = "subscribers"


class FirestoreSubscriberStore:
    """
    `SubscriberStore` on Firestore.

    Each wish is a document of its own, and only the task that counts them writes to
    the Space: a crowd that subscribes at once never meets in one document.
    """

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def add(self, space_id: SpaceId, user_id: UserId, at: datetime) -> None:
        """Create one document; see `SubscriberStore`."""
        ref = self._collection(space_id).document(user_id)
        with dependency_errors():
            try:
                ref.create({"uid": user_id, "created_at": at})
            except exceptions.AlreadyExists:
                return

    def remove(self, space_id: SpaceId, user_id: UserId) -> None:
        """Delete one document; see `SubscriberStore`."""
        with dependency_errors():
            self._collection(space_id).document(user_id).delete()

    def has(self, space_id: SpaceId, user_id: UserId) -> bool:
        """Read one document; see `SubscriberStore`."""
        with dependency_errors():
            return bool(
                self._collection(space_id).document(user_id).get(["uid"]).exists
            )

    def page(
        self, space_id: SpaceId, *, limit: int, after: UserId | None
    ) -> Sequence[UserId]:
        """Query by document id; see `SubscriberStore`."""
        collection = self._collection(space_id)
        query = collection.order_by("__name__").select(["uid"]).limit(limit)
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        with dependency_errors():
            return [UserId(doc.id) for doc in query.stream()]

    def recount(self, space_id: SpaceId) -> int:
        """Aggregate, then write one field if it changed; see `SubscriberStore`."""
        space_ref = self._client.document(paths.space(space_id))
        with dependency_errors():
            found = self._collection(space_id).count().get()
            count = int(found[0][0].value)
            space = space_ref.get(["subscriber_count"]).to_dict()
            if space is not None and space["subscriber_count"] != count:
                space_ref.update({"subscriber_count": count})
        return count

    def _collection(self, space_id: SpaceId) -> Any:
        return self._client.collection(f"{paths.space(space_id)}/{SUBSCRIBERS}")
