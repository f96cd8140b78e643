"""People's accounts in Firestore, and who blocks and follows whom."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from google.cloud import firestore

from spaces_contract.ids import UserId

from ...domain.errors import ErasureRunning, HandleTaken
from ...domain.profile import Profile
from .client import dependency_errors, run_transaction
from .codec import profile_from_doc, profile_to_doc, revision_of

HANDLES: Final = "handles"
FOLLOWING: Final = "following"


def user_path(user_id: UserId) -> str:
    """Document of one account."""
    return f"users/{user_id}"


def handle_path(handle_key: str) -> str:
    """Document that says whose a handle is."""
    return f"{HANDLES}/{handle_key}"


def blocks_path(user_id: UserId, other: UserId) -> str:
    """Document that exists where `user_id` has blocked `other`."""
    return f"users/{user_id}/blocks/{other}"


def following_path(user_id: UserId, other: UserId) -> str:
    """Document that exists where `user_id` follows `other`."""
    return f"users/{user_id}/{FOLLOWING}/{other}"


def followed_list_path(user_id: UserId) -> str:
    """Document that lists everybody whom `user_id` follows, to be read as one."""
    return f"users/{user_id}/lists/{FOLLOWING}"


def erasure_path(user_id: UserId) -> str:
    """Document that exists while an account is being erased."""
    return f"erasures/{user_id}"


class FirestoreProfileStore:
    """`ProfileStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def get(self, user_id: UserId) -> Profile | None:
        """Read one document; see `ProfileStore`."""
        with dependency_errors():
            return read_profile(self._client.document(user_path(user_id)).get())

    def update(
        self, user_id: UserId, decide: Callable[[Profile | None], Profile]
    ) -> Profile:
        """Keep the account and its handle in step; see `ProfileStore`."""
        ref = self._client.document(user_path(user_id))

        def body(
            transaction: firestore.Transaction,
        ) -> tuple[Profile | None, Profile]:
            before = read_profile(ref.get(transaction=transaction))
            after = decide(before)
            if after == before:
                return before, after
            if before is None:
                self._must_not_be_erasing(user_id, transaction)
            moved = before is None or before.handle_key != after.handle_key
            if moved:
                self._must_be_free(after, transaction)
            transaction.set(ref, profile_to_doc(after))
            if moved:
                transaction.set(self._handle_ref(after), {"uid": user_id})
            if moved and before is not None:
                transaction.delete(self._handle_ref(before))
            return before, after

        (before, after), written_at = run_transaction(self._client, body)
        if after == before or written_at is None:
            return after
        return replace(after, revision=revision_of(written_at))

    def _must_not_be_erasing(
        self, user_id: UserId, transaction: firestore.Transaction
    ) -> None:
        ref = self._client.document(erasure_path(user_id))
        if ref.get(transaction=transaction).exists:
            raise ErasureRunning

    def _must_be_free(
        self, profile: Profile, transaction: firestore.Transaction
    ) -> None:
        owner = self._handle_ref(profile).get(transaction=transaction).to_dict()
        if owner is not None and owner["uid"] != profile.user_id:
            raise HandleTaken

    def _handle_ref(self, profile: Profile) -> Any:
        return self._client.document(handle_path(profile.handle_key))


def read_profile(doc: Any) -> Profile | None:
    """Return the account of a snapshot, if it exists."""
    fields = doc.to_dict()
    if fields is None:
        return None
    return profile_from_doc(doc.id, fields, revision_of(doc.update_time))
