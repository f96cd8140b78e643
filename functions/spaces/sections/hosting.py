"""Spaces as such: finding, opening, changing and ending them."""

from ..adapters.clock import random_space_id, random_token, utc_now
from ..adapters.firestore.people_finder import FirestorePeopleFinder
from ..adapters.firestore.profiles import FirestoreProfileStore
from ..adapters.firestore.reports import FirestoreReportStore
from ..adapters.firestore.space_finder import FirestoreSpaceFinder
from ..http import discovery, editing, spaces
from ..http.operations import Operation
from ..service.discovery import DiscoveryService
from ..service.editing import EditingService, ReportService
from ..service.spaces import SpaceService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations on Spaces."""
    url = parts.config.public_url
    finder = FirestoreSpaceFinder(parts.client)
    hosting = SpaceService(
        spaces=parts.spaces,
        profiles=FirestoreProfileStore(parts.client),
        finder=finder,
        effects=parts.effects,
        now=utc_now,
        new_space_id=random_space_id,
    )
    changing = EditingService(spaces=parts.spaces, effects=parts.effects, now=utc_now)
    reporting = ReportService(
        reports=FirestoreReportStore(parts.client), now=utc_now, new_token=random_token
    )
    finding = DiscoveryService(
        spaces=finder,
        people=FirestorePeopleFinder(parts.client),
        now=utc_now,
    )
    return (
        *discovery.operations(finding, url),
        *spaces.operations(hosting, url),
        *editing.operations(changing, reporting, url),
    )
