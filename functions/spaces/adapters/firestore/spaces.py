"""Spaces and their workers' documents in Firestore."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId

from ...domain.errors import Contended, IdempotencyKeyReused, SpaceNotFound
from ...domain.participant import Participant
from ...domain.runtime import Runtime
from ...domain.space import Decision, Space
from ...domain.states import SpaceState
from ...service.ports import Clock, Cursor, Once
from .client import as_datetime, back_off, dependency_errors, run_transaction
from .codec import (
    changes,
    instant,
    participant_to_doc,
    revision_of,
    runtime_from_doc,
    runtime_to_doc,
    space_from_doc,
    space_to_doc,
    successor_to_doc,
)
from .outbox import outbox_doc, outbox_path
from .scheduled_slots import ScheduledSlots

IDEMPOTENCY = "idempotency"
RACED: Final = 5  # attempts where one host schedules several Spaces at once


class FirestoreSpaceStore:
    """`SpaceStore` on Firestore."""

    def __init__(self, client: firestore.Client, now: Clock) -> None:
        self._client = client
        self._now = now
        self._slots = ScheduledSlots(client)

    def create(self, space: Space, host: Participant, once: Once | None) -> Space:
        """Create all documents in one batch; see `SpaceStore`."""
        for attempt in range(RACED):
            try:
                with dependency_errors():
                    return self._created_once(space, host, once)
            except (exceptions.FailedPrecondition, exceptions.AlreadyExists):
                stored = self._stored(space.id)
            if stored is not None:
                return stored  # by a commit whose answer was lost, then repeated
            back_off(attempt)  # the same host has just scheduled another
        raise Contended

    def made_by(self, once: Once) -> Space | None:
        """Read the key, and the Space it names; see `SpaceStore`."""
        with dependency_errors():
            return self._made_by(self._once_ref(once).get(), once)

    def get(self, space_id: SpaceId) -> Space:
        """Read one document; see `SpaceStore`."""
        with dependency_errors():
            return read_space(self._space_ref(space_id).get())

    def get_with_runtime(self, space_id: SpaceId) -> tuple[Space, Runtime | None]:
        """Read two documents in one RPC; see `SpaceStore`."""
        refs = [self._space_ref(space_id), self._runtime_ref(space_id)]
        with dependency_errors():
            found = {doc.reference.path: doc for doc in self._client.get_all(refs)}
        return read_space(found[refs[0].path]), _read_runtime(found[refs[1].path])

    def runtime(self, space_id: SpaceId) -> Runtime | None:
        """Read one document; see `SpaceStore`."""
        with dependency_errors():
            return _read_runtime(self._runtime_ref(space_id).get())

    def update(
        self, space_id: SpaceId, decide: Callable[[Space], Decision]
    ) -> Decision:
        """Read the Space in a transaction; see `SpaceStore`."""
        ref = self._space_ref(space_id)

        def body(transaction: firestore.Transaction) -> tuple[Space, Decision]:
            before = read_space(ref.get(transaction=transaction))
            decision = decide(before)
            self._write(transaction, before, decision)
            return before, decision

        return _as_stored(*run_transaction(self._client, body))

    def supervise(
        self, space_id: SpaceId, decide: Callable[[Space, Runtime | None], Decision]
    ) -> Decision:
        """Read the Space and its runtime in a transaction; see `SpaceStore`."""
        refs = [self._space_ref(space_id), self._runtime_ref(space_id)]

        def body(transaction: firestore.Transaction) -> tuple[Space, Decision]:
            read = self._client.get_all(refs, transaction=transaction)
            found = {doc.reference.path: doc for doc in read}
            before = read_space(found[refs[0].path])
            decision = decide(before, _read_runtime(found[refs[1].path]))
            self._write(transaction, before, decision)
            return before, decision

        return _as_stored(*run_transaction(self._client, body))

    def live(self, *, limit: int, after: Cursor | None) -> Sequence[Space]:
        """Query by state and start; see `SpaceStore`."""
        query = (
            self._client.collection(paths.SPACES)
            .where(filter=FieldFilter("state", "==", SpaceState.LIVE.value))
            .order_by("started_at", direction=firestore.Query.DESCENDING)
            .order_by("__name__", direction=firestore.Query.DESCENDING)
            .limit(limit)
        )
        if after is not None:
            query = query.start_after(
                {
                    "started_at": after.at,
                    "__name__": self._space_ref(SpaceId(after.id)),
                }
            )
        with dependency_errors():
            return [read_space(doc) for doc in query.stream()]

    def _stored(self, space_id: SpaceId) -> Space | None:
        try:
            return self.get(space_id)
        except SpaceNotFound:
            return None

    def _created_once(
        self, space: Space, host: Participant, once: Once | None
    ) -> Space:
        try:
            return self._created(space, host, once, None)
        except exceptions.AlreadyExists:
            if once is None:
                raise
        return self._created_before(space, host, once)

    def _created(
        self,
        space: Space,
        host: Participant,
        once: Once | None,
        expired: Any,
    ) -> Space:
        batch = self._client.batch()
        batch.create(self._space_ref(space.id), space_to_doc(space))
        host_ref = self._client.document(paths.participant(space.id, host.user_id))
        batch.create(host_ref, participant_to_doc(host))
        if once is not None and (expired is None or not expired.exists):
            batch.create(self._once_ref(once), _once_doc(once, space.id))
        elif once is not None:
            option = self._client.write_option(last_update_time=expired.update_time)
            batch.update(self._once_ref(once), _once_doc(once, space.id), option)
        if space.scheduled_start is not None:
            self._slots.take(batch, space)
        written = batch.commit()
        return replace(space, revision=revision_of(as_datetime(written[0].update_time)))

    def _created_before(self, space: Space, host: Participant, once: Once) -> Space:
        """Return the Space that the key made, or make one if the key is expired."""
        known = self._once_ref(once).get()
        return self._made_by(known, once) or self._created(space, host, once, known)

    def _made_by(self, known: Any, once: Once) -> Space | None:
        fields = known.to_dict() or {}
        expires_at = instant(fields.get("expires_at"))
        # By value: expired documents are deleted up to a day late.
        if expires_at is None or expires_at <= self._now():
            return None
        if fields["fingerprint"] != once.fingerprint:
            raise IdempotencyKeyReused
        return read_space(self._space_ref(SpaceId(fields["space_id"])).get())

    def _write(
        self, transaction: firestore.Transaction, before: Space, decision: Decision
    ) -> None:
        """Write what changed; the Space first, as `_as_stored` relies upon."""
        after = decision.space
        changed = changes(space_to_doc(before), space_to_doc(after))
        if changed:
            transaction.update(self._space_ref(after.id), changed)
        if decision.runtime is not None:
            transaction.set(
                self._runtime_ref(after.id), runtime_to_doc(decision.runtime)
            )
        if decision.successor is not None:
            transaction.update(
                self._runtime_ref(after.id), successor_to_doc(decision.successor)
            )
        for effect in decision.effects:
            ref = self._client.document(outbox_path(effect))
            transaction.set(ref, outbox_doc(effect, after.updated_at))

    def _space_ref(self, space_id: SpaceId) -> Any:
        return self._client.document(paths.space(space_id))

    def _runtime_ref(self, space_id: SpaceId) -> Any:
        return self._client.document(paths.runtime_worker(space_id))

    def _once_ref(self, once: Once) -> Any:
        return self._client.document(f"{IDEMPOTENCY}/{once.key}")


def read_space(doc: Any) -> Space:
    """
    Return the Space of a snapshot.

    Raises:
        SpaceNotFound: the document does not exist.
    """
    fields = doc.to_dict()
    if fields is None:
        raise SpaceNotFound
    return space_from_doc(doc.id, fields, revision_of(doc.update_time))


def _read_runtime(doc: Any) -> Runtime | None:
    fields = doc.to_dict()
    return None if fields is None else runtime_from_doc(fields)


def _once_doc(once: Once, space_id: SpaceId) -> dict[str, Any]:
    return {
        "fingerprint": once.fingerprint,
        "space_id": space_id,
        "expires_at": once.expires_at,
    }


def _as_stored(read: tuple[Space, Decision], written_at: datetime | None) -> Decision:
    before, decision = read
    if decision.space == before or written_at is None:
        return decision
    revision = revision_of(written_at)
    return replace(decision, space=replace(decision.space, revision=revision))
