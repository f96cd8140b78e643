"""Recordings and people's answers to them, in Firestore."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingState

from ...domain.consent import Consent, ConsentDecision, ConsentFacts
from ...domain.effects import Effect
from ...domain.recording import Recording, RecordingDecision, shown
from ...domain.space import Space
from ...service.ports import Cursor
from ...service.recording_ports import Answer, Answered, Decide
from .client import dependency_errors, run_transaction
from .codec import changes, space_to_doc
from .members import read_member
from .outbox import outbox_doc, outbox_path
from .profiles import blocks_path
from .recording_codec import (
    consent_from_doc,
    consent_to_doc,
    recording_from_doc,
    recording_to_doc,
)
from .spaces import read_space

CONSENTS: Final = "consents"


class FirestoreRecordingStore:
    """
    `RecordingStore` on Firestore.

    The recording is in the document that the worker listens to; no client can read
    that one, nor anybody's answer.
    """

    def __init__(self, client: firestore.Client, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    def get(self, space_id: SpaceId) -> tuple[Space, Recording | None]:
        """Read two documents in one RPC; see `RecordingStore`."""
        with dependency_errors():
            return self._read(space_id, None)

    def update(
        self, space_id: SpaceId, decide: Decide
    ) -> tuple[Space, RecordingDecision]:
        """Read both in a transaction; see `RecordingStore`."""

        def body(
            transaction: firestore.Transaction,
        ) -> tuple[Space, RecordingDecision]:
            space, before = self._read(space_id, transaction)
            decision = decide(space, before)
            after = self._write(transaction, space, before, decision.recording)
            self._store(transaction, decision.effects)
            return after, decision

        return run_transaction(self._client, body)[0]

    def overdue(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        """Query all Spaces' recordings; one that is cleared has no time any more."""
        return self._due("expires_at", before, limit)

    def ended(
        self, states: Collection[RecordingState], before: datetime, *, limit: int
    ) -> Sequence[SpaceId]:
        """Query Spaces by what they show; one that goes on has not ended before."""
        shown_as = sorted(state.value for state in states)
        query = (
            self._client.collection(paths.SPACES)
            .where(filter=FieldFilter("recording_state", "in", shown_as))
            .where(filter=FieldFilter("ended_at", "<", before))
            .order_by("ended_at")
            .select([])
            .limit(limit)
        )
        with dependency_errors():
            return [SpaceId(doc.id) for doc in query.stream()]

    def timeless(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        """Query all Spaces' recordings; no worker's document has such a state."""
        failed = FieldFilter("state", "==", RecordingState.FAILED.value)
        timeless = FieldFilter("expires_at", "==", None)
        return self._due("updated_at", before, limit, failed, timeless)

    def clips_due(self, before: datetime, *, limit: int) -> Sequence[SpaceId]:
        """Query all Spaces' recordings, as `overdue` does."""
        return self._due("clips_due_at", before, limit)

    def facts(self, space_id: SpaceId, user_id: UserId) -> ConsentFacts:
        """Read four documents in one RPC; see `RecordingStore`."""
        with dependency_errors():
            return self._facts(space_id, user_id, None)

    def answer(
        self, space_id: SpaceId, user_id: UserId, decide: Answer
    ) -> ConsentDecision:
        """Read four documents in a transaction; see `RecordingStore`."""
        ref = self._consent_ref(space_id, user_id)

        def body(transaction: firestore.Transaction) -> ConsentDecision:
            facts = self._facts(space_id, user_id, transaction)
            decision = decide(facts)
            if decision.consent is not None and decision.consent != facts.consent:
                transaction.set(ref, consent_to_doc(decision.consent))
            self._write(transaction, facts.space, facts.recording, decision.recording)
            self._store(transaction, decision.effects)
            return decision

        return run_transaction(self._client, body)[0]

    def answers_of(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Answered]:
        """Query all Spaces' answers by person, then read the Spaces."""
        query = (
            self._client.collection_group(CONSENTS)
            .where(filter=FieldFilter("uid", "==", user_id))
            .order_by("answered_at", direction=firestore.Query.DESCENDING)
            .order_by("__name__", direction=firestore.Query.DESCENDING)
            .limit(limit)
        )
        if after is not None:
            ref = self._consent_ref(SpaceId(after.id), user_id)
            query = query.start_after({"answered_at": after.at, "__name__": ref})
        with dependency_errors():
            answers = [consent_from_doc(doc.to_dict() or {}) for doc in query.stream()]
            refs = [self._space_ref(each.space_id) for each in answers]
            found = {doc.id: doc for doc in self._client.get_all(refs)} if refs else {}
        return [Answered(each, read_space(found[each.space_id])) for each in answers]

    def is_blocked(self, user_id: UserId, *, by: UserId) -> bool:
        """Read one document; see `RecordingStore`."""
        with dependency_errors():
            return bool(self._client.document(blocks_path(by, user_id)).get().exists)

    def forget_answer(self, space_id: SpaceId, user_id: UserId) -> None:
        """Delete one document; see `RecordingStore`."""
        with dependency_errors():
            self._consent_ref(space_id, user_id).delete()

    def _due(
        self, field: str, before: datetime, limit: int, *also: FieldFilter
    ) -> Sequence[SpaceId]:
        query = self._client.collection_group(paths.RUNTIME)
        for each in (*also, FieldFilter(field, "<", before)):
            query = query.where(filter=each)
        query = query.order_by(field).select([]).limit(limit)
        with dependency_errors():
            return [_space_of(doc.reference) for doc in query.stream()]

    def _read(
        self, space_id: SpaceId, transaction: firestore.Transaction | None
    ) -> tuple[Space, Recording | None]:
        refs = [self._space_ref(space_id), self._recording_ref(space_id)]
        found = self._get_all(refs, transaction)
        space, recording = (found[ref.path] for ref in refs)
        return read_space(space), _read_recording(space_id, recording)

    def _facts(
        self,
        space_id: SpaceId,
        user_id: UserId,
        transaction: firestore.Transaction | None,
    ) -> ConsentFacts:
        refs = [
            self._space_ref(space_id),
            self._client.document(paths.participant(space_id, user_id)),
            self._recording_ref(space_id),
            self._consent_ref(space_id, user_id),
        ]
        found = self._get_all(refs, transaction)
        space, member, recording, consent = (found[ref.path] for ref in refs)
        return ConsentFacts(
            space=read_space(space),
            member=read_member(member),
            recording=_read_recording(space_id, recording),
            consent=_read_consent(consent),
        )

    def _write(
        self,
        transaction: firestore.Transaction,
        space: Space,
        before: Recording | None,
        after: Recording | None,
    ) -> Space:
        """Write what changed; return the Space as it is then."""
        if after is None:
            return space
        if after != before:
            transaction.set(self._recording_ref(space.id), recording_to_doc(after))
        told = shown(space, after)
        changed = changes(space_to_doc(space), space_to_doc(told))
        if changed:
            transaction.update(self._space_ref(space.id), changed)
        return told

    def _store(
        self, transaction: firestore.Transaction, effects: Sequence[Effect]
    ) -> None:
        for effect in effects:
            ref = self._client.document(outbox_path(effect))
            transaction.set(ref, outbox_doc(effect, self._now()))

    def _get_all(
        self, refs: list[Any], transaction: firestore.Transaction | None
    ) -> dict[str, Any]:
        read = self._client.get_all(refs, transaction=transaction)
        return {doc.reference.path: doc for doc in read}

    def _space_ref(self, space_id: SpaceId) -> Any:
        return self._client.document(paths.space(space_id))

    def _recording_ref(self, space_id: SpaceId) -> Any:
        return self._client.document(paths.runtime_recording(space_id))

    def _consent_ref(self, space_id: SpaceId, user_id: UserId) -> Any:
        return self._client.document(f"{paths.space(space_id)}/{CONSENTS}/{user_id}")


def _space_of(runtime: Any) -> SpaceId:
    return SpaceId(runtime.parent.parent.id)


def _read_recording(space_id: SpaceId, doc: Any) -> Recording | None:
    fields = doc.to_dict()
    return None if fields is None else recording_from_doc(space_id, fields)


def _read_consent(doc: Any) -> Consent | None:
    fields = doc.to_dict()
    return None if fields is None else consent_from_doc(fields)
