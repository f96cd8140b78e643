"""Everything that Firestore keeps of one person, as they are given it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import UserId
from spaces_contract.timestamps import rfc3339

from .profiles import user_path

# What is ours and no fact about the person.
HIDDEN: Final = frozenset({"token", "search_terms", "creator_number", "stage_ids"})
HOSTED: Final = ("state", "title", "topics", "lang", "speaker_policy", "created_at")
HOSTED_TIMES: Final = ("scheduled_start", "started_at", "ended_at", "end_reason")

Kept = tuple[str, Mapping[str, Any]]


def exported(client: firestore.Client, user_id: UserId) -> Iterator[Kept]:
    """Yield kind and fields of one document after the other; each query streams."""
    profile = client.document(user_path(user_id)).get()
    if profile.exists:
        yield "profile", {"uid": user_id, **_plain(profile.to_dict() or {})}
    for kind in ("following", "blocks", "devices"):
        for doc in client.collection(f"{user_path(user_id)}/{kind}").stream():
            yield kind, {"id": doc.id, **_plain(doc.to_dict() or {})}
    yield from _spaces(client, user_id)
    for kind in ("participants", "invites", "subscribers", "consents"):
        query = client.collection_group(kind).where(
            filter=FieldFilter("uid", "==", user_id)
        )
        for doc in query.stream():
            space_id = doc.reference.parent.parent.id
            yield kind, {"space_id": space_id, **_plain(doc.to_dict() or {})}
    sent = FieldFilter("reporter_id", "==", user_id)
    for doc in client.collection("reports").where(filter=sent).stream():
        yield "reports", {"id": doc.id, **_plain(doc.to_dict() or {})}


def _spaces(client: firestore.Client, user_id: UserId) -> Iterator[Kept]:
    mine = FieldFilter("creator_id", "==", user_id)
    query = client.collection(paths.SPACES).where(filter=mine)
    for doc in query.select([*HOSTED, *HOSTED_TIMES]).stream():
        yield "spaces", {"id": doc.id, **_plain(doc.to_dict() or {})}


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as JSON has them."""
    return {name: _json(each) for name, each in value.items() if name not in HIDDEN}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return _plain(value)
    return value
