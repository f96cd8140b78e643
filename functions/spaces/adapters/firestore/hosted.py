"""Which Spaces somebody hosts, in Firestore."""

from collections.abc import Sequence
from typing import Final

from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId

from ...domain.invite import OPEN
from ...domain.states import SpaceState
from .client import dependency_errors

STATES: Final = sorted(state.value for state in OPEN)
LIVE: Final = SpaceState.LIVE.value


def open_hosted(client: firestore.Client, host_id: UserId) -> Sequence[SpaceId]:
    """Query by host and state: those that are live, then those to come."""
    query = (
        client.collection(paths.SPACES)
        .where(filter=FieldFilter("creator_id", "==", host_id))
        .where(filter=FieldFilter("state", "in", STATES))
        .select(["state"])
    )
    with dependency_errors():
        found = sorted(query.stream(), key=lambda doc: doc.get("state") != LIVE)
    return [SpaceId(doc.id) for doc in found]
