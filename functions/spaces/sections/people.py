"""People: accounts, and who follows and blocks whom."""

from ..adapters.clock import utc_now
from ..adapters.firestore.invites import FirestoreInviteStore
from ..adapters.firestore.people_finder import FirestorePeopleFinder
from ..adapters.firestore.profiles import FirestoreProfileStore
from ..adapters.firestore.registrations import FirestoreRegistrationStore
from ..adapters.firestore.relations import FirestoreRelationStore
from ..erasure_parts import erasure_service
from ..http import account, people, people_search, profiles
from ..http.operations import Operation
from ..service.people import DeviceService, RelationService
from ..service.people_search import PeopleSearchService
from ..service.profiles import ProfileService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations on the caller's own account, and on other people."""
    client, config = parts.client, parts.config
    accounts = ProfileService(profiles=FirestoreProfileStore(client), now=utc_now)
    devices = DeviceService(registrations=FirestoreRegistrationStore(client))
    searching = PeopleSearchService(people=FirestorePeopleFinder(client))
    return (
        *profiles.operations(accounts),
        *account.operations(erasure_service(config, client, parts.effects)),
        *people.operations(relations(parts), devices, config.capabilities, utc_now),
        *people_search.operations(searching),
    )


def relations(parts: Parts) -> RelationService:
    """Return the use cases of following and blocking."""
    return RelationService(
        relations=FirestoreRelationStore(parts.client),
        invites=FirestoreInviteStore(parts.client),
        grants=parts.signer,
        now=utc_now,
    )
