"""What serves people who hear by HLS, of a deployment over doubles."""

from spaces.adapters.clock import random_token
from spaces.adapters.secure_links import SecureLinks
from spaces.domain.capability import CapabilityTable
from spaces.http import listening, membership
from spaces.http.client_app import requirement
from spaces.http.hls_urls import HlsUrls
from spaces.http.operations import Operation
from spaces.http.rate_limits import RateLimiter
from spaces.service.listening import ListeningService
from spaces.service.live_edge import LiveEdgeService
from spaces.service.media import IceServer
from spaces.service.membership import MembershipService
from spaces.service.ports import EffectQueue, GrantSigner, SpaceStore, WorkerControl
from tests.fakes import FakeClock
from tests.worker_fakes import MemoryLiveEdge

LIVE_URL = "https://live.parley.example"
KEYS_URL = "https://keys.parley.example"
ICE_SERVERS = (
    IceServer(urls=("stun:stun.example.net",)),
    IceServer(urls=("turn:turn.example.net",), username="ana", credential="secret"),
)


class ListeningWorld:
    """The use cases, the live edge, and the operations on people who take part."""

    def __init__(
        self,
        spaces: SpaceStore,
        signer: GrantSigner,
        workers: WorkerControl,
        effects: EffectQueue,
        clock: FakeClock,
    ) -> None:
        self.objects = MemoryLiveEdge()
        self.edge = LiveEdgeService(
            spaces=spaces, open_objects=lambda: self.objects, effects=effects, now=clock
        )
        self.service = ListeningService(
            spaces=spaces,
            grants=signer,
            workers=workers,
            now=clock,
            monotonic=lambda: clock().timestamp(),
            new_token=random_token,
            key_links=SecureLinks(KEYS_URL, "a secret of thirty-two characters"),
        )

    def operations(
        self,
        members: MembershipService,
        public_url: str,
        capabilities: CapabilityTable,
        limiter: RateLimiter,
    ) -> tuple[Operation, ...]:
        """Return the operations of those who come, and of those who listen."""
        urls = HlsUrls(public_url, LIVE_URL)
        resource = membership.MembershipResource(
            members,
            self.service,
            public_url,
            urls,
            lambda: ICE_SERVERS,
            requirement(capabilities),
        )
        return (
            *membership.operations(resource),
            *listening.operations(members, self.service, urls, limiter.listen),
        )
