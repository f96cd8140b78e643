"""Coming on stage: asking, and being invited."""

from ..adapters.clock import utc_now
from ..adapters.firestore.invites import FirestoreInviteStore
from ..adapters.firestore.members import FirestoreMemberStore
from ..adapters.firestore.stage import FirestoreStageStore
from ..http import invites, speak_requests
from ..http.operations import Operation
from ..service.invites import InviteService
from ..service.recording_asks import RecordingAsks
from ..service.stage import StageService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations on requests to speak, on invites and on the inbox."""
    asks = RecordingAsks(effects=parts.effects, now=utc_now)
    asking = StageService(
        members=FirestoreMemberStore(parts.client),
        stage=FirestoreStageStore(parts.client),
        asks=asks,
        effects=parts.effects,
        now=utc_now,
    )
    inviting = InviteService(
        spaces=parts.spaces,
        invites=FirestoreInviteStore(parts.client),
        asks=asks,
        effects=parts.effects,
        now=utc_now,
    )
    return (
        *speak_requests.operations(asking, parts.config.public_url),
        *invites.operations(inviting, parts.config.public_url, parts.limiter.invite),
    )
