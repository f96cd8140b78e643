"""What erases a person, as configured; both applications have it."""

from .adapters.clock import utc_now
from .adapters.firestore.accounts import FirestoreAccountStore
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.registrations import FirestoreRegistrationStore
from .adapters.firestore.subscribers import FirestoreSubscriberStore
from .config import Config
from .recording_parts import RecordingParts
from .service.erasure import ErasureService
from .service.ports import EffectQueue
from .service.schedule import ReminderService
from .shared_parts import eventful_spaces


def erasure_service(
    config: Config, client: BoundedClient, effects: EffectQueue
) -> ErasureService:
    """Return what erases a person."""
    spaces = eventful_spaces(config, client, effects)
    recorded = RecordingParts(config.recording, client, config.public_url)
    consents = recorded.consents(effects, recorded.prover())
    return ErasureService(
        accounts=FirestoreAccountStore(client),
        spaces=spaces,
        registrations=FirestoreRegistrationStore(client),
        reminders=ReminderService(
            spaces=spaces,
            subscribers=FirestoreSubscriberStore(client),
            effects=effects,
            now=utc_now,
        ),
        effects=effects,
        now=utc_now,
        unname=consents.unname,
        voices=(consents.forget,),
    )
