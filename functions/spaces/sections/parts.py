"""What the sections of the clients' API share."""

from dataclasses import dataclass

from ..adapters.firestore.client import BoundedClient
from ..config import Config
from ..http.rate_limits import RateLimiter
from ..service.ports import EffectQueue, GrantSigner, SpaceStore
from ..service.suspended import SuspendedPeople


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One deployment's; what a section alone needs, it makes itself."""

    config: Config
    client: BoundedClient
    effects: EffectQueue
    signer: GrantSigner
    spaces: SpaceStore
    limiter: RateLimiter
    suspended: SuspendedPeople
