"""People of one Space in Firestore, several at once."""

from collections.abc import Sequence
from typing import Any

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId

from ...domain.participant import Participant
from ...domain.states import RequestState
from ...service.ports import Cursor
from ...service.stage_ports import MuteAll
from .client import dependency_errors, run_transaction
from .codec import participant_from_doc, participant_to_doc, revision_of
from .members import read_member
from .spaces import read_space


class FirestoreStageStore:
    """`StageStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def asking(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        """Query by `speak_request` and `requested_at`; see `StageStore`."""
        people = self._client.collection(paths.participants(space_id))
        pending = FieldFilter("speak_request", "==", RequestState.PENDING.value)
        query = (
            people.where(filter=pending)
            .order_by("requested_at")
            .order_by("__name__")
            .limit(limit)
        )
        if after is not None:
            ref = people.document(after.id)
            query = query.start_after({"requested_at": after.at, "__name__": ref})
        with dependency_errors():
            return [
                participant_from_doc(doc.to_dict() or {}, revision_of(doc.update_time))
                for doc in query.stream()
            ]

    def update_speakers(self, space_id: SpaceId, decide: MuteAll) -> None:
        """Read the Space, then its speakers, in a transaction; see `StageStore`."""
        space_ref = self._client.document(paths.space(space_id))

        def body(transaction: firestore.Transaction) -> None:
            space = read_space(space_ref.get(transaction=transaction))
            speakers = self._speakers(space_id, space.speaker_ids, transaction)
            for before, after in zip(speakers, decide(space, speakers), strict=True):
                if after != before:
                    ref = self._member_ref(space_id, after.user_id)
                    transaction.set(ref, participant_to_doc(after))

        run_transaction(self._client, body)

    def _speakers(
        self,
        space_id: SpaceId,
        user_ids: Sequence[str],
        transaction: firestore.Transaction,
    ) -> list[Participant]:
        refs = [self._member_ref(space_id, uid) for uid in user_ids]
        if not refs:
            return []
        found = self._client.get_all(refs, transaction=transaction)
        return [member for doc in found if (member := read_member(doc)) is not None]

    def _member_ref(self, space_id: SpaceId, user_id: str) -> Any:
        return self._client.document(f"{paths.participants(space_id)}/{user_id}")
