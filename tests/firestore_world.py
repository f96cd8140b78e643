"""The functions' two applications over Firestore, and people who call them."""

from spaces.adapters.firestore.accounts import FirestoreAccountStore
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.fan_outs import FirestoreFanOutStore
from spaces.adapters.firestore.invites import FirestoreInviteStore
from spaces.adapters.firestore.launches import FirestoreLaunchStore
from spaces.adapters.firestore.members import FirestoreMemberStore
from spaces.adapters.firestore.outbox import FirestoreOutbox
from spaces.adapters.firestore.people_finder import FirestorePeopleFinder
from spaces.adapters.firestore.profiles import FirestoreProfileStore
from spaces.adapters.firestore.push_devices import FirestoreDeviceStore
from spaces.adapters.firestore.recordings import FirestoreRecordingStore
from spaces.adapters.firestore.registrations import FirestoreRegistrationStore
from spaces.adapters.firestore.relations import FirestoreRelationStore
from spaces.adapters.firestore.relays import FirestoreRelayStore
from spaces.adapters.firestore.reports import FirestoreReportStore
from spaces.adapters.firestore.space_finder import FirestoreSpaceFinder
from spaces.adapters.firestore.spaces import FirestoreSpaceStore
from spaces.adapters.firestore.stage import FirestoreStageStore
from spaces.adapters.firestore.subscribers import FirestoreSubscriberStore
from spaces.adapters.firestore.suspensions import FirestoreSuspensionStore
from spaces.domain.effects import Effect
from tests.fakes import EffectLog, MemoryDatabase
from tests.stores import Stores
from tests.world import World


class FirestoreEffectLog(EffectLog):
    """Keeps what it is given, and forgets what Firestore has stored of it."""

    def __init__(self, client: BoundedClient) -> None:
        super().__init__(MemoryDatabase())
        self._outbox = FirestoreOutbox(client)

    def release(self, effect: Effect) -> None:
        self.put(effect)
        self._outbox.delete(effect)


class FirestoreWorld(World):
    """A deployment that keeps everything in Firestore."""

    def __init__(self, client: BoundedClient) -> None:
        self._client = client
        super().__init__()

    def make_stores(self) -> Stores:
        return Stores(
            spaces=FirestoreSpaceStore(self._client, self.clock),
            members=FirestoreMemberStore(self._client),
            profiles=FirestoreProfileStore(self._client),
            launches=FirestoreLaunchStore(self._client),
            relays=FirestoreRelayStore(self._client),
            stage=FirestoreStageStore(self._client),
            invites=FirestoreInviteStore(self._client),
            reports=FirestoreReportStore(self._client),
            relations=FirestoreRelationStore(self._client),
            registrations=FirestoreRegistrationStore(self._client),
            subscribers=FirestoreSubscriberStore(self._client),
            devices=FirestoreDeviceStore(self._client),
            fan_outs=FirestoreFanOutStore(self._client),
            accounts=FirestoreAccountStore(self._client),
            suspensions=FirestoreSuspensionStore(self._client),
            desk=FirestoreReportStore(self._client),
            space_finder=FirestoreSpaceFinder(self._client),
            people_finder=FirestorePeopleFinder(self._client),
            recordings=FirestoreRecordingStore(self._client, self.clock),
        )

    def make_effects(self) -> EffectLog:
        return FirestoreEffectLog(self._client)
