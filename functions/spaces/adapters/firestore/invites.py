"""Invites in Firestore: one document below the Space, found by the invited too."""

from collections.abc import Sequence
from typing import Any

from google.cloud import firestore
from google.cloud.firestore import FieldFilter, Query

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.invite import Invite, InviteDecision, Invitee
from ...domain.space import Space
from ...domain.states import InviteState
from ...service.ports import Cursor
from ...service.stage_ports import Answer, Received, Send
from .client import dependency_errors, run_transaction
from .codec import changes, participant_to_doc, space_to_doc
from .members import read_member
from .profiles import blocks_path, read_profile, user_path
from .spaces import read_space
from .stage_codec import invite_from_doc, invite_to_doc

INVITES = "invites"
Snapshots = dict[str, Any]  # by document path


class FirestoreInviteStore:
    """`InviteStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def send(
        self,
        space_id: SpaceId,
        user_ids: Sequence[UserId],
        decide: Send,
        *,
        actor_id: UserId,
    ) -> Sequence[Invite]:
        """Read all that inviting takes in one RPC; see `InviteStore`."""
        space_ref = self._space_ref(space_id)
        inviter_ref = self._client.document(user_path(actor_id))

        def body(transaction: firestore.Transaction) -> Sequence[Invite]:
            found = self._get_all([space_ref, inviter_ref], transaction)
            space = read_space(found[space_ref.path])
            known = self._known(space, user_ids, actor_id, transaction)
            decision = decide(space, read_profile(found[inviter_ref.path]), known)
            before = {each.invite for each in known}
            for invite in decision.invites:
                if invite not in before:
                    self._put(transaction, invite)
            self._put_space(transaction, space, decision.space)
            return decision.invites

        return run_transaction(self._client, body)[0]

    def get(self, space_id: SpaceId, user_id: UserId) -> Invite | None:
        """Read one document; see `InviteStore`."""
        with dependency_errors():
            return read_invite(self._invite_ref(space_id, user_id).get())

    def update(
        self, space_id: SpaceId, user_id: UserId, decide: Answer
    ) -> InviteDecision:
        """Read Space, person and invite in one RPC; see `InviteStore`."""
        space_ref = self._space_ref(space_id)
        member_ref = self._client.document(paths.participant(space_id, user_id))
        invite_ref = self._invite_ref(space_id, user_id)

        def body(transaction: firestore.Transaction) -> InviteDecision:
            found = self._get_all([space_ref, member_ref, invite_ref], transaction)
            space = read_space(found[space_ref.path])
            member = read_member(found[member_ref.path])
            invite = read_invite(found[invite_ref.path])
            decision = decide(space, member, invite)
            if decision.invite is not None and decision.invite != invite:
                self._put(transaction, decision.invite)
            if decision.member is not None and decision.member != member:
                transaction.set(member_ref, participant_to_doc(decision.member))
            self._put_space(transaction, space, decision.space)
            return decision

        return run_transaction(self._client, body)[0]

    def pending(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Invite]:
        """Query by state and time; see `InviteStore`."""
        pending = FieldFilter("state", "==", InviteState.PENDING.value)
        query = (
            self._invites(space_id)
            .where(filter=pending)
            .order_by("created_at")
            .order_by("__name__")
            .limit(limit)
        )
        if after is not None:
            ref = self._invite_ref(space_id, UserId(after.id))
            query = query.start_after({"created_at": after.at, "__name__": ref})
        with dependency_errors():
            return _read_invites(query)

    def received(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Received]:
        """Query over all Spaces, then read those Spaces; see `InviteStore`."""
        query = (
            self._client.collection_group(INVITES)
            .where(filter=FieldFilter("uid", "==", user_id))
            .order_by("created_at", direction=Query.DESCENDING)
            .order_by("__name__", direction=Query.DESCENDING)
            .limit(limit)
        )
        if after is not None:
            ref = self._invite_ref(SpaceId(after.id), user_id)
            query = query.start_after({"created_at": after.at, "__name__": ref})
        with dependency_errors():
            invites = _read_invites(query)
            refs = [self._space_ref(invite.space_id) for invite in invites]
            found = self._get_all(refs, None) if refs else {}
        return [
            Received(invite, read_space(found[ref.path]))
            for invite, ref in zip(invites, refs, strict=True)
            if found[ref.path].exists
        ]

    def _known(
        self,
        space: Space,
        user_ids: Sequence[UserId],
        actor_id: UserId,
        transaction: firestore.Transaction,
    ) -> tuple[Invitee, ...]:
        paths_of = {
            uid: (
                user_path(uid),
                paths.participant(space.id, uid),
                f"{paths.space(space.id)}/{INVITES}/{uid}",
                blocks_path(space.creator_id, uid),
                blocks_path(uid, actor_id),
            )
            for uid in user_ids
        }
        names = dict.fromkeys(name for each in paths_of.values() for name in each)
        refs = {name: self._client.document(name) for name in names}
        found = self._get_all(list(refs.values()), transaction)

        def invitee(uid: UserId) -> Invitee:
            user, member, invite, by_host, by_them = (
                found[refs[name].path] for name in paths_of[uid]
            )
            return Invitee(
                profile=read_profile(user),
                member=read_member(member),
                invite=read_invite(invite),
                blocked=by_host.exists or by_them.exists,
            )

        return tuple(invitee(uid) for uid in user_ids)

    def _put(self, transaction: firestore.Transaction, invite: Invite) -> None:
        ref = self._invite_ref(invite.space_id, invite.user_id)
        transaction.set(ref, invite_to_doc(invite))

    def _put_space(
        self, transaction: firestore.Transaction, before: Space, after: Space
    ) -> None:
        changed = changes(space_to_doc(before), space_to_doc(after))
        if changed:
            transaction.update(self._space_ref(after.id), changed)

    def _get_all(
        self, refs: list[Any], transaction: firestore.Transaction | None
    ) -> Snapshots:
        read = self._client.get_all(refs, transaction=transaction)
        return {doc.reference.path: doc for doc in read}

    def _space_ref(self, space_id: SpaceId) -> Any:
        return self._client.document(paths.space(space_id))

    def _invites(self, space_id: SpaceId) -> Any:
        return self._client.collection(f"{paths.space(space_id)}/{INVITES}")

    def _invite_ref(self, space_id: SpaceId, user_id: UserId) -> Any:
        return self._invites(space_id).document(user_id)


def read_invite(doc: Any) -> Invite | None:
    """Return the invite of a snapshot, if it exists."""
    fields = doc.to_dict()
    return None if fields is None else invite_from_doc(fields)


def _read_invites(query: Any) -> list[Invite]:
    return [invite_from_doc(doc.to_dict() or {}) for doc in query.stream()]
