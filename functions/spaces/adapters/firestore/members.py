"""People in Spaces, in Firestore."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.errors import Contended
from ...domain.participant import JoinFacts, MemberDecision, Participant
from ...domain.space import Space, SpeakerPolicy, others_on_stage
from ...service.ports import Cursor
from .client import MAX_ATTEMPTS, back_off, dependency_errors, run_transaction
from .codec import (
    changes,
    participant_from_doc,
    participant_to_doc,
    revision_of,
    space_to_doc,
)
from .profiles import blocks_path, following_path, read_profile, user_path
from .spaces import read_space

Snapshots = dict[str, Any]  # by document path


class FirestoreMemberStore:
    """`MemberStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def get(
        self, space_id: SpaceId, user_id: UserId
    ) -> tuple[Space, Participant | None]:
        """Read two documents in one RPC; see `MemberStore`."""
        with dependency_errors():
            return self._read(space_id, user_id, None)

    def join(
        self,
        space_id: SpaceId,
        user_id: UserId,
        decide: Callable[[JoinFacts], MemberDecision],
        *,
        wants_stage: bool,
    ) -> tuple[MemberDecision, JoinFacts]:
        """
        Read, decide, and write under the condition that nothing read has changed.

        A transaction would lock the Space that every listener reads.  This writes
        listeners' own documents only; whoever takes a seat writes the Space too,
        and starts over if another was quicker.
        """
        for attempt in range(MAX_ATTEMPTS):
            with dependency_errors():
                snapshots, facts = self._join_facts(space_id, user_id, wants_stage)
                decision = decide(facts)
                try:
                    return self._write_join(snapshots, facts, decision), facts
                except (exceptions.FailedPrecondition, exceptions.AlreadyExists):
                    pass
            back_off(attempt)
        raise Contended

    def update(
        self,
        space_id: SpaceId,
        user_id: UserId,
        decide: Callable[[Space, Participant | None], MemberDecision],
    ) -> MemberDecision:
        """Read the Space and one person in a transaction; see `MemberStore`."""

        def body(
            transaction: firestore.Transaction,
        ) -> tuple[Participant | None, MemberDecision]:
            space, member = self._read(space_id, user_id, transaction)
            decision = decide(space, member)
            if decision.member is not None and decision.member != member:
                ref = self._member_ref(space_id, user_id)
                transaction.set(ref, participant_to_doc(decision.member))
            changed = changes(space_to_doc(space), space_to_doc(decision.space))
            if changed:
                transaction.update(self._space_ref(space_id), changed)
            return member, decision

        (before, decision), written_at = run_transaction(self._client, body)
        if written_at is None or not decision.member or decision.member == before:
            return decision
        revision = revision_of(written_at)
        return replace(decision, member=replace(decision.member, revision=revision))

    def present(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        """Query by `left_at` and `joined_at`; see `MemberStore`."""
        query = (
            self._client.collection(paths.participants(space_id))
            .where(filter=FieldFilter("left_at", "==", None))
            .order_by("joined_at")
            .order_by("__name__")
            .limit(limit)
        )
        if after is not None:
            ref = self._member_ref(space_id, UserId(after.id))
            query = query.start_after({"joined_at": after.at, "__name__": ref})
        with dependency_errors():
            return [
                participant_from_doc(doc.to_dict() or {}, revision_of(doc.update_time))
                for doc in query.stream()
            ]

    def _join_facts(
        self, space_id: SpaceId, user_id: UserId, wants_stage: bool
    ) -> tuple[Snapshots, JoinFacts]:
        user_ref = self._client.document(user_path(user_id))
        member_ref = self._member_ref(space_id, user_id)
        space_ref = self._space_ref(space_id)
        found = self._get_all([space_ref, user_ref, member_ref])
        space = read_space(found[space_ref.path])
        facts = JoinFacts(
            space=space,
            profile=read_profile(found[user_ref.path]),
            member=read_member(found[member_ref.path]),
            blocked_on_stage=self._has_blocked_someone_on_stage(space, user_id),
        )
        if user_id == space.creator_id:
            return found, facts
        about_them = [self._client.document(blocks_path(space.creator_id, user_id))]
        if wants_stage and space.speaker_policy is SpeakerPolicy.FOLLOWING:
            follows = following_path(space.creator_id, user_id)
            about_them.append(self._client.document(follows))
        known = self._get_all(about_them)
        blocked, *followed = [known[ref.path].exists for ref in about_them]
        return found, replace(facts, blocked=blocked, followed=any(followed))

    def _has_blocked_someone_on_stage(self, space: Space, user_id: UserId) -> bool:
        others = others_on_stage(space, but=user_id)
        if not others:
            return False
        refs = [self._client.document(blocks_path(user_id, uid)) for uid in others]
        query = (
            refs[0].parent.where(filter=FieldFilter("__name__", "in", refs)).limit(1)
        )
        return any(True for _ in query.stream())

    def _write_join(
        self, snapshots: Snapshots, facts: JoinFacts, decision: MemberDecision
    ) -> MemberDecision:
        batch = self._client.batch()
        space_ref = self._space_ref(facts.space.id)
        changed = changes(space_to_doc(facts.space), space_to_doc(decision.space))
        if changed:
            batch.update(space_ref, changed, self._unchanged(snapshots[space_ref.path]))
        member = decision.member
        if member is not None and member != facts.member:
            member_ref = self._member_ref(facts.space.id, member.user_id)
            fields = participant_to_doc(member)
            if facts.member is None:
                batch.create(member_ref, fields)
            else:
                option = self._unchanged(snapshots[member_ref.path])
                batch.update(member_ref, fields, option)
        if len(batch):
            batch.commit()
        return decision

    def _read(
        self,
        space_id: SpaceId,
        user_id: UserId,
        transaction: firestore.Transaction | None,
    ) -> tuple[Space, Participant | None]:
        space_ref = self._space_ref(space_id)
        member_ref = self._member_ref(space_id, user_id)
        found = self._get_all([space_ref, member_ref], transaction)
        return (
            read_space(found[space_ref.path]),
            read_member(found[member_ref.path]),
        )

    def _get_all(
        self, refs: list[Any], transaction: firestore.Transaction | None = None
    ) -> Snapshots:
        read = self._client.get_all(refs, transaction=transaction)
        return {doc.reference.path: doc for doc in read}

    def _unchanged(self, snapshot: Any) -> Any:
        return self._client.write_option(last_update_time=snapshot.update_time)

    def _space_ref(self, space_id: SpaceId) -> Any:
        return self._client.document(paths.space(space_id))

    def _member_ref(self, space_id: SpaceId, user_id: UserId) -> Any:
        return self._client.document(paths.participant(space_id, user_id))


def read_member(doc: Any) -> Participant | None:
    """Return the person of a snapshot, if it exists."""
    fields = doc.to_dict()
    if fields is None:
        return None
    return participant_from_doc(fields, revision_of(doc.update_time))
