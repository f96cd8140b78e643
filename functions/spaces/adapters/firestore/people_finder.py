"""People by their names and relations, in Firestore."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore import FieldFilter, Query

from spaces_contract.ids import UserId

from ...domain.profile import Profile
from ...service.discovery_ports import Related
from ...service.ports import Cursor
from .client import dependency_errors
from .codec import required_instant
from .profiles import (
    FOLLOWING,
    HANDLES,
    blocks_path,
    followed_list_path,
    following_path,
    read_profile,
    user_path,
)

AFTER_ALL: Final = "\uf8ff"  # sorts behind whatever a handle may consist of


class FirestorePeopleFinder:
    """`PeopleFinder` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def following(self, user_id: UserId) -> frozenset[UserId]:
        """Read one document; see `PeopleFinder`."""
        with dependency_errors():
            doc = self._client.document(followed_list_path(user_id)).get()
        return frozenset(map(UserId, (doc.to_dict() or {}).get("user_ids", ())))

    def apart(self, user_id: UserId, others: Collection[UserId]) -> frozenset[UserId]:
        """Read both blocks of each pair in one RPC; see `PeopleFinder`."""
        owners = {
            path: other
            for other in others
            for path in (blocks_path(user_id, other), blocks_path(other, user_id))
        }
        found = self._existing([self._client.document(path) for path in owners])
        return frozenset(owners[doc.reference.path] for doc in found)

    def followed(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Query one's own relations; see `PeopleFinder`."""
        return self._owned(f"{user_path(user_id)}/following", limit, after)

    def blocked(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Query one's own relations; see `PeopleFinder`."""
        return self._owned(f"{user_path(user_id)}/blocks", limit, after)

    def followers(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Related]:
        """Query everybody's relations; see `PeopleFinder`."""
        query = self._latest(self._followers(user_id), limit)
        if after is not None:
            path = following_path(UserId(after.id), user_id)
            ref = self._client.document(path)
            query = query.start_after({"since": after.at, "__name__": ref})
        with dependency_errors():
            found = {
                UserId(doc.reference.parent.parent.id): doc for doc in query.stream()
            }
        return self._related(found)

    def count_followers(self, user_id: UserId, *, at_most: int) -> int:
        """Aggregate, at one read for each 1,000; see `PeopleFinder`."""
        query = self._followers(user_id).limit(at_most).count()
        with dependency_errors():
            return int(query.get()[0][0].value)

    def with_handle(self, beginning: str, *, limit: int) -> Sequence[Profile]:
        """Query handles by name, then read accounts; see `PeopleFinder`."""
        first = beginning.lower()
        handles = self._client.collection(HANDLES)
        query = (
            handles.where(filter=FieldFilter("__name__", ">=", handles.document(first)))
            .where(
                filter=FieldFilter("__name__", "<", handles.document(first + AFTER_ALL))
            )
            .limit(limit)
        )
        with dependency_errors():
            owners = [UserId((doc.to_dict() or {})["uid"]) for doc in query.stream()]
        found = self.profiles(owners)
        return [found[uid] for uid in owners if uid in found]

    def profiles(self, user_ids: Collection[UserId]) -> Mapping[UserId, Profile]:
        """Read them in one RPC; see `PeopleFinder`."""
        docs = self._existing([self._client.document(user_path(u)) for u in user_ids])
        read = (read_profile(doc) for doc in docs)
        return {each.user_id: each for each in read if each is not None}

    def _owned(self, path: str, limit: int, after: Cursor | None) -> Sequence[Related]:
        owned = self._client.collection(path)
        query = self._latest(owned, limit)
        if after is not None:
            ref = owned.document(after.id)
            query = query.start_after({"since": after.at, "__name__": ref})
        with dependency_errors():
            return self._related({UserId(doc.id): doc for doc in query.stream()})

    def _related(self, found: Mapping[UserId, Any]) -> Sequence[Related]:
        accounts = self.profiles(found)
        return [
            Related(
                user_id=uid,
                since=required_instant((doc.to_dict() or {})["since"]),
                profile=accounts.get(uid),
            )
            for uid, doc in found.items()
        ]

    def _followers(self, user_id: UserId) -> Any:
        return self._client.collection_group(FOLLOWING).where(
            filter=FieldFilter("uid", "==", user_id)
        )

    def _latest(self, query: Any, limit: int) -> Any:
        return (
            query.order_by("since", direction=Query.DESCENDING)
            .order_by("__name__", direction=Query.DESCENDING)
            .limit(limit)
        )

    def _existing(self, refs: list[Any]) -> list[Any]:
        if not refs:
            return []
        with dependency_errors():
            return [doc for doc in self._client.get_all(refs) if doc.exists]
