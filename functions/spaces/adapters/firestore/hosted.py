"""Which Spaces somebody hosts, in Firestore."""

from collections.abc import Sequence
from typing import Final

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.invite import OPEN
from .client import dependency_errors

STATES: Final = sorted(state.value for state in OPEN)


def open_hosted(client: firestore.Client, host_id: UserId) -> Sequence[SpaceId]:
    """Query by host and state: those that are live or to come."""
    query = (
        client.collection(paths.SPACES)
        .where(filter=FieldFilter("creator_id", "==", host_id))
        .where(filter=FieldFilter("state", "in", STATES))
        .select([])
    )
    with dependency_errors():
        return [SpaceId(doc.id) for doc in query.stream()]
