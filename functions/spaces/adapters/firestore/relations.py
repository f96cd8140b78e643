"""Who follows and blocks whom, in Firestore."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from google.cloud import firestore
from google.cloud.firestore import ArrayRemove, ArrayUnion

from spaces_contract.ids import SpaceId, UserId

from ...domain.profile import Profile
from ...domain.relation import FollowFacts
from .client import dependency_errors, run_transaction
from .hosted import open_hosted
from .profiles import (
    blocks_path,
    followed_list_path,
    following_path,
    read_profile,
    user_path,
)


class FirestoreRelationStore:
    """
    `RelationStore` on Firestore.

    Whom somebody follows is kept twice in one commit: a document for each, to be asked
    for and listed, and one list of all, to be read whole for the feed.
    """

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
        """Read account, blocks and list in a transaction; see `RelationStore`."""
        refs = [
            self._client.document(path)
            for path in (
                user_path(other),
                followed_list_path(user_id),
                blocks_path(user_id, other),
                blocks_path(other, user_id),
            )
        ]

        def body(transaction: firestore.Transaction) -> None:
            found = self._get_all(refs, transaction)
            other_doc, list_doc, *blocks = (found[ref.path] for ref in refs)
            listed = set((list_doc.to_dict() or {}).get("user_ids", ()))
            facts = FollowFacts(
                other=read_profile(other_doc),
                blocked=any(doc.exists for doc in blocks),
                followed=len(listed - {other}),
            )
            check(facts)
            if other not in listed:
                follows = self._client.document(following_path(user_id, other))
                transaction.set(follows, {"since": at, "uid": other})
                self._list(transaction, user_id, ArrayUnion([other]))

        run_transaction(self._client, body)

    def unfollow(self, user_id: UserId, other: UserId) -> None:
        """Delete it and take it off the list; see `RelationStore`."""
        batch = self._client.batch()
        self._forget_follow(batch, user_id, other)
        with dependency_errors():
            batch.commit()

    def block(
        self,
        user_id: UserId,
        other: UserId,
        check: Callable[[Profile | None], Profile],
        *,
        at: datetime,
    ) -> Profile:
        """Read the account, write all documents in a batch; see `RelationStore`."""
        with dependency_errors():
            blocked = check(read_profile(self._client.document(user_path(other)).get()))
            batch = self._client.batch()
            batch.set(self._client.document(blocks_path(user_id, other)), {"since": at})
            self._forget_follow(batch, user_id, other)
            self._forget_follow(batch, other, user_id)
            batch.commit()
        return blocked

    def unblock(self, user_id: UserId, other: UserId) -> None:
        """Delete one document; see `RelationStore`."""
        with dependency_errors():
            self._client.document(blocks_path(user_id, other)).delete()

    def open_spaces_of(self, host_id: UserId) -> Sequence[SpaceId]:
        """Query by host and state; see `RelationStore`."""
        return open_hosted(self._client, host_id)

    def _forget_follow(self, batch: Any, user_id: UserId, other: UserId) -> None:
        batch.delete(self._client.document(following_path(user_id, other)))
        self._list(batch, user_id, ArrayRemove([other]))

    def _list(self, batch: Any, user_id: UserId, change: Any) -> None:
        ref = self._client.document(followed_list_path(user_id))
        batch.set(ref, {"user_ids": change}, merge=True)

    def _get_all(
        self, refs: list[Any], transaction: firestore.Transaction
    ) -> dict[str, Any]:
        read = self._client.get_all(refs, transaction=transaction)
        return {doc.reference.path: doc for doc in read}
