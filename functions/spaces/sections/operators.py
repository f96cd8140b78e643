"""Operators, and the host app's own server."""

from ..adapters.clock import utc_now
from ..adapters.firestore.profiles import FirestoreProfileStore
from ..adapters.firestore.reports import FirestoreReportStore
from ..adapters.firestore.suspensions import FirestoreSuspensionStore
from ..http import admin
from ..http.operations import Operation
from ..service.operators import OperatorService
from ..service.profiles import ProfileService
from .parts import Parts
from .people import relations


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations of whoever has an operator's key."""
    accounts = FirestoreProfileStore(parts.client)
    operating = OperatorService(
        spaces=parts.spaces,
        suspensions=FirestoreSuspensionStore(parts.client),
        suspended=parts.suspended,
        desk=FirestoreReportStore(parts.client),
        effects=parts.effects,
        now=utc_now,
    )
    resource = admin.AdminResource(
        operating,
        ProfileService(profiles=accounts, now=utc_now),
        relations(parts),
        parts.config.public_url,
    )
    return admin.operations(resource, parts.config.admin_keys)
