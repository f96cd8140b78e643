"""All that Firestore has of one person: to be erased, and to be given to them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore import ArrayRemove, FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.effects import EraseAccount
from ...domain.erasure import ERASED, ERASED_NAME, Traces
from .client import dependency_errors, run_transaction
from .codec import changes, participant_to_doc, space_to_doc
from .exports import exported
from .invites import INVITES, read_invite
from .members import read_member
from .outbox import outbox_doc, outbox_path
from .profiles import (
    FOLLOWING,
    erasure_path,
    followed_list_path,
    handle_path,
    read_profile,
    user_path,
)
from .spaces import read_space
from .subscribers import SUBSCRIBERS

REPORTS: Final = "reports"


class FirestoreAccountStore:
    """`AccountStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def begin_erasure(self, effect: EraseAccount, at: datetime) -> EraseAccount | None:
        """Move from `users` to `erasures` in a transaction; see `AccountStore`."""
        user_id = effect.user_id
        ref = self._client.document(user_path(user_id))
        running_ref = self._client.document(erasure_path(user_id))

        def body(transaction: firestore.Transaction) -> EraseAccount | None:
            running = running_ref.get(transaction=transaction).to_dict()
            profile = read_profile(ref.get(transaction=transaction))
            if running is not None:
                return EraseAccount(user_id, running["version"], 0)
            if profile is None:
                return None
            outbox_ref = self._client.document(outbox_path(effect))
            begun = {"version": effect.version, "requested_at": at}
            transaction.set(running_ref, begun)
            transaction.set(outbox_ref, outbox_doc(effect, at))
            transaction.delete(ref)
            transaction.delete(self._client.document(handle_path(profile.handle_key)))
            return effect

        return run_transaction(self._client, body)[0]

    def end_erasure(self, user_id: UserId) -> None:
        """Delete one document; see `AccountStore`."""
        with dependency_errors():
            self._client.document(erasure_path(user_id)).delete()

    def hosted(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Query by host; see `AccountStore`."""
        spaces = self._client.collection(paths.SPACES)
        mine = FieldFilter("creator_id", "==", user_id)
        with dependency_errors():
            found = spaces.where(filter=mine).select([]).limit(limit).get()
        return [SpaceId(doc.id) for doc in found]

    def met(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Query participants, then invites, of all Spaces; see `AccountStore`."""
        found = self._of_spaces(paths.PARTICIPANTS, user_id, limit)
        if len(found) < limit:
            found += self._of_spaces(INVITES, user_id, limit - len(found))
        return list(dict.fromkeys(found))

    def erase_from(
        self, space_id: SpaceId, user_id: UserId, decide: Callable[[Traces], Traces]
    ) -> None:
        """Read Space, person and invite in a transaction; see `AccountStore`."""
        space_ref = self._client.document(paths.space(space_id))
        member_ref = self._client.document(paths.participant(space_id, user_id))
        invite_ref = space_ref.collection(INVITES).document(user_id)
        refs = [space_ref, member_ref, invite_ref]

        def body(transaction: firestore.Transaction) -> None:
            read = self._client.get_all(refs, transaction=transaction)
            found = {doc.reference.path: doc for doc in read}
            space = read_space(found[space_ref.path])
            after = decide(
                Traces(
                    space=space,
                    member=read_member(found[member_ref.path]),
                    invite=read_invite(found[invite_ref.path]),
                )
            )
            changed = changes(space_to_doc(space), space_to_doc(after.space))
            if changed:
                transaction.update(space_ref, changed)
            if after.member is None:
                transaction.delete(member_ref)
            else:
                transaction.set(member_ref, participant_to_doc(after.member))
            transaction.delete(invite_ref)

        run_transaction(self._client, body)

    def waits_for(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Query subscribers of all Spaces; see `AccountStore`."""
        return self._of_spaces(SUBSCRIBERS, user_id, limit)

    def devices(self, user_id: UserId, *, limit: int) -> Sequence[str]:
        """Query one collection; see `AccountStore`."""
        devices = self._client.collection(f"{user_path(user_id)}/devices")
        with dependency_errors():
            return [doc.id for doc in devices.select([]).limit(limit).get()]

    def forget_follows(self, user_id: UserId, *, limit: int) -> int:
        """Delete both directions, and entries of others' lists; see `AccountStore`."""
        mine = self._client.collection(f"{user_path(user_id)}/{FOLLOWING}")
        theirs = self._everywhere(FOLLOWING, "uid", user_id)
        batch = self._client.batch()
        with dependency_errors():
            followed = mine.select([]).limit(limit).get()
            followers = theirs.select([]).limit(limit).get()
            for doc in (*followed, *followers):
                batch.delete(doc.reference)
            for doc in followers:
                follower = UserId(doc.reference.parent.parent.id)
                listed = self._client.document(followed_list_path(follower))
                batch.set(listed, {"user_ids": ArrayRemove([user_id])}, merge=True)
            batch.delete(self._client.document(followed_list_path(user_id)))
            batch.commit()
        return max(len(followed), len(followers))

    def forget_words(self, user_id: UserId, *, limit: int) -> int:
        """Write over who invited and who reported; see `AccountStore`."""
        sent = self._everywhere(INVITES, "inviter.uid", user_id)
        told = self._client.collection(REPORTS).where(
            filter=FieldFilter("reporter_id", "==", user_id)
        )
        nobody = {"uid": ERASED, "handle": "", "display_name": ERASED_NAME}
        batch = self._client.batch()
        with dependency_errors():
            invites = sent.select([]).limit(limit).get()
            reports = told.select([]).limit(limit).get()
            for doc in invites:
                batch.update(doc.reference, {"inviter": nobody})
            for doc in reports:
                batch.update(doc.reference, {"reporter_id": ERASED})
            batch.commit()
        return max(len(invites), len(reports))

    def forget_lists(self, user_id: UserId, *, limit: int) -> int:
        """Delete what stands below the account; see `AccountStore`."""
        blocks = self._client.collection(f"{user_path(user_id)}/blocks")
        batch = self._client.batch()
        with dependency_errors():
            found = blocks.select([]).limit(limit).get()
            for doc in found:
                batch.delete(doc.reference)
            hosting = f"{user_path(user_id)}/hosting/scheduled"
            batch.delete(self._client.document(hosting))
            batch.commit()
        return len(found)

    def export(self, user_id: UserId) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Stream query after query; see `AccountStore`."""
        with dependency_errors():
            yield from exported(self._client, user_id)

    def _of_spaces(self, group: str, user_id: UserId, limit: int) -> list[SpaceId]:
        query = self._everywhere(group, "uid", user_id).select([]).limit(limit)
        with dependency_errors():
            found = query.get()
        return [SpaceId(doc.reference.parent.parent.id) for doc in found]

    def _everywhere(self, group: str, field: str, user_id: UserId) -> Any:
        return self._client.collection_group(group).where(
            filter=FieldFilter(field, "==", user_id)
        )
