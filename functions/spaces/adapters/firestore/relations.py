"""Who follows and blocks whom, in Firestore."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.profile import Profile
from ...domain.relation import FollowFacts
from ...domain.states import SpaceState
from .client import dependency_errors, run_transaction
from .profiles import blocks_path, following_path, read_profile, user_path


class FirestoreRelationStore:
    """`RelationStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def follow(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[FollowFacts], None],
        *,
        at: datetime,
    ) -> None:
        """Read account and blocks in a transaction; see `RelationStore`."""
        refs = [
            self._client.document(path)
            for path in (
                user_path(other),
                blocks_path(user_id, other),
                blocks_path(other, user_id),
            )
        ]

        def body(transaction: firestore.Transaction) -> None:
            found = self._get_all(refs, transaction)
            other_doc, *blocks = (found[ref.path] for ref in refs)
            blocked = any(doc.exists for doc in blocks)
            check(FollowFacts(other=read_profile(other_doc), blocked=blocked))
            follows = self._client.document(following_path(user_id, other))
            transaction.set(follows, {"since": at})

        run_transaction(self._client, body)

    def unfollow(self, user_id: UserId, other: UserId) -> None:
        """Delete one document; see `RelationStore`."""
        with dependency_errors():
            self._client.document(following_path(user_id, other)).delete()

    def block(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[Profile | None], Profile],
        *,
        at: datetime,
    ) -> Profile:
        """Read the account, write three documents in a batch; see `RelationStore`."""
        with dependency_errors():
            blocked = check(read_profile(self._client.document(user_path(other)).get()))
            batch = self._client.batch()
            batch.set(self._client.document(blocks_path(user_id, other)), {"since": at})
            for path in (
                following_path(user_id, other),
                following_path(other, user_id),
            ):
                batch.delete(self._client.document(path))
            batch.commit()
        return blocked

    def unblock(self, user_id: UserId, other: UserId) -> None:
        """Delete one document; see `RelationStore`."""
        with dependency_errors():
            self._client.document(blocks_path(user_id, other)).delete()

    def live_spaces_of(self, host_id: UserId) -> Sequence[SpaceId]:
        """Query by state and host; see `RelationStore`."""
        query = (
            self._client.collection(paths.SPACES)
            .where(filter=FieldFilter("creator_id", "==", host_id))
            .where(filter=FieldFilter("state", "==", SpaceState.LIVE.value))
            .select([])
        )
        with dependency_errors():
            return [SpaceId(doc.id) for doc in query.stream()]

    def _get_all(
        self, refs: list[Any], transaction: firestore.Transaction
    ) -> dict[str, Any]:
        read = self._client.get_all(refs, transaction=transaction)
        return {doc.reference.path: doc for doc in read}
