"""The read API of X."""

from ..adapters.clock import utc_now
from ..adapters.firestore.people_finder import FirestorePeopleFinder
from ..adapters.firestore.space_finder import FirestoreSpaceFinder
from ..http import x_api
from ..http.operations import Operation
from ..service.discovery import DiscoveryService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations of X's clients."""
    finding = DiscoveryService(
        spaces=FirestoreSpaceFinder(parts.client),
        people=FirestorePeopleFinder(parts.client),
        now=utc_now,
    )
    return x_api.operations(finding)
